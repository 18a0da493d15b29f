//! The credentials of a client: in the `Authorization` header or in the form.

use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use gatewright_iam::{Secret, TokenError};
use percent_encoding::percent_decode_str;

use crate::edge::decode_basic;
use crate::error::ApiError;
use crate::form::FormFields;
use crate::request::Request;

/// The credentials by which a client authenticates.
pub(super) struct ClientCredentials {
    pub(super) id: String,
    pub(super) secret: Secret,
    /// The place where they came, which decides how a refusal looks.
    place: Place,
}

/// The place of credentials in a request.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Header,
    Body,
}

impl ClientCredentials {
    /// Reads them: from a Basic header, or from two fields of the form; never from both.
    pub(super) fn read(request: &Request, form: &FormFields) -> Result<Self, ApiError> {
        let body = (form.field("client_id")?, form.field("client_secret")?);
        if let Some(header) = request.headers.get(AUTHORIZATION) {
            let pair = header.to_str().ok().and_then(basic);
            let (id, secret) = pair.ok_or_else(|| refused(Place::Header))?;
            if body.1.is_some() || body.0.is_some_and(|other| other != id) {
                return Err(ApiError::invalid_request("use the header or the body, not both"));
            }
            return Ok(Self { id, secret, place: Place::Header });
        }
        let (Some(id), Some(secret)) = body else { return Err(refused(Place::Body)) };
        Ok(Self { id: id.to_owned(), secret: secret.to_owned().into(), place: Place::Body })
    }

    /// Makes the error that a client gets which has these credentials.
    pub(super) fn error(&self, error: TokenError) -> ApiError {
        match error {
            TokenError::InvalidClient => refused(self.place),
            error => error.into(),
        }
    }
}

/// Refuses credentials: the same whether the identifier or the secret is wrong, or one is missing.
fn refused(place: Place) -> ApiError {
    let description = TokenError::InvalidClient.to_string();
    match place {
        Place::Header => ApiError::oauth2(StatusCode::UNAUTHORIZED, "invalid_client", &description)
            .with_header("www-authenticate", "Basic realm=\"gatewright\""),
        Place::Body => ApiError::oauth2(StatusCode::BAD_REQUEST, "invalid_client", &description),
    }
}

/// Reads the identifier and the secret of a Basic header. They are encoded as in a form by the
/// standard and not at all by some clients; both read the same, because neither holds what would
/// differ.
fn basic(header: &str) -> Option<(String, Secret)> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = decode_basic(encoded)?;
    let (id, secret) = decoded.reveal().split_once(':')?;
    let decode = |text: &str| Some(percent_decode_str(text).decode_utf8().ok()?.into_owned());
    Some((decode(id)?, decode(secret)?.into()))
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::prelude::BASE64_STANDARD;

    use super::*;

    #[test]
    fn basic_credentials_are_read_encoded_or_not() {
        let header = |text: &str| format!("Basic {}", BASE64_STANDARD.encode(text));
        let pair =
            |header: &str| basic(header).map(|(id, secret)| (id, secret.reveal().to_owned()));
        let both = Some(("EU.1".to_owned(), "s-_e".to_owned()));
        assert_eq!(pair(&header("EU.1:s-_e")), both);
        assert_eq!(pair(&header("EU%2E1:s%2D_e")), both);
        assert_eq!(pair(&header("EU.1")), None);
        assert_eq!(pair("Bearer x"), None);
        assert_eq!(pair("Basic !!"), None);
    }
}

//! Client authentication: credentials in the `Authorization` header or in the form (RFC 6749,
//! section 2.3.1).

use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use gatewright_iam::{ClientId, Secret, TokenError};
use percent_encoding::percent_decode_str;

use crate::edge::{MINIMUM_REVISION, decode_basic, wait_for_revision};
use crate::error::ApiError;
use crate::form::FormFields;
use crate::request::Request;

/// The credentials of a client.
pub(super) struct ClientCredentials {
    pub(super) id: ClientId,
    pub(super) secret: Secret,
    /// The place where they were sent, which decides the form of the error.
    place: CredentialsPlace,
}

/// The place of credentials in a request.
#[derive(Clone, Copy, PartialEq, Eq)]
enum CredentialsPlace {
    Header,
    Body,
}

impl ClientCredentials {
    /// Reads the credentials from the Basic header or from the form; both at once are refused.
    pub(super) fn read(request: &Request, form: &FormFields) -> Result<Self, ApiError> {
        let body = (form.field("client_id"), form.field("client_secret"));
        if let Some(header) = request.headers.get(AUTHORIZATION) {
            let pair = header.to_str().ok().and_then(basic);
            let (id, secret) = pair.ok_or_else(|| refused(CredentialsPlace::Header))?;
            if body.1.is_some() || body.0.is_some_and(|other| other != id) {
                return Err(ApiError::invalid_request("use the header or the body, not both"));
            }
            let id = ClientId::new(id);
            return Ok(Self { id, secret, place: CredentialsPlace::Header });
        }
        let (Some(id), Some(secret)) = body else { return Err(refused(CredentialsPlace::Body)) };
        Ok(Self {
            id: ClientId::new(id),
            secret: secret.to_owned().into(),
            place: CredentialsPlace::Body,
        })
    }

    /// Waits for the minimum revision that the request demands, which is told to the right client
    /// alone.
    pub(super) async fn wait_for_revision(&self, request: &Request) -> Result<(), ApiError> {
        if !request.headers.contains_key(MINIMUM_REVISION) {
            return Ok(());
        }
        let known = request.iam.check_client(&self.id, &self.secret, request.ip).await;
        known.map_err(|error| self.error(error))?;
        Ok(wait_for_revision(&request.iam, &request.headers).await?)
    }

    /// Builds the error response for a client that sent these credentials.
    pub(super) fn error(&self, error: TokenError) -> ApiError {
        match error {
            TokenError::InvalidClient => refused(self.place),
            error => error.into(),
        }
    }
}

/// Builds the error of invalid credentials. It is the same for a wrong identifier, a wrong secret
/// and a missing one, so that it reveals nothing.
fn refused(place: CredentialsPlace) -> ApiError {
    let description = TokenError::InvalidClient.to_string();
    match place {
        CredentialsPlace::Header => {
            ApiError::oauth2(StatusCode::UNAUTHORIZED, "invalid_client", &description)
                .with_header("www-authenticate", "Basic realm=\"gatewright\"")
        }
        CredentialsPlace::Body => {
            ApiError::oauth2(StatusCode::BAD_REQUEST, "invalid_client", &description)
        }
    }
}

/// Reads the identifier and the secret from a Basic header. The standard demands form encoding,
/// which some clients leave out; neither value has characters that the encoding changes.
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

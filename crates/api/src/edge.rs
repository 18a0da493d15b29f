//! Reads from a request what is independent of its operation: the client address, the credential,
//! the body and the minimum revision.

use std::net::{IpAddr, SocketAddr};
use std::pin::pin;

use axum::BoxError;
use axum::body::HttpBody;
use axum::extract::ConnectInfo;
use axum::http::header::AUTHORIZATION;
use axum::http::{Extensions, HeaderMap, HeaderName};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::{Bytes, BytesMut};
use gatewright_iam::{Fault, Iam, IamError, Secret};
use http_body_util::BodyExt;
use ipnet::IpNet;
use zeroize::{Zeroize, Zeroizing};

use crate::error::ApiError;

/// The header with the minimum revision that the caller demands (read-your-writes consistency).
pub(crate) const MINIMUM_REVISION: HeaderName = HeaderName::from_static("x-gatewright-at-least");

/// The maximum number of revisions, each of another account, that a request may demand.
const MOST_REVISIONS: usize = 4;

/// The prefix of user names whose password is a personal access token.
const TOKEN_USER: &str = "pat_jwt_";

/// Waits until the minimum revision that the caller demands is followed.
pub(crate) async fn wait_for_revision(iam: &Iam, headers: &HeaderMap) -> Result<(), IamError> {
    let texts = headers.get_all(MINIMUM_REVISION).into_iter();
    let revisions = texts.flat_map(|text| text.to_str().unwrap_or_default().split(','));
    for (place, revision) in revisions.enumerate() {
        if place >= MOST_REVISIONS {
            let message = format!("X-Gatewright-At-Least names {MOST_REVISIONS} revisions at most");
            return Err(IamError::invalid(Fault::TooLong, message));
        }
        // Boxed: the future is large and seldom needed.
        Box::pin(iam.wait_for_revision(&revision.parse()?)).await?;
    }
    Ok(())
}

/// Returns whether a caller may wait for a revision: who is authenticated, or has a token that was
/// issued here and may be valid at that revision. To all others nothing is told, and nothing is read for
/// them.
pub(crate) async fn may_wait<T>(iam: &Iam, token: &str, first: &Result<T, IamError>) -> bool {
    match first {
        Ok(_) => true,
        Err(IamError::BadCredential) => iam.is_issued_here(token).await,
        Err(_) => false,
    }
}

/// The token of a request. It has no `Debug`, so that it is never printed.
pub(crate) enum BearerToken<'r> {
    /// The token as it stands in the header.
    Plain(&'r str),
    /// The token from decoded Basic credentials.
    Decoded(Secret),
}

impl BearerToken<'_> {
    /// Returns the text of the token.
    pub(crate) fn reveal(&self) -> &str {
        match self {
            Self::Plain(text) => text,
            Self::Decoded(secret) => secret.reveal(),
        }
    }
}

/// Reads the token of a request: a bearer token, or the password of a user `pat_jwt_…`.
pub(crate) fn bearer(headers: &HeaderMap) -> Result<BearerToken<'_>, IamError> {
    let mut headers = headers.get_all(AUTHORIZATION).into_iter();
    let header = headers.next().ok_or(IamError::NoCredentials)?;
    // With two credentials it would be unclear which one counts.
    if headers.next().is_some() {
        return Err(IamError::BadCredential);
    }
    let text = header.to_str().map_err(|_| IamError::BadCredential)?;
    let (scheme, token) = text.split_once(' ').ok_or(IamError::NoCredentials)?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Ok(BearerToken::Plain(token.trim()));
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(IamError::NoCredentials);
    }
    let text = decode_basic(token).ok_or(IamError::BadCredential)?;
    match text.reveal().split_once(':') {
        Some((user, token)) if user.starts_with(TOKEN_USER) => {
            Ok(BearerToken::Decoded(token.to_owned().into()))
        }
        _ => Err(IamError::NoCredentials),
    }
}

/// Decodes the credentials of a Basic header (RFC 7617).
pub(crate) fn decode_basic(encoded: &str) -> Option<Secret> {
    let decoded = Zeroizing::new(BASE64_STANDARD.decode(encoded.trim()).ok()?);
    std::str::from_utf8(&decoded).ok().map(|text| text.to_owned().into())
}

/// The maximum number of bytes that are allocated for a body before they have arrived.
const FIRST_READ: usize = 16 * 1024;

/// Reads a whole body of at most so many bytes. The listener limits the time, and all bodies
/// together.
pub(crate) async fn read_body<B>(body: B, max: usize) -> Result<Bytes, ApiError>
where
    B: HttpBody<Data = Bytes, Error: Into<BoxError>>,
{
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    // The announced length: nothing is read of a body that is too large.
    if body.size_hint().lower() > u64::try_from(max).unwrap_or(u64::MAX) {
        return Err(ApiError::too_large(max));
    }
    let announced = body.size_hint().exact().and_then(|length| usize::try_from(length).ok());
    let mut whole = BytesMut::with_capacity(announced.unwrap_or_default().min(FIRST_READ));
    let mut body = pin!(body);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| ApiError::incomplete_body(error.into().as_ref()))?;
        let Some(data) = frame.data_ref() else { continue };
        if whole.len() + data.len() > max {
            return Err(ApiError::too_large(max));
        }
        whole.extend_from_slice(data);
    }
    Ok(whole.freeze())
}

/// Wipes a body that held secrets, unless it is still shared.
pub(crate) fn wipe(body: Bytes) {
    if let Ok(mut body) = body.try_into_mut() {
        body.zeroize();
    }
}

/// Returns the address of the connection's peer.
pub(crate) fn peer(extensions: &Extensions) -> Option<SocketAddr> {
    extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| *peer)
}

/// Returns the address of the client: the peer's, or what trusted proxies say in `X-Forwarded-For`.
pub fn client_ip(
    peer: Option<SocketAddr>,
    headers: &HeaderMap,
    trusted: &[IpNet],
) -> Option<IpAddr> {
    let peer = peer?;
    let mut ip = peer.ip().to_canonical();
    let is_trusted = |ip: &IpAddr| trusted.iter().any(|block| block.contains(ip));
    if !is_trusted(&ip) {
        return Some(ip);
    }
    let headers = headers.get_all("x-forwarded-for");
    let texts = headers.iter().filter_map(|value| value.to_str().ok());
    let hops: Vec<&str> = texts.flat_map(|text| text.split(',')).collect();
    // Each proxy appends the address that it saw; only trusted ones are believed.
    for hop in hops.iter().rev() {
        let Ok(next) = hop.trim().parse::<IpAddr>() else { break };
        ip = next.to_canonical();
        if !is_trusted(&ip) {
            break;
        }
    }
    Some(ip)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn ip(peer: &str, forwarded: &[&str]) -> String {
        let trusted: Vec<IpNet> = vec!["10.0.0.0/8".parse().unwrap()];
        let peer: SocketAddr = format!("{peer}:1").parse().unwrap();
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", HeaderValue::from_str(value).unwrap());
        }
        client_ip(Some(peer), &headers, &trusted).unwrap().to_string()
    }

    #[test]
    fn only_trusted_proxies_say_where_a_request_comes_from() {
        assert_eq!(ip("203.0.113.7", &["198.51.100.1"]), "203.0.113.7");
        assert_eq!(ip("10.0.0.1", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(ip("10.0.0.1", &["6.6.6.6, 198.51.100.1", "10.0.0.2"]), "198.51.100.1");
        assert_eq!(ip("10.0.0.1", &["nonsense"]), "10.0.0.1");
        assert_eq!(ip("10.0.0.1", &[]), "10.0.0.1");
    }
}

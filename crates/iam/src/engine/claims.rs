//! Claims of access tokens, ID tokens and identity assertions.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::token::ProjectRoles;

/// The claims of an access token (RFC 9068, section 2.2).
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Claims<'a> {
    pub(crate) iss: &'a str,
    /// The URN of the identity.
    pub(crate) sub: &'a str,
    pub(crate) aud: &'a str,
    pub(crate) exp: i64,
    pub(crate) iat: i64,
    pub(crate) jti: &'a str,
    pub(crate) client_id: &'a str,
    pub(crate) scope: &'a str,
}

/// The claims of an ID token (`OpenID` Connect Core 1.0, section 2): its subject, the client itself
/// as audience, and the roles on projects.
#[derive(Serialize)]
pub(crate) struct IdClaims<'a> {
    #[serde(flatten)]
    pub(crate) common: Claims<'a>,
    pub(crate) account: &'a str,
    /// The URN of the project that the roles were requested on; none for all projects.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) resource: Option<&'a str>,
    #[serde(flatten)]
    pub(crate) roles: Option<ProjectRoles>,
}

/// The claims of an identity assertion: the caller of one request that was allowed.
#[derive(Serialize)]
pub(crate) struct AssertionClaims<'a> {
    pub(crate) iss: &'a str,
    /// The URL of the guarded API's declaration, which is no other token's audience.
    pub(crate) aud: &'a str,
    /// The URN of the identity.
    pub(crate) sub: &'a str,
    pub(crate) account: &'a str,
    /// The client that the access token was issued to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) client_id: Option<&'a str>,
    /// The identifier of the token that was presented.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) token_id: Option<&'a str>,
    /// The method, as the client sent it.
    pub(crate) method: &'a str,
    /// The path without the query, as the client sent it.
    pub(crate) path: &'a str,
    /// The headers that the decision depends on, with their values.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) headers: &'a BTreeMap<&'a str, &'a str>,
    pub(crate) iat: i64,
    pub(crate) exp: i64,
    /// The query ID of the decision.
    pub(crate) jti: &'a str,
}

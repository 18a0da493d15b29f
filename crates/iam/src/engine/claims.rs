//! Claims of access tokens and ID tokens.

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

//! What tokens say.

use serde::{Deserialize, Serialize};

use crate::model::token::ProjectRoles;

/// What a token says (RFC 9068, section 2.2).
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

/// What an ID token says (`OpenID` Connect Core 1.0, section 2): whose it is, for that client itself,
/// and what they may do on projects.
#[derive(Serialize)]
pub(crate) struct IdClaims<'a> {
    #[serde(flatten)]
    pub(crate) common: Claims<'a>,
    pub(crate) account: &'a str,
    /// The URN that was asked about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) resource: Option<&'a str>,
    #[serde(flatten)]
    pub(crate) roles: Option<ProjectRoles>,
}

//! Errors.

use utoipa::ToSchema;

/// An error: `class` is stable, for programs; `message` is for people.
#[derive(ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Error)]
#[expect(dead_code, reason = "only described")]
pub(crate) struct ErrorBody {
    class: String,
    message: String,
    /// A stable code of the error, with status 401 and 403 only.
    error_code: Option<String>,
    /// The status line, with status 401 and 403 only.
    http_code: Option<String>,
    details: Option<MissingActions>,
}

/// The actions that the caller lacks, separated by commas.
#[derive(ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Error::Details)]
#[expect(dead_code, reason = "only described")]
pub(crate) struct MissingActions {
    /// The actions that no policy allows.
    #[serde(rename = "unauthorizedActionsByIAM")]
    unauthorized_actions_by_iam: String,
    /// The actions outside of the token's scope.
    unauthorized_actions_by_authentication: String,
}

/// An error of an OAuth2 endpoint (RFC 6749, section 5.2).
#[derive(ToSchema)]
#[schema(as = oauth2::Error)]
#[expect(dead_code, reason = "only described")]
pub(crate) struct OAuth2Error {
    error: String,
    error_description: String,
}

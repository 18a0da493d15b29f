//! Errors.

use utoipa::ToSchema;

/// Describes an error: clients decide by its class, people read the message.
#[derive(ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Error)]
#[expect(dead_code, reason = "only described")]
pub(crate) struct ErrorBody {
    class: String,
    message: String,
    /// On 401 and 403.
    error_code: Option<String>,
    /// On 401 and 403.
    http_code: Option<String>,
    details: Option<MissingActions>,
}

/// Describes the actions that a caller lacks, separated by commas.
#[derive(ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Error::Details)]
#[expect(dead_code, reason = "only described")]
pub(crate) struct MissingActions {
    /// Those that no policy allows.
    #[serde(rename = "unauthorizedActionsByIAM")]
    unauthorized_actions_by_iam: String,
    /// Those that the scope of the token leaves out.
    unauthorized_actions_by_authentication: String,
}

/// Describes an error of the OAuth2 endpoints (RFC 6749, section 5.2).
#[derive(ToSchema)]
#[schema(as = oauth2::Error)]
#[expect(dead_code, reason = "only described")]
pub(crate) struct OAuth2Error {
    error: String,
    error_description: String,
}

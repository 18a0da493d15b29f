//! OAuth2 and `OpenID` Connect: requests, responses, discovery.

use gatewright_iam::{Secret, Settings};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{reveal, reveal_option};

/// A token request (RFC 6749, section 4.4). The client's credentials may be in the `Authorization`
/// header instead.
#[derive(ToSchema)]
#[schema(as = oauth2::TokenRequest)]
#[expect(dead_code, reason = "only described")]
pub(crate) struct TokenRequest {
    client_id: Option<String>,
    client_secret: Option<String>,
    /// Always `client_credentials`.
    grant_type: String,
    /// The requested scope: `all` or `<resource type>/all`, separated by spaces.
    scope: String,
}

/// A request to introspect or revoke a token. The client's credentials may be in the
/// `Authorization` header instead.
#[derive(ToSchema)]
#[schema(as = oauth2::TokenAbout)]
#[expect(dead_code, reason = "only described")]
pub(crate) struct TokenAbout {
    client_id: Option<String>,
    client_secret: Option<String>,
    token: String,
    token_type_hint: Option<String>,
}

/// An issued token.
#[derive(Serialize, ToSchema)]
#[schema(as = oauth2::TokenResponse)]
pub(crate) struct TokenResponse {
    #[serde(serialize_with = "reveal")]
    #[schema(value_type = String)]
    pub(crate) access_token: Secret,
    pub(crate) token_type: &'static str,
    /// Lifetime of the token, in seconds.
    pub(crate) expires_in: i64,
    pub(crate) scope: String,
    #[serde(serialize_with = "reveal_option", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub(crate) id_token: Option<Secret>,
}

/// The claims of a token (RFC 7662). An inactive token has `active` only.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = oauth2::Introspection)]
pub(crate) struct Introspection {
    active: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exp: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iat: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iss: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jti: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    project: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    roles: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    project_roles: Option<Vec<String>>,
}

impl Introspection {
    /// Converts the claims of an active token.
    pub(crate) fn of(found: gatewright_iam::Introspection, issuer: &str) -> Self {
        let (token_type, audience) = if found.is_access_token {
            ("Bearer", issuer.to_owned())
        } else {
            // An ID token must not be taken for an access token (as in RFC 8693, section 2.2.1).
            ("N_A", found.client_id.to_string())
        };
        let (project, roles, project_roles) = match found.roles {
            Some(roles) => (roles.project, roles.roles, Some(roles.project_roles)),
            None => (None, None, None),
        };
        Self {
            active: true,
            scope: Some(found.scope),
            client_id: Some(found.client_id.to_string()),
            username: Some(found.client_id.to_string()),
            token_type: Some(token_type),
            exp: Some(found.expires.seconds()),
            iat: Some(found.issued.seconds()),
            sub: Some(found.identity),
            aud: Some(audience),
            iss: Some(issuer.to_owned()),
            jti: Some(found.id.to_string()),
            account: Some(found.account.to_string()),
            project,
            roles,
            project_roles,
        }
    }
}

/// An empty response: a revocation reveals nothing about the token (RFC 7009).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = oauth2::Revoked)]
pub(crate) struct Revoked {}

/// The public keys that verify tokens, as a JSON Web Key Set (RFC 7517).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = oauth2::KeySet)]
pub(crate) struct KeySet(pub(crate) Value);

/// The metadata of the authorization server (RFC 8414).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = oauth2::Discovery)]
pub(crate) struct Discovery {
    issuer: String,
    token_endpoint: String,
    introspection_endpoint: String,
    revocation_endpoint: String,
    jwks_uri: String,
    grant_types_supported: Vec<&'static str>,
    response_types_supported: Vec<&'static str>,
    scopes_supported: Vec<&'static str>,
    token_endpoint_auth_methods_supported: Vec<&'static str>,
    introspection_endpoint_auth_methods_supported: Vec<&'static str>,
    revocation_endpoint_auth_methods_supported: Vec<&'static str>,
    id_token_signing_alg_values_supported: Vec<&'static str>,
    subject_types_supported: Vec<&'static str>,
}

impl Discovery {
    pub(crate) fn new(settings: &Settings, token_endpoint: String) -> Self {
        let url = &settings.public_url;
        let methods = vec!["client_secret_basic", "client_secret_post"];
        Self {
            issuer: url.clone(),
            token_endpoint,
            introspection_endpoint: format!("{url}/auth/oauth2/introspect"),
            revocation_endpoint: format!("{url}/auth/oauth2/revoke"),
            jwks_uri: format!("{url}/auth/oauth2/jwks"),
            grant_types_supported: vec!["client_credentials"],
            response_types_supported: Vec::new(),
            scopes_supported: vec![
                "all",
                "account/all",
                "publicCloudProject/all",
                "openid",
                "profile",
                "email",
            ],
            token_endpoint_auth_methods_supported: methods.clone(),
            introspection_endpoint_auth_methods_supported: methods.clone(),
            revocation_endpoint_auth_methods_supported: methods,
            id_token_signing_alg_values_supported: vec![settings.algorithm.as_str()],
            subject_types_supported: vec!["public"],
        }
    }
}

//! Examples of OAuth2.

use serde_json::{Value, json};

const CLIENT: &str = "EU.9cf2b1d0a7e84c35";
const URL: &str = "https://iam.example.com";

/// Returns examples of OAuth2 and `OpenID` Connect.
pub(super) fn of(name: &str) -> Option<Value> {
    Some(match name {
        "oauth2.TokenRequest" => json!({
            "grant_type": "client_credentials",
            "scope": "all",
            "client_id": CLIENT,
            "client_secret": "gws_…",
        }),
        "oauth2.TokenResponse" => json!({
            "access_token": "eyJ…", "token_type": "Bearer", "expires_in": 3599, "scope": "all",
        }),
        "oauth2.TokenAbout" => json!({
            "token": "eyJ…", "client_id": CLIENT, "client_secret": "gws_…",
        }),
        "oauth2.Introspection" => json!({
            "active": true,
            "scope": "all",
            "client_id": CLIENT,
            "username": CLIENT,
            "token_type": "Bearer",
            "exp": 1_795_729_894,
            "iat": 1_795_726_294,
            "sub": format!("urn:v1:eu:identity:credential:xx11111-ovh/oauth2-{CLIENT}"),
            "aud": URL,
            "iss": URL,
            "jti": "5f0c6f0e7a1b4d5e9a510c2b6a3d8e11",
            "account": "xx11111-ovh",
        }),
        "oauth2.Revoked" => json!({}),
        "oauth2.KeySet" => json!({"keys": [{
            "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "…", "x": "…", "y": "…",
        }]}),
        "oauth2.Discovery" => json!({
            "issuer": URL,
            "token_endpoint": format!("{URL}/auth/oauth2/token"),
            "introspection_endpoint": format!("{URL}/auth/oauth2/introspect"),
            "revocation_endpoint": format!("{URL}/auth/oauth2/revoke"),
            "jwks_uri": format!("{URL}/auth/oauth2/jwks"),
            "grant_types_supported": ["client_credentials"],
            "response_types_supported": [],
            "scopes_supported": ["all", "account/all", "publicCloudProject/all", "openid"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "introspection_endpoint_auth_methods_supported":
                ["client_secret_basic", "client_secret_post"],
            "revocation_endpoint_auth_methods_supported":
                ["client_secret_basic", "client_secret_post"],
            "id_token_signing_alg_values_supported": ["ES256"],
            "subject_types_supported": ["public"],
        }),
        _ => return None,
    })
}

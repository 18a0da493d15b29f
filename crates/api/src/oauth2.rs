//! The OAuth2 endpoints: tokens (RFC 6749), introspection (RFC 7662), revocation (RFC 7009), keys
//! and discovery (RFC 8414).

use axum::http::StatusCode;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use gatewright_iam::{Grant, ProjectRoles, ResourceUrn, Secret, TokenError};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::Serialize;
use serde_json::json;

use crate::error::ApiError;
use crate::query::Query;
use crate::request::Request;
use crate::response::Response;

/// What stays as it is in a part of a path.
const IN_PATH: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b':').remove(b'-').remove(b'.').remove(b'_').remove(b'~');

fn invalid_request(description: &str) -> ApiError {
    ApiError::oauth2(StatusCode::BAD_REQUEST, "invalid_request", description)
}

/// The form in a request's body.
fn form(request: &Request) -> Result<Query, ApiError> {
    let kind = request.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = kind.and_then(|text| text.split(';').next()).map(str::trim);
    if kind.is_some_and(|kind| !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded")) {
        return Err(invalid_request("the body must be application/x-www-form-urlencoded"));
    }
    let text = std::str::from_utf8(&request.body);
    text.map(Query::parse).map_err(|_| invalid_request("the body must be a form in UTF-8"))
}

/// A field of the form that may be there once at most; an empty one is as good as none.
fn field<'f>(form: &'f Query, name: &str) -> Result<Option<&'f str>, ApiError> {
    let value = form.only(name);
    let value = value.map_err(|()| invalid_request(&format!("{name} is there more than once")))?;
    Ok(value.filter(|value| !value.is_empty()))
}

/// How a client proves to be itself.
struct Proof {
    id: String,
    secret: Secret,
    /// Whether it came in the `Authorization` header, which decides how a refusal looks.
    basic: bool,
}

impl Proof {
    /// Basic, or the two fields of the form; never both.
    fn read(request: &Request, form: &Query) -> Result<Self, ApiError> {
        let body = (field(form, "client_id")?, field(form, "client_secret")?);
        if let Some(header) = request.headers.get(AUTHORIZATION) {
            let pair = header.to_str().ok().and_then(basic);
            let (id, secret) = pair.ok_or_else(|| refused(true))?;
            if body.1.is_some() || body.0.is_some_and(|other| other != id) {
                return Err(invalid_request("use the header or the body, not both"));
            }
            return Ok(Self { id, secret: secret.into(), basic: true });
        }
        let (Some(id), Some(secret)) = body else { return Err(refused(false)) };
        Ok(Self { id: id.to_owned(), secret: secret.to_owned().into(), basic: false })
    }

    fn error(&self, error: TokenError) -> ApiError {
        match error {
            TokenError::InvalidClient => refused(self.basic),
            error => error.into(),
        }
    }
}

/// The same whether the identifier or the secret is wrong, or one is missing.
fn refused(basic: bool) -> ApiError {
    let description = TokenError::InvalidClient.to_string();
    if basic {
        ApiError::oauth2(StatusCode::UNAUTHORIZED, "invalid_client", &description)
            .with_header("www-authenticate", "Basic realm=\"gatewright\"")
    } else {
        ApiError::oauth2(StatusCode::BAD_REQUEST, "invalid_client", &description)
    }
}

/// The identifier and the secret of a Basic header. They are encoded as in a form by the standard
/// and not at all by some clients; both read the same, because neither holds what would differ.
fn basic(header: &str) -> Option<(String, String)> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(BASE64_STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    let decode = |text: &str| Some(percent_decode_str(text).decode_utf8().ok()?.into_owned());
    Some((decode(id)?, decode(secret)?))
}

pub(crate) async fn token(request: Request) -> Result<Response, ApiError> {
    let response = give_token(&request, None).await;
    Ok(response.unwrap_or_else(ApiError::into_response).no_store())
}

/// The same, with the roles on OpenStack projects in the ID token.
pub(crate) async fn token_with_roles(request: Request) -> Result<Response, ApiError> {
    let response = match request.iam.project_target(request.parameter(0)) {
        Ok(projects) => give_token(&request, Some(projects)).await,
        Err(error) => Err(error.into()),
    };
    Ok(response.unwrap_or_else(ApiError::into_response).no_store())
}

async fn give_token(
    request: &Request,
    projects: Option<ResourceUrn>,
) -> Result<Response, ApiError> {
    let form = form(request)?;
    match field(&form, "grant_type")? {
        Some("client_credentials") => {}
        Some(_) => {
            let description = "grant_type must be client_credentials";
            let status = StatusCode::BAD_REQUEST;
            return Err(ApiError::oauth2(status, "unsupported_grant_type", description));
        }
        None => return Err(invalid_request("grant_type is missing")),
    }
    let proof = Proof::read(request, &form)?;
    let scope = field(&form, "scope")?.map(str::to_owned);
    let (client_id, client_secret) = (proof.id.clone(), proof.secret.clone());
    let grant = Grant { client_id, client_secret, scope, projects };
    let about = (request.ip, request.query_id, request.now);
    let issued = request.iam.issue(&grant, about).await.map_err(|error| proof.error(error))?;
    Ok(Response::json(&TokenAnswer {
        access_token: issued.access_token.reveal(),
        token_type: "Bearer",
        expires_in: issued.expires_in,
        scope: &issued.scope,
        id_token: issued.id_token.as_ref().map(Secret::reveal),
    }))
}

#[derive(Serialize)]
struct TokenAnswer<'a> {
    access_token: &'a str,
    token_type: &'static str,
    expires_in: i64,
    scope: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<&'a str>,
}

pub(crate) async fn introspect(request: Request) -> Result<Response, ApiError> {
    let form = form(&request)?;
    let proof = Proof::read(&request, &form)?;
    let token = field(&form, "token")?.ok_or_else(|| invalid_request("token is missing"))?;
    let found = request.iam.introspect(&proof.id, &proof.secret, token, request.now).await;
    let Some(found) = found.map_err(|error| proof.error(error))? else {
        return Ok(Response::json(&json!({"active": false})).no_store());
    };
    let issuer = &request.iam.settings().public_url;
    let (token_type, audience) = if found.is_access_token {
        ("Bearer", issuer)
    } else {
        // Not to be taken for an access token (as in RFC 8693, section 2.2.1).
        ("N_A", &found.client_id)
    };
    Ok(Response::json(&IntrospectionAnswer {
        active: true,
        scope: &found.scope,
        client_id: &found.client_id,
        username: &found.client_id,
        token_type,
        exp: found.expires,
        iat: found.issued,
        sub: &found.identity,
        aud: audience,
        iss: issuer,
        jti: &found.id,
        account: &found.account,
        roles: found.roles.as_ref(),
    })
    .no_store())
}

#[derive(Serialize)]
struct IntrospectionAnswer<'a> {
    active: bool,
    scope: &'a str,
    client_id: &'a str,
    username: &'a str,
    token_type: &'static str,
    exp: i64,
    iat: i64,
    sub: &'a str,
    aud: &'a str,
    iss: &'a str,
    jti: &'a str,
    account: &'a str,
    #[serde(flatten)]
    roles: Option<&'a ProjectRoles>,
}

pub(crate) async fn revoke(request: Request) -> Result<Response, ApiError> {
    let form = form(&request)?;
    let proof = Proof::read(&request, &form)?;
    let token = field(&form, "token")?.ok_or_else(|| invalid_request("token is missing"))?;
    let from = (request.ip, request.query_id, request.now);
    let revoked = request.iam.revoke(&proof.id, &proof.secret, token, from).await;
    revoked.map_err(|error| proof.error(error))?;
    Ok(Response::json(&json!({})))
}

pub(crate) async fn jwks(request: Request) -> Result<Response, ApiError> {
    Ok(Response::json(&request.iam.jwks()).with("cache-control", "public, max-age=300"))
}

pub(crate) async fn discovery(request: Request) -> Result<Response, ApiError> {
    let token_endpoint = format!("{}/auth/oauth2/token", request.iam.settings().public_url);
    Ok(describe(&request, &token_endpoint))
}

/// For OpenStack's clients: a token endpoint that says roles.
pub(crate) async fn discovery_with_roles(request: Request) -> Result<Response, ApiError> {
    let projects = request.iam.project_target(request.parameter(0))?;
    let url = &request.iam.settings().public_url;
    let projects = utf8_percent_encode(projects.urn(), IN_PATH);
    Ok(describe(&request, &format!("{url}/role-adapter/{projects}/auth/oauth2/token")))
}

/// Built from the configuration alone, but for the token endpoint.
fn describe(request: &Request, token_endpoint: &str) -> Response {
    let settings = request.iam.settings();
    let url = &settings.public_url;
    let methods = ["client_secret_basic", "client_secret_post"];
    Response::json(&json!({
        "issuer": url,
        "token_endpoint": token_endpoint,
        "introspection_endpoint": format!("{url}/auth/oauth2/introspect"),
        "revocation_endpoint": format!("{url}/auth/oauth2/revoke"),
        "jwks_uri": format!("{url}/auth/oauth2/jwks"),
        "grant_types_supported": ["client_credentials"],
        "response_types_supported": [],
        "scopes_supported":
            ["all", "account/all", "publicCloudProject/all", "openid", "profile", "email"],
        "token_endpoint_auth_methods_supported": methods,
        "introspection_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_methods_supported": methods,
        "id_token_signing_alg_values_supported": [settings.algorithm.as_str()],
        "subject_types_supported": ["public"],
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_credentials_are_read_encoded_or_not() {
        let header = |text: &str| format!("Basic {}", BASE64_STANDARD.encode(text));
        let pair = Some(("EU.1".to_owned(), "s-_e".to_owned()));
        assert_eq!(basic(&header("EU.1:s-_e")), pair);
        assert_eq!(basic(&header("EU%2E1:s%2D_e")), pair);
        assert_eq!(basic(&header("EU.1")), None);
        assert_eq!(basic("Bearer x"), None);
        assert_eq!(basic("Basic !!"), None);
    }
}

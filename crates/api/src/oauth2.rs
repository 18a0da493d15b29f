//! The OAuth2 endpoints: tokens (RFC 6749), introspection (RFC 7662), revocation (RFC 7009), keys
//! and discovery (RFC 8414).

mod client_credentials;

use axum::http::StatusCode;
use gatewright_iam::{Grant, ResourceUrn};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::body::Form;
use crate::error::ApiError;
use crate::form::FormFields;
use crate::operation::{Errors, Operation};
use crate::request::Request;
use crate::respond::{Cached, Json, NoStore};
use crate::wire::{
    Discovery, Introspection, KeySet, Revoked, TokenAbout, TokenRequest, TokenResponse,
};
use client_credentials::ClientCredentials;

/// The characters that are not percent-encoded in a path segment.
const IN_PATH: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b':').remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Declares the operations.
pub(crate) fn operations() -> Vec<Operation> {
    let mut operations = token_operations();
    operations.extend([
        Operation::post("/auth/oauth2/introspect", "Introspect a token")
            .errors(Errors::OAuth2)
            .authenticates_client()
            .read_only()
            .answered_from_memory()
            .handle(introspect),
        Operation::post("/auth/oauth2/revoke", "Revoke a token")
            .errors(Errors::OAuth2)
            .authenticates_client()
            .revokes()
            .handle(revoke),
        Operation::get("/auth/oauth2/jwks", "Read the keys that verify tokens").handle(jwks),
        Operation::get("/.well-known/oauth-authorization-server", "Read the server metadata")
            .handle(discovery),
        Operation::get("/.well-known/openid-configuration", "Read the server metadata")
            .handle(discovery),
    ]);
    operations
}

fn token_operations() -> Vec<Operation> {
    vec![
        Operation::post("/auth/oauth2/token", "Request a token")
            .errors(Errors::OAuth2)
            .authenticates_client()
            .read_only()
            .answered_from_memory()
            .handle(token),
        Operation::post("/oauth2/token", "Request a token")
            .errors(Errors::OAuth2)
            .authenticates_client()
            .read_only()
            .answered_from_memory()
            .handle(token),
        Operation::post(
            "/role-adapter/{projects}/auth/oauth2/token",
            "Request a token and an ID token with the roles on OpenStack projects",
        )
        .errors(Errors::OAuth2)
        .authenticates_client()
        .read_only()
        .handle(token_with_roles),
        Operation::get(
            "/role-adapter/{projects}/.well-known/openid-configuration",
            "Read the server metadata for OpenStack clients",
        )
        .errors(Errors::OAuth2)
        .handle(discovery_with_roles),
    ]
}

type TokenResult = Result<NoStore<Json<TokenResponse>>, ApiError>;

async fn token(request: Request, form: Form<TokenRequest>) -> TokenResult {
    let issued = issue(&request, form.fields, None).await;
    Ok(NoStore(Json(issued.map_err(ApiError::no_store)?)))
}

/// Issues a token; the ID token has the roles on OpenStack projects.
async fn token_with_roles(request: Request, form: Form<TokenRequest>) -> TokenResult {
    let issued = match request.iam.project_target(request.parameter(0)?) {
        Ok(projects) => issue(&request, form.fields, Some(projects)).await,
        Err(error) => Err(error.into()),
    };
    Ok(NoStore(Json(issued.map_err(ApiError::no_store)?)))
}

async fn issue(
    request: &Request,
    form: Result<FormFields, ApiError>,
    projects: Option<ResourceUrn>,
) -> Result<TokenResponse, ApiError> {
    let form = form?;
    match form.field("grant_type") {
        Some("client_credentials") => {}
        Some(_) => {
            let description = "grant_type must be client_credentials";
            let status = StatusCode::BAD_REQUEST;
            return Err(ApiError::oauth2(status, "unsupported_grant_type", description));
        }
        None => return Err(ApiError::invalid_request("grant_type is missing")),
    }
    let credentials = ClientCredentials::read(request, &form)?;
    credentials.wait_for_revision(request).await?;
    let scope = form.field("scope").map(str::to_owned);
    let (client_id, client_secret) = (credentials.id.clone(), credentials.secret.clone());
    let grant = Grant { client_id, client_secret, scope, projects };
    let about = (request.ip, request.query_id, request.now);
    let issued = request.iam.issue(&grant, about).await;
    let issued = issued.map_err(|error| credentials.error(error))?;
    Ok(TokenResponse {
        access_token: issued.access_token,
        token_type: "Bearer",
        expires_in: issued.expires_in,
        scope: issued.scope,
        id_token: issued.id_token,
    })
}

async fn introspect(
    request: Request,
    form: Form<TokenAbout>,
) -> Result<NoStore<Json<Introspection>>, ApiError> {
    let form = form.fields?;
    let credentials = ClientCredentials::read(&request, &form)?;
    let token = token_field(&form)?;
    credentials.wait_for_revision(&request).await?;
    let (id, secret) = (&credentials.id, &credentials.secret);
    let from = (request.ip, request.query_id, request.now);
    let found = request.iam.introspect(id, secret, token, from).await;
    let found = found.map_err(|error| credentials.error(error))?;
    let issuer = &request.iam.settings().public_url;
    let introspection = found.map(|found| Introspection::of(found, issuer)).unwrap_or_default();
    Ok(NoStore(Json(introspection)))
}

async fn revoke(request: Request, form: Form<TokenAbout>) -> Result<Json<Revoked>, ApiError> {
    let form = form.fields?;
    let credentials = ClientCredentials::read(&request, &form)?;
    let token = token_field(&form)?;
    credentials.wait_for_revision(&request).await?;
    let from = (request.ip, request.query_id, request.now);
    let revoked = request.iam.revoke(&credentials.id, &credentials.secret, token, from).await;
    revoked.map_err(|error| credentials.error(error))?;
    Ok(Json(Revoked {}))
}

fn token_field(form: &FormFields) -> Result<&str, ApiError> {
    form.field("token").ok_or_else(|| ApiError::invalid_request("token is missing"))
}

async fn jwks(request: Request) -> Result<Cached<Json<KeySet>>, ApiError> {
    Ok(Cached(Json(KeySet(request.iam.jwks()))))
}

async fn discovery(request: Request) -> Result<Json<Discovery>, ApiError> {
    let settings = request.iam.settings();
    let token_endpoint = format!("{}/auth/oauth2/token", settings.public_url);
    Ok(Json(Discovery::new(settings, token_endpoint)))
}

/// Returns the metadata for OpenStack clients, with the token endpoint that adds roles to ID
/// tokens.
async fn discovery_with_roles(request: Request) -> Result<Json<Discovery>, ApiError> {
    let projects = request.iam.project_target(request.parameter(0)?)?;
    let settings = request.iam.settings();
    let projects = utf8_percent_encode(projects.urn(), IN_PATH);
    let token_endpoint =
        format!("{}/role-adapter/{projects}/auth/oauth2/token", settings.public_url);
    Ok(Json(Discovery::new(settings, token_endpoint)))
}

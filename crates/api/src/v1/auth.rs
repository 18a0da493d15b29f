//! `/auth`: the server's time, and the caller's identity.

use gatewright_iam::{Context, PrincipalKind};
use serde_json::json;

use crate::error::ApiError;
use crate::operation::Operation;
use crate::request::Request;
use crate::respond::Json;
use crate::wire::Details;

/// Declares the operations.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/auth/time", "Read the time of the server")
            .response_example(|| json!(1_795_726_294))
            .handle(time),
        Operation::get("/auth/details", "Read the authenticated identity").handle(details),
    ]
}

async fn time(request: Request) -> Result<Json<i64>, ApiError> {
    Ok(Json(request.now.seconds()))
}

async fn details(context: Context, _: Request) -> Result<Json<Details>, ApiError> {
    let principal = &context.principal;
    let (method, roles) = match principal.kind {
        PrincipalKind::Root => ("account", vec!["ADMIN".to_owned()]),
        PrincipalKind::ServiceAccount => ("oauth2_client_credentials", Vec::new()),
        PrincipalKind::User => ("user", Vec::new()),
    };
    let is_user = principal.kind == PrincipalKind::User;
    let user = principal.identity.name().filter(|_| is_user);
    Ok(Json(Details {
        account: context.account().to_string(),
        allowed_routes: None,
        description: None,
        identities: principal.caller.identities().map(str::to_owned).collect(),
        method: method.to_owned(),
        roles: Some(roles),
        user: user.map(str::to_owned),
    }))
}

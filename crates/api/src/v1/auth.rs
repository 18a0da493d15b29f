//! `/auth`: the clock, and who one is.

use gatewright_iam::{Context, PrincipalKind};

use crate::error::ApiError;
use crate::request::Request;
use crate::response::Response;
use crate::wire::Details;

pub(crate) async fn time(request: Request) -> Result<Response, ApiError> {
    Ok(Response::json(&(request.now / 1_000_000)))
}

pub(crate) async fn details(context: Context, _: Request) -> Result<Response, ApiError> {
    let principal = &context.principal;
    let (method, roles) = match principal.kind {
        PrincipalKind::Root => ("account", vec!["ADMIN".to_owned()]),
        PrincipalKind::ServiceAccount => ("oauth2_client_credentials", Vec::new()),
        PrincipalKind::User => ("user", Vec::new()),
    };
    let is_user = principal.kind == PrincipalKind::User;
    let user = principal.identity.name().filter(|_| is_user);
    Ok(Response::json(&Details {
        account: context.account().to_owned(),
        allowed_routes: None,
        description: None,
        identities: principal.caller.identities().map(str::to_owned).collect(),
        method: method.to_owned(),
        roles: Some(roles),
        user: user.map(str::to_owned),
    }))
}

//! `/auth`: the clock, and who one is.

use gatewright_iam::{Context, PrincipalKind};

use crate::answer::Answer;
use crate::error::ApiError;
use crate::request::Visit;
use crate::wire::Details;

pub(crate) async fn time(visit: Visit) -> Result<Answer, ApiError> {
    Ok(Answer::json(&(visit.now / 1_000_000)))
}

pub(crate) async fn details(context: Context, _: Visit) -> Result<Answer, ApiError> {
    let principal = &context.principal;
    let (method, roles) = match principal.kind {
        PrincipalKind::Root => ("account", vec!["ADMIN".to_owned()]),
        PrincipalKind::ServiceAccount => ("oauth2_client_credentials", Vec::new()),
        PrincipalKind::User => ("user", Vec::new()),
    };
    let is_user = principal.kind == PrincipalKind::User;
    let user = principal.identity.name().filter(|_| is_user);
    Ok(Answer::json(&Details {
        account: context.account().to_owned(),
        allowed_routes: None,
        description: None,
        identities: principal.caller.identities().map(str::to_owned).collect(),
        method: method.to_owned(),
        roles: Some(roles),
        user: user.map(str::to_owned),
    }))
}

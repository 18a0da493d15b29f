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
    let (method, roles) = match context.principal.kind {
        PrincipalKind::Root => ("account", vec!["ADMIN".to_owned()]),
        PrincipalKind::ServiceAccount => ("oauth2_client_credentials", Vec::new()),
    };
    Ok(Answer::json(&Details {
        account: context.account().to_owned(),
        allowed_routes: None,
        description: None,
        identities: vec![context.principal.identity.urn().to_owned()],
        method: method.to_owned(),
        roles: Some(roles),
        user: None,
    }))
}

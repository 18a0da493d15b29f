//! `/iam/reference`: the products that the installation knows.

use gatewright_iam::Context;

use crate::answer::Answer;
use crate::error::ApiError;
use crate::request::{Visit, list as page};
use crate::wire::Action;

pub(crate) async fn actions(_: Context, visit: Visit) -> Result<Answer, ApiError> {
    let kind = visit.query.first("resourceType").filter(|kind| !kind.is_empty());
    let actions = visit.page("action")?.of(visit.iam.catalogue().actions(kind));
    Ok(page(actions, Action::from))
}

pub(crate) async fn types(_: Context, visit: Visit) -> Result<Answer, ApiError> {
    let types = visit.page("type")?.of(visit.iam.catalogue().types());
    Ok(page(types, str::to_owned))
}

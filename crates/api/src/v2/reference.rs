//! `/iam/reference`: the products that the installation knows.

use gatewright_iam::Context;

use crate::answer::Answer;
use crate::error::ApiError;
use crate::request::{Visit, list as page};
use crate::wire::Action;

pub(crate) async fn actions(_: Context, visit: Visit) -> Result<Answer, ApiError> {
    let kind = visit.query.first("resourceType").filter(|kind| !kind.is_empty());
    let catalogue = visit.iam.catalogue();
    let actions = visit.page("action")?.of(catalogue.actions(kind));
    Ok(page(actions, Action::from))
}

pub(crate) async fn types(_: Context, visit: Visit) -> Result<Answer, ApiError> {
    let catalogue = visit.iam.catalogue();
    let types = visit.page("type")?.of(catalogue.types());
    Ok(page(types, str::to_owned))
}

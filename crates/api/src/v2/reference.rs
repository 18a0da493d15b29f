//! `/iam/reference`: the products that the installation knows.

use gatewright_iam::Context;

use crate::answer::Answer;
use crate::error::ApiError;
use crate::request::Visit;
use crate::wire::Action;

pub(crate) async fn actions(_: Context, visit: Visit) -> Result<Answer, ApiError> {
    let kind = visit.query.first("resourceType").filter(|kind| !kind.is_empty());
    let actions = visit.iam.catalogue().actions(kind);
    Ok(Answer::json(&actions.into_iter().map(Action::from).collect::<Vec<_>>()))
}

pub(crate) async fn types(_: Context, visit: Visit) -> Result<Answer, ApiError> {
    Ok(Answer::json(&visit.iam.catalogue().types().collect::<Vec<_>>()))
}

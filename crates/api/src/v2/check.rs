//! `authorization/check`: what the caller may do.

use gatewright_iam::Context;

use crate::answer::Answer;
use crate::error::ApiError;
use crate::request::{Visit, list as page};
use crate::wire::{BatchAnswer, BatchRequest, CheckAnswer, CheckRequest};

pub(crate) async fn one(context: Context, visit: Visit) -> Result<Answer, ApiError> {
    let actions = visit.json::<CheckRequest>().map(|body| body.actions);
    let urns = vec![visit.parameter(0).to_owned()];
    let mut answers = visit.iam.check(&context, urns, actions).await?.into_iter();
    Ok(Answer::json(&answers.next().map(CheckAnswer::from)))
}

pub(crate) async fn many(context: Context, visit: Visit) -> Result<Answer, ApiError> {
    let (urns, actions) = match visit.json::<BatchRequest>() {
        Ok(body) => (body.resource_urns, Ok(body.actions)),
        Err(error) => (Vec::new(), Err(error)),
    };
    let answers = visit.iam.check(&context, urns, actions).await?;
    // One answer for each URN, unless pages are asked for.
    if visit.header("x-pagination-size").is_none() && visit.header("x-pagination-cursor").is_none()
    {
        return Ok(Answer::json(&answers.into_iter().map(BatchAnswer::from).collect::<Vec<_>>()));
    }
    Ok(page(visit.page("check")?.of(answers), BatchAnswer::from))
}

//! `authorization/check`: what the caller may do.

use gatewright_iam::Context;

use crate::error::ApiError;
use crate::request::{Request, list as page};
use crate::response::Response;
use crate::wire::{BatchAnswer, BatchRequest, CheckAnswer, CheckRequest};

pub(crate) async fn one(context: Context, request: Request) -> Result<Response, ApiError> {
    let actions = request.json::<CheckRequest>().map(|body| body.actions);
    let urns = vec![request.parameter(0).to_owned()];
    let mut answers = request.iam.check(&context, urns, actions).await?.into_iter();
    Ok(Response::json(&answers.next().map(CheckAnswer::from)))
}

pub(crate) async fn many(context: Context, request: Request) -> Result<Response, ApiError> {
    let (urns, actions) = match request.json::<BatchRequest>() {
        Ok(body) => (body.resource_urns, Ok(body.actions)),
        Err(error) => (Vec::new(), Err(error)),
    };
    let answers = request.iam.check(&context, urns, actions).await?;
    // One answer for each URN, unless pages are asked for.
    if request.header("x-pagination-size").is_none()
        && request.header("x-pagination-cursor").is_none()
    {
        return Ok(Response::json(&answers.into_iter().map(BatchAnswer::from).collect::<Vec<_>>()));
    }
    Ok(page(request.page("check")?.of(answers), BatchAnswer::from))
}

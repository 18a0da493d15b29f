//! `authorization/check`: the caller's permissions on resources.

use gatewright_iam::{Context, IamError, Page};

use crate::body::LenientBody;
use crate::error::ApiError;
use crate::operation::Operation;
use crate::request::Request;
use crate::respond::{Json, JsonPage};
use crate::wire::{BatchAnswer, BatchRequest, CheckAnswer, CheckRequest};

/// Declares the operations.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::post(
            "/iam/resource/{resourceURN}/authorization/check",
            "Check actions on a resource",
        )
        .read_only()
        .answered_from_memory()
        .names_anything()
        .handle(one),
        Operation::post("/iam/authorization/check", "Check actions on several resources")
            .read_only()
            .answered_from_memory()
            .handle(many),
    ]
}

/// The error of a check without a result, which cannot happen.
#[derive(Debug, thiserror::Error)]
#[error("the check of a resource has no result")]
struct NoResult;

async fn one(
    context: Context,
    request: Request,
    LenientBody(body): LenientBody<CheckRequest>,
) -> Result<Json<CheckAnswer>, ApiError> {
    let actions = body.map(|body| body.actions);
    let urns = vec![request.parameter(0)?.to_owned()];
    let mut results = request.iam.check(&context, urns, actions).await?.into_iter();
    let result = results.next().ok_or_else(|| IamError::internal(NoResult))?;
    Ok(Json(result.into()))
}

async fn many(
    context: Context,
    request: Request,
    LenientBody(body): LenientBody<BatchRequest>,
) -> Result<JsonPage<BatchAnswer>, ApiError> {
    let (urns, actions) = match body {
        Ok(body) => (body.resource_urns, Ok(body.actions)),
        Err(error) => (Vec::new(), Err(error)),
    };
    let results = request.iam.check(&context, urns, actions).await?;
    // One result for each URN in order, unless pages are asked for.
    let wants_pages = request.header("x-pagination-size").is_some()
        || request.header("x-pagination-cursor").is_some();
    let page = if wants_pages {
        request.page("check")?.of(results)
    } else {
        Page { items: results, next: None }
    };
    Ok(JsonPage::of(page, BatchAnswer::from))
}

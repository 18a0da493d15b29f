//! `/v2/iam/api`: guarded APIs that the account declares.

use gatewright_iam::{Context, GuardedApi, clock};
use serde_json::{Value, json};

use crate::error::ApiError;
use crate::request::Request;
use crate::response::Response;

fn shown(api: &GuardedApi) -> Value {
    json!({
        "name": api.name,
        "createdAt": clock::text(api.created_at),
        "updatedAt": api.updated_at.map(clock::text),
        "document": api.document,
    })
}

pub(crate) async fn list(context: Context, request: Request) -> Result<Response, ApiError> {
    let apis = request.iam.guarded_apis(&context).await?;
    Ok(Response::json(&apis.iter().map(|api| &api.name).collect::<Vec<_>>()))
}

pub(crate) async fn get(context: Context, request: Request) -> Result<Response, ApiError> {
    let api = request.iam.guarded_api(&context, request.parameter(0)).await?;
    Ok(Response::json(&shown(&api)))
}

pub(crate) async fn put(context: Context, request: Request) -> Result<Response, ApiError> {
    let document = request.document();
    let api = request.iam.declare_api(&context, request.parameter(0), document).await?;
    Ok(Response::json(&shown(&api)))
}

pub(crate) async fn delete(context: Context, request: Request) -> Result<Response, ApiError> {
    request.iam.forget_api(&context, request.parameter(0)).await?;
    Ok(Response::no_content())
}

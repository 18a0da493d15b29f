//! `/iam/api`: guarded APIs that the account declares.

use gatewright_iam::{Context, rights};
use serde_json::json;

use crate::body::Document;
use crate::error::ApiError;
use crate::operation::Operation;
use crate::request::Request;
use crate::respond::{Json, JsonList, NoContent};
use crate::tagged::{Shows, Tagged};
use crate::wire::GuardedApi;

const API: &str = "/iam/api/{name}";

/// Declares the operations.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/iam/api", "List guarded APIs")
            .response_example(|| json!(["shop"]))
            .requires(&[rights::API_GET])
            .extension()
            .handle(list),
        Operation::get(API, "Read a guarded API")
            .requires(&[rights::API_GET])
            .extension()
            .handle(get),
        Operation::put(API, "Declare a guarded API")
            .requires(&[rights::API_EDIT])
            .conflicts()
            .names_anything()
            .request_example(|| {
                json!({
                    "openapi": "3.1.0", "info": {"title": "Shop", "version": "1"}, "paths": {},
                })
            })
            .extension()
            .handle(put),
        Operation::delete(API, "Delete a guarded API")
            .requires(&[rights::API_DELETE])
            .extension()
            .handle(delete),
    ]
}

async fn list(context: Context, request: Request) -> Result<JsonList<String>, ApiError> {
    Ok(JsonList(request.iam.guarded_apis(&context).await?))
}

async fn get(context: Context, request: Request) -> Result<Tagged<GuardedApi>, ApiError> {
    let api = request.iam.guarded_api(&context, request.parameter(0)?).await?;
    Tagged::of(&request, &api.tag.clone(), Shows::Object, &GuardedApi::from(api))
}

async fn put(
    context: Context,
    request: Request,
    Document(document): Document,
) -> Result<Json<GuardedApi>, ApiError> {
    let api = request.iam.declare_api(&context, request.parameter(0)?, document).await?;
    Ok(Json(api.into()))
}

async fn delete(context: Context, request: Request) -> Result<NoContent, ApiError> {
    request.iam.forget_api(&context, request.parameter(0)?).await?;
    Ok(NoContent)
}

//! `/iam/reference`: the products of the catalogue.

use gatewright_iam::Context;
use serde_json::json;

use crate::error::ApiError;
use crate::operation::{Operation, Parameter};
use crate::request::Request;
use crate::respond::JsonPage;
use crate::wire::Action;

const RESOURCE_TYPE: Parameter = Parameter::text("resourceType");

/// Declares the operations.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/iam/reference/action", "List actions")
            .query(&[RESOURCE_TYPE])
            .handle(actions),
        Operation::get("/iam/reference/resource/type", "List resource types")
            .response_example(|| json!(["vps"]))
            .handle(types),
    ]
}

async fn actions(context: Context, request: Request) -> Result<JsonPage<Action>, ApiError> {
    let wanted = request.query.first(RESOURCE_TYPE.name).filter(|wanted| !wanted.is_empty());
    let catalogue = request.iam.catalogue_for(&context).await?;
    let actions = request.page("action")?.of(catalogue.actions(wanted));
    Ok(JsonPage::of(actions, Action::from))
}

async fn types(context: Context, request: Request) -> Result<JsonPage<String>, ApiError> {
    let catalogue = request.iam.catalogue_for(&context).await?;
    let types = request.page("type")?.of(catalogue.types());
    Ok(JsonPage::of(types, str::to_owned))
}

//! `/iam/reference`: the products that the installation knows.

use gatewright_iam::Context;

use crate::error::ApiError;
use crate::request::{Request, list as page};
use crate::response::Response;
use crate::wire::Action;

pub(crate) async fn actions(_: Context, request: Request) -> Result<Response, ApiError> {
    let kind = request.query.first("resourceType").filter(|kind| !kind.is_empty());
    let catalogue = request.iam.catalogue();
    let actions = request.page("action")?.of(catalogue.actions(kind));
    Ok(page(actions, Action::from))
}

pub(crate) async fn types(_: Context, request: Request) -> Result<Response, ApiError> {
    let catalogue = request.iam.catalogue();
    let types = request.page("type")?.of(catalogue.types());
    Ok(page(types, str::to_owned))
}

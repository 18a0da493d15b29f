//! `/me`: the account.

use gatewright_iam::Context;

use crate::error::ApiError;
use crate::request::Request;
use crate::response::Response;
use crate::wire::Nichandle;

pub(crate) async fn get(context: Context, request: Request) -> Result<Response, ApiError> {
    let profile = request.iam.me(&context).await?;
    let region = request.iam.settings().region;
    Ok(Response::json(&Nichandle::of(context.account(), &profile, region)))
}

pub(crate) async fn put(context: Context, request: Request) -> Result<Response, ApiError> {
    request.iam.edit_me(&context, request.json()).await?;
    Ok(Response::null())
}

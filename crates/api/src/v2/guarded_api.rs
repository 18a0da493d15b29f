//! `/v2/iam/api`: guarded APIs that the account declares.

use gatewright_iam::{Context, GuardedApi, clock};
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::error::ApiError;
use crate::request::Visit;

fn shown(api: &GuardedApi) -> Value {
    json!({
        "name": api.name,
        "createdAt": clock::text(api.created_at),
        "updatedAt": api.updated_at.map(clock::text),
        "document": api.document,
    })
}

pub(crate) async fn list(context: Context, visit: Visit) -> Result<Answer, ApiError> {
    let apis = visit.iam.guarded_apis(&context).await?;
    Ok(Answer::json(&apis.iter().map(|api| &api.name).collect::<Vec<_>>()))
}

pub(crate) async fn get(context: Context, visit: Visit) -> Result<Answer, ApiError> {
    let api = visit.iam.guarded_api(&context, visit.parameter(0)).await?;
    Ok(Answer::json(&shown(&api)))
}

pub(crate) async fn put(context: Context, visit: Visit) -> Result<Answer, ApiError> {
    let document = visit.document();
    let api = visit.iam.declare_api(&context, visit.parameter(0), document).await?;
    Ok(Answer::json(&shown(&api)))
}

pub(crate) async fn delete(context: Context, visit: Visit) -> Result<Answer, ApiError> {
    visit.iam.forget_api(&context, visit.parameter(0)).await?;
    Ok(Answer::nothing())
}

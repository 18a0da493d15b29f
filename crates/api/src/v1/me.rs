//! `/me`: the account.

use gatewright_iam::Context;

use crate::answer::Answer;
use crate::error::ApiError;
use crate::request::Visit;
use crate::wire::Nichandle;

pub(crate) async fn get(context: Context, visit: Visit) -> Result<Answer, ApiError> {
    let profile = visit.iam.me(&context).await?;
    let region = visit.iam.settings().region;
    Ok(Answer::json(&Nichandle::of(context.account(), &profile, region)))
}

pub(crate) async fn put(context: Context, visit: Visit) -> Result<Answer, ApiError> {
    visit.iam.edit_me(&context, visit.json()).await?;
    Ok(Answer::null())
}

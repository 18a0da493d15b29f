//! `/me`: the account.

use gatewright_iam::{Context, rights};

use crate::body::Body;
use crate::error::ApiError;
use crate::operation::Operation;
use crate::request::Request;
use crate::respond::Null;
use crate::tagged::{Shows, Tagged};
use crate::wire::{Nichandle, NichandleEdit};

/// Declares the operations.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/me", "Read your account")
            .requires(&[rights::ME_GET])
            .beside_a_page()
            .handle(get),
        Operation::put("/me", "Change your account")
            .requires(&[rights::ME_EDIT])
            .beside_a_page()
            .handle(put),
    ]
}

async fn get(context: Context, request: Request) -> Result<Tagged<Nichandle>, ApiError> {
    let profile = request.iam.me(&context).await?;
    let region = request.iam.settings().region;
    let account = Nichandle::of(context.account(), &profile, region)?;
    Tagged::of(&request, &profile.tag()?, Shows::Object, &account)
}

async fn put(
    context: Context,
    request: Request,
    Body(edit): Body<NichandleEdit>,
) -> Result<Null, ApiError> {
    request.iam.edit_me(&context, edit.map(Into::into)).await?;
    Ok(Null)
}

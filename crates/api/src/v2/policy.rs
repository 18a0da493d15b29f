//! `/iam/policy`.

use gatewright_iam::{Context, PolicyFilter};

use crate::error::ApiError;
use crate::request::Request;
use crate::response::Response;
use crate::wire::{Policy, PolicyBody};

fn filter(request: &Request) -> gatewright_iam::Input<PolicyFilter> {
    Ok(PolicyFilter {
        actions: request.query.all("action"),
        identities: request.query.all("identity"),
        resources: request.query.all("resourceURN"),
        read_only: request.query.flag("readOnly")?,
    })
}

/// The policy as it goes over the wire, with what its URNs stand for where that is wanted.
async fn wire(
    context: &Context,
    request: &Request,
    policy: &gatewright_iam::Policy,
    details: bool,
) -> Result<Policy, ApiError> {
    let wire = Policy::of(context.account(), policy);
    if !details {
        return Ok(wire);
    }
    let targets = request.iam.policy_targets(context, policy).await?;
    let groups = request.iam.policy_groups(context, policy).await?;
    Ok(wire.detailed(targets, groups))
}

pub(crate) async fn list(context: Context, request: Request) -> Result<Response, ApiError> {
    let (filter, page) = (filter(&request), request.page("policy"));
    let page = request.iam.policies(&context, filter, page).await?;
    let details = request.query.flag("details")?.unwrap_or(false);
    let mut items = Vec::with_capacity(page.items.len());
    for policy in &page.items {
        items.push(wire(&context, &request, policy, details).await?);
    }
    Ok(Response::json(&items).with_next(page.next.as_deref()))
}

pub(crate) async fn create(context: Context, request: Request) -> Result<Response, ApiError> {
    let input = request.json::<PolicyBody>().map(Into::into);
    let policy = request.iam.create_policy(&context, input).await?;
    Ok(Response::json(&Policy::of(context.account(), &policy)))
}

pub(crate) async fn get(context: Context, request: Request) -> Result<Response, ApiError> {
    let policy = request.iam.policy(&context, request.id()).await?;
    let details = request.query.flag("details")?.unwrap_or(false);
    Ok(Response::json(&wire(&context, &request, &policy, details).await?))
}

pub(crate) async fn put(context: Context, request: Request) -> Result<Response, ApiError> {
    let input = request.json::<PolicyBody>().map(Into::into);
    let policy = request.iam.edit_policy(&context, request.id(), input).await?;
    Ok(Response::json(&Policy::of(context.account(), &policy)))
}

pub(crate) async fn delete(context: Context, request: Request) -> Result<Response, ApiError> {
    request.iam.delete_policy(&context, request.id()).await?;
    Ok(Response::no_content())
}

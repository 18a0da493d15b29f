//! `/iam/policy`.

use gatewright_iam::{Attachment, Context, Input, Page, PolicyFilter, rights};

use crate::body::Body;
use crate::error::ApiError;
use crate::operation::{Operation, Parameter};
use crate::request::Request;
use crate::respond::{Json, JsonPage, NoContent};
use crate::tagged::Tagged;
use crate::v2::details::{DETAILS, Details};
use crate::wire::{Policy, PolicyBody};

const POLICIES: &str = "/iam/policy";
const POLICY: &str = "/iam/policy/{policyId}";
const IDENTITY: &str = "/iam/policy/{policyId}/identity/{identityURN}";

const FILTER: &[Parameter] = &[
    Parameter::texts("action"),
    DETAILS,
    Parameter::texts("identity"),
    Parameter::flag("readOnly"),
    Parameter::texts("resourceURN"),
];

/// Declares the operations.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get(POLICIES, "List policies")
            .requires(&[rights::POLICY_GET])
            .query(FILTER)
            .handle(list),
        Operation::post(POLICIES, "Create a policy")
            .requires(&[rights::POLICY_CREATE])
            .creates()
            .conflicts()
            .handle(create),
        Operation::get(POLICY, "Read a policy")
            .requires(&[rights::POLICY_GET])
            .query(&[DETAILS])
            .handle(get),
        Operation::put(POLICY, "Change a policy")
            .requires(&[rights::POLICY_EDIT])
            .conflicts()
            .handle(put),
        Operation::delete(POLICY, "Delete a policy")
            .requires(&[rights::POLICY_DELETE])
            .handle(delete),
        Operation::delete(IDENTITY, "Detach an identity from a policy")
            .extension()
            .requires(&[rights::POLICY_EDIT])
            .handle(detach),
    ]
}

fn filter(request: &Request) -> Input<PolicyFilter> {
    Ok(PolicyFilter {
        actions: request.query.all("action"),
        identities: request.query.all("identity"),
        resources: request.query.all("resourceURN"),
        read_only: request.query.flag("readOnly")?,
    })
}

/// Converts a policy to its wire format, with the details of its URNs if requested.
async fn wire(
    context: &Context,
    request: &Request,
    policy: &gatewright_iam::Policy,
    details: Details,
) -> Result<Policy, ApiError> {
    let wire = Policy::of(context.account(), policy);
    if details == Details::Omitted {
        return Ok(wire);
    }
    let targets = request.iam.policy_targets(context, policy).await?;
    let groups = request.iam.policy_groups(context, policy).await?;
    Ok(wire.detailed(targets, groups))
}

async fn list(context: Context, request: Request) -> Result<JsonPage<Policy>, ApiError> {
    let (filter, page) = (filter(&request), request.page("policy"));
    let page = request.iam.policies(&context, filter, page).await?;
    let details = Details::of(&request)?;
    let mut items = Vec::with_capacity(page.items.len());
    for policy in &page.items {
        items.push(wire(&context, &request, policy, details).await?);
    }
    Ok(JsonPage(Page { items, next: page.next }))
}

async fn create(
    context: Context,
    request: Request,
    Body(input): Body<PolicyBody>,
) -> Result<Json<Policy>, ApiError> {
    let policy = request.iam.create_policy(&context, input.map(Into::into)).await?;
    Ok(Json(Policy::of(context.account(), &policy)))
}

async fn get(context: Context, request: Request) -> Result<Tagged<Policy>, ApiError> {
    let policy = request.iam.policy(&context, request.id()).await?;
    let details = Details::of(&request)?;
    let shown = wire(&context, &request, &policy, details).await?;
    Tagged::of(&request, &policy.tag()?, details.shows(), &shown)
}

async fn put(
    context: Context,
    request: Request,
    Body(input): Body<PolicyBody>,
) -> Result<Json<Policy>, ApiError> {
    let policy = request.iam.edit_policy(&context, request.id(), input.map(Into::into)).await?;
    Ok(Json(Policy::of(context.account(), &policy)))
}

async fn delete(context: Context, request: Request) -> Result<NoContent, ApiError> {
    request.iam.delete_policy(&context, request.id()).await?;
    Ok(NoContent)
}

async fn detach(context: Context, request: Request) -> Result<NoContent, ApiError> {
    let detached = Attachment::Detached;
    let identity = request.parameter(1)?;
    request.iam.set_policy_identity(&context, request.id(), identity, detached).await?;
    Ok(NoContent)
}

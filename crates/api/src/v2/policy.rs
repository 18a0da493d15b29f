//! `/iam/policy`.

use gatewright_iam::{Context, PolicyFilter};

use crate::answer::Answer;
use crate::error::ApiError;
use crate::request::Visit;
use crate::wire::{Policy, PolicyBody};

fn filter(visit: &Visit) -> gatewright_iam::Input<PolicyFilter> {
    Ok(PolicyFilter {
        actions: visit.query.all("action"),
        identities: visit.query.all("identity"),
        resources: visit.query.all("resourceURN"),
        read_only: visit.query.flag("readOnly")?,
    })
}

/// The policy as it goes over the wire, with what its URNs stand for where that is wanted.
async fn wire(
    context: &Context,
    visit: &Visit,
    policy: &gatewright_iam::Policy,
    details: bool,
) -> Result<Policy, ApiError> {
    let wire = Policy::of(context.account(), policy);
    if !details {
        return Ok(wire);
    }
    let targets = visit.iam.policy_targets(context, policy).await?;
    let groups = visit.iam.policy_groups(context, policy).await?;
    Ok(wire.detailed(targets, groups))
}

pub(crate) async fn list(context: Context, visit: Visit) -> Result<Answer, ApiError> {
    let (filter, page) = (filter(&visit), visit.page("policy"));
    let page = visit.iam.policies(&context, filter, page).await?;
    let details = visit.query.flag("details")?.unwrap_or(false);
    let mut items = Vec::with_capacity(page.items.len());
    for policy in &page.items {
        items.push(wire(&context, &visit, policy, details).await?);
    }
    Ok(Answer::json(&items).with_next(page.next.as_deref()))
}

pub(crate) async fn create(context: Context, visit: Visit) -> Result<Answer, ApiError> {
    let input = visit.json::<PolicyBody>().map(Into::into);
    let policy = visit.iam.create_policy(&context, input).await?;
    Ok(Answer::json(&Policy::of(context.account(), &policy)))
}

pub(crate) async fn get(context: Context, visit: Visit) -> Result<Answer, ApiError> {
    let policy = visit.iam.policy(&context, visit.id()).await?;
    let details = visit.query.flag("details")?.unwrap_or(false);
    Ok(Answer::json(&wire(&context, &visit, &policy, details).await?))
}

pub(crate) async fn put(context: Context, visit: Visit) -> Result<Answer, ApiError> {
    let input = visit.json::<PolicyBody>().map(Into::into);
    let policy = visit.iam.edit_policy(&context, visit.id(), input).await?;
    Ok(Answer::json(&Policy::of(context.account(), &policy)))
}

pub(crate) async fn delete(context: Context, visit: Visit) -> Result<Answer, ApiError> {
    visit.iam.delete_policy(&context, visit.id()).await?;
    Ok(Answer::nothing())
}

//! Deletion of a policy, with the changes of access that it makes.

use std::sync::Arc;

use askama::Template;
use gatewright_iam::{PolicyId, Proposal};

use super::changes::Changes;
use crate::layout::{Layout, Section};
use crate::request::RequestContext;
use crate::response::{HandlerResult, PageResponse};

#[derive(Template)]
#[template(path = "policies/delete.html")]
struct DeletePage {
    layout: Layout,
    id: PolicyId,
    name: String,
    identities: Vec<String>,
    changes: Option<Changes>,
}

pub(super) async fn show(request: Arc<RequestContext>) -> HandlerResult {
    let context = request.context()?;
    let policy = request.iam.policy(&context, request.id_parameter("id")?).await?;
    let proposal = Proposal { id: Some(policy.rule.id), input: None };
    let diffs = request.iam.diffs(&context, Ok(proposal)).await?;
    PageResponse::render(&DeletePage {
        changes: Some(Changes { diffs, fingerprint: String::new() }),
        layout: request.layout(Section::Policies),
        id: policy.rule.id,
        name: policy.name,
        identities: policy.rule.identities,
    })
}

pub(super) async fn delete(request: Arc<RequestContext>) -> HandlerResult {
    let id = request.id_parameter("id")?;
    request.iam.delete_policy(&request.context()?, id).await?;
    PageResponse::redirect("/policies?flash=flash-policy-deleted")
}

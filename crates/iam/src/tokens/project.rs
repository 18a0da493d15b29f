//! Computes the roles of a service account on OpenStack projects, which Keystone reads from an ID
//! token (reference: `clients.md`, section 6).

use std::sync::Arc;

use gatewright_policy::{Instant, ResourceUrn};

use crate::core::iam::Iam;
use crate::model::caller::{Context, Principal};
use crate::model::query_id::QueryId;
use crate::model::token::{ProjectRoles, TokenError};

/// The resource type of projects.
const KIND: &str = "publicCloudProject";

/// The prefix of the actions that stand for roles.
const ACTIONS: &str = "publicCloudProject:openstack:";

/// The name that stands for all projects of an account.
pub(crate) const ALL: &str = "pci";

/// The maximum number of roles in a token, so that it fits into an HTTP header.
const MOST: usize = 64;

/// The maximum number of projects whose roles are determined for one token.
const MOST_PROJECTS: usize = 10_000;

impl Iam {
    /// Parses the target of the roles: `urn:v1:eu:resource:publicCloudProject:pci` for all projects
    /// of the account, or the URN of one.
    pub fn project_target(&self, urn: &str) -> Result<ResourceUrn, TokenError> {
        let urn = ResourceUrn::parse(urn, self.settings.region).ok();
        urn.filter(|urn| urn.resource_type() == KIND).ok_or(TokenError::InvalidTarget)
    }

    /// Returns the roles on the target's projects. Only registered projects count, since one that
    /// nobody registered has no owner.
    pub(crate) async fn project_roles(
        &self,
        principal: &Arc<Principal>,
        target: &ResourceUrn,
        (query_id, now): (QueryId, Instant),
    ) -> Result<ProjectRoles, TokenError> {
        let all = target.name() == ALL;
        let principal = Arc::clone(principal);
        let context = Context { principal, ip: None, query_id, now, conditions: None };
        let mut projects = vec![target.clone()];
        if all {
            let view = self.views.get(context.account()).await?;
            let region = self.settings.region;
            let urns = view.resources.iter().map(|(urn, _)| ResourceUrn::parse(urn, region));
            projects =
                urns.filter_map(Result::ok).filter(|urn| urn.resource_type() == KIND).collect();
            projects.sort_by(|a, b| a.name().cmp(b.name()));
            if projects.len() > MOST_PROJECTS {
                return Err(TokenError::TooManyRoles);
            }
        }
        let mut project_roles = Vec::new();
        let mut roles = Vec::new();
        let catalogue = self.catalogue();
        for project in &projects {
            let decision_context = self.decision_context(&context, project).await?;
            if !decision_context.is_registered {
                continue;
            }
            for action in catalogue.action_names(KIND) {
                let Some(role) = action.strip_prefix(ACTIONS) else { continue };
                if !decision_context.decide(&context, action, project).is_allowed() {
                    continue;
                }
                project_roles.push(format!("{}:{role}", project.name()));
                roles.push(role.to_owned());
                if roles.len() > MOST {
                    return Err(TokenError::TooManyRoles);
                }
            }
        }
        let project = (!all).then(|| target.name().to_owned());
        Ok(ProjectRoles { project, roles: (!all).then_some(roles), project_roles })
    }
}

//! Policies.

use std::collections::BTreeSet;

use gatewright_policy::{
    AccountName, Identity, PolicyId, Region, ResourcePattern, ResourceUrn, Revision, UrnError,
};
use gatewright_store::{Kind, Object};

use crate::core::iam::Iam;
use crate::engine::view::View;
use crate::model::caller::Context;
use crate::model::document::Document;
use crate::model::error::{Fault, IamError};
use crate::model::input::{Input, check_list};
use crate::model::limits::check_number;
use crate::model::page::{Page, PageRequest};
use crate::model::policy::{Attachment, Policy, PolicyFilter, PolicyInput, PolicyTarget};
use crate::model::rights;

const READ_ONLY: &str = "This policy belongs to the server and cannot be changed";

/// The number of policies that are read at once while a filter selects.
const CHUNK: i64 = 1_000;

impl PolicyFilter {
    /// Validates the filter, and canonicalises the URNs of its identities.
    fn check(mut self, region: Region) -> Result<Self, IamError> {
        for urn in &mut self.identities {
            parse_identity("identity", urn, region)?.urn().clone_into(urn);
        }
        for urn in &self.resources {
            ResourcePattern::parse(urn, region)
                .map_err(|error| malformed("resourceURN", urn, error))?;
        }
        Ok(self)
    }

    fn fits(&self, policy: &Policy, view: &View) -> bool {
        if self.read_only.is_some_and(|wanted| wanted != policy.read_only) {
            return false;
        }
        let set = view.policies();
        let Some(compiled) = set.get(policy.rule.id) else {
            return false;
        };
        let action = |action: &String| set.mentions_action(compiled, action);
        let resource =
            |urn: &String| policy.rule.resources.contains(urn) || set.covers(compiled, urn);
        (self.actions.is_empty() || self.actions.iter().any(action))
            && (self.resources.is_empty() || self.resources.iter().any(resource))
    }
}

impl Iam {
    /// Lists the policies of the account that match a filter.
    pub async fn policies(
        &self,
        context: &Context,
        filter: Input<PolicyFilter>,
        page: Input<PageRequest>,
    ) -> Result<Page<Policy>, IamError> {
        self.demand(context, rights::POLICY_GET).await?;
        let filter = filter?.check(self.settings.region)?;
        let page = page?;
        let view = self.views.get(context.account()).await?;
        let enough = page.size() + 1;
        let mut found = Vec::new();
        if filter.identities.is_empty() {
            let mut after = Revision::new(page.after());
            while found.len() < enough {
                let objects = self
                    .store
                    .objects_of_kind(context.account(), Kind::Policy, after, CHUNK)
                    .await?;
                let Some(last) = objects.last() else { break };
                after = last.created;
                take_fitting(&mut found, &objects, &filter, &view)?;
            }
            found.truncate(enough);
        } else {
            let named = filter.identities.iter().flat_map(|urn| view.policies().naming(urn));
            for id in named.collect::<BTreeSet<_>>() {
                let id = id.to_string();
                let object = self.store.object(context.account(), Kind::Policy, &id).await?;
                let object = object.filter(|object| object.created.number() > page.after());
                take_fitting(&mut found, object.as_slice(), &filter, &view)?;
            }
            found.sort_by_key(|(place, _)| *place);
        }
        Ok(page.page(found))
    }

    /// Reads a policy of the account.
    pub async fn policy(&self, context: &Context, id: Input<PolicyId>) -> Result<Policy, IamError> {
        self.demand(context, rights::POLICY_GET).await?;
        self.stored_policy(context.account(), id?).await?.ok_or(IamError::NotFound)
    }

    pub(crate) async fn stored_policy(
        &self,
        account: &AccountName,
        id: PolicyId,
    ) -> Result<Option<Policy>, IamError> {
        let object = self.store.object(account, Kind::Policy, &id.to_string()).await?;
        object.map(|object| Policy::read(&object.document)).transpose()
    }

    /// Creates a policy.
    pub async fn create_policy(
        &self,
        context: &Context,
        input: Input<PolicyInput>,
    ) -> Result<Policy, IamError> {
        self.demand(context, rights::POLICY_CREATE).await?;
        self.demand_grantor(context).await?;
        if let Some(created) = self.created_before(context).await? {
            return Ok(created.document);
        }
        let region = self.settings.region;
        let mut policy = input?.check(self.sources.id()?, region, &self.settings.limits)?;
        policy.created_at = context.now;
        let held = self.views.get(context.account()).await?.policy_count();
        check_number(held, self.settings.limits.policies, "policies, with ovh-default,")?;
        self.check_policy_cost(context.account(), &policy.rule).await?;
        let id = policy.rule.id.to_string();
        let change = policy.create(self.place(context.account(), &id), None)?;
        let made = self.create(context, context.account(), change).await;
        made.map_err(|error| taken(error.into()))?;
        Ok(policy)
    }

    /// Replaces a policy.
    pub async fn edit_policy(
        &self,
        context: &Context,
        id: Input<PolicyId>,
        input: Input<PolicyInput>,
    ) -> Result<Policy, IamError> {
        self.demand(context, rights::POLICY_EDIT).await?;
        self.demand_grantor(context).await?;
        let id = id?;
        let region = self.settings.region;
        let policy = input?.check(id, region, &self.settings.limits)?;
        self.check_policy_cost(context.account(), &policy.rule).await?;
        let key = id.to_string();
        self.change(context, self.place(context.account(), &key), |stored: &mut Policy| {
            if stored.read_only {
                return Err(IamError::ReadOnly(READ_ONLY));
            }
            let created_at = stored.created_at;
            *stored = Policy { created_at, updated_at: Some(context.now), ..policy.clone() };
            Ok(stored.clone())
        })
        .await
        .map_err(taken)
    }

    /// Attaches a policy to an identity, or detaches it; fails with [`IamError::NotFound`] where it is to
    /// be detached and does not name the identity.
    pub async fn set_policy_identity(
        &self,
        context: &Context,
        id: Input<PolicyId>,
        identity: &str,
        attachment: Attachment,
    ) -> Result<Policy, IamError> {
        self.demand(context, rights::POLICY_EDIT).await?;
        let attached = attachment == Attachment::Attached;
        // Detaching may give something as well: the policy may deny.
        self.demand_grantor(context).await?;
        let id = id?;
        let (region, limits) = (self.settings.region, &self.settings.limits);
        let identity = parse_identity("identity", identity, region)?;
        let identity = identity.urn();
        let key = id.to_string();
        if attached {
            self.check_attachment_cost(context.account(), &key, identity).await?;
        }
        self.change(context, self.place(context.account(), &key), |policy: &mut Policy| {
            if policy.read_only {
                return Err(IamError::ReadOnly(READ_ONLY));
            }
            let identities = &mut policy.rule.identities;
            let is_it =
                |urn: &String| Identity::parse(urn, region).is_ok_and(|one| one.urn() == identity);
            match (attachment, identities.iter().any(is_it)) {
                (Attachment::Attached, true) => return Ok(policy.clone()),
                (Attachment::Detached, false) => return Err(IamError::NotFound),
                (Attachment::Attached, false) | (Attachment::Detached, true) => {}
            }
            identities.retain(|urn| !is_it(urn));
            // Detaching always works, whatever the policy holds.
            if attached {
                identities.push(identity.to_owned());
                check_list("identities", identities, limits.entries)?;
                limits.check_rule(&policy.rule)?;
            }
            policy.updated_at = Some(context.now);
            Ok(policy.clone())
        })
        .await
    }

    /// Returns the number of policies of the account that name each of the identities, one for one.
    pub async fn policy_counts(
        &self,
        context: &Context,
        identities: &[&str],
    ) -> Result<Vec<usize>, IamError> {
        self.demand(context, rights::POLICY_GET).await?;
        let view = self.views.get(context.account()).await?;
        Ok(identities.iter().map(|urn| view.policies().naming(urn).len()).collect())
    }

    /// Deletes a policy.
    pub async fn delete_policy(
        &self,
        context: &Context,
        id: Input<PolicyId>,
    ) -> Result<(), IamError> {
        self.demand(context, rights::POLICY_DELETE).await?;
        self.demand_grantor(context).await?;
        let id = id?.to_string();
        self.delete(context, self.place(context.account(), &id), &[], |policy: &Policy| {
            if policy.read_only { Err(IamError::ReadOnly(READ_ONLY)) } else { Ok(()) }
        })
        .await
    }

    /// Resolves the URNs among a policy's resources, one for one. The policy comes from another use
    /// case, which has checked the right to read it.
    pub async fn policy_targets(
        &self,
        context: &Context,
        policy: &Policy,
    ) -> Result<Vec<PolicyTarget>, IamError> {
        let mut targets = Vec::with_capacity(policy.rule.resources.len());
        for urn in &policy.rule.resources {
            targets.push(self.policy_target(context, urn).await?);
        }
        Ok(targets)
    }

    async fn policy_target(&self, context: &Context, urn: &str) -> Result<PolicyTarget, IamError> {
        match ResourcePattern::parse(urn, self.settings.region) {
            Ok(ResourcePattern::Group(id)) => {
                let group = self.find_resource_group(context.account(), id).await?;
                Ok(group.map_or(PolicyTarget::Other, |group| PolicyTarget::Group {
                    id,
                    name: group.name,
                    read_only: group.read_only,
                }))
            }
            Ok(ResourcePattern::One(urn)) => {
                let Ok(urn) = ResourceUrn::parse(&urn, self.settings.region) else {
                    return Ok(PolicyTarget::Other);
                };
                let resource = self.visible_resource(context, &urn).await?;
                Ok(resource.map_or(PolicyTarget::Other, PolicyTarget::Resource))
            }
            _ => Ok(PolicyTarget::Other),
        }
    }
}

fn malformed(name: &str, urn: &str, error: UrnError) -> IamError {
    IamError::invalid(Fault::ResourceUrn, format!("\"{name}\": the URN {urn} {error}"))
}

fn parse_identity(name: &str, urn: &str, region: Region) -> Result<Identity, IamError> {
    Identity::parse(urn, region).map_err(|error| malformed(name, urn, error))
}

fn take_fitting(
    found: &mut Vec<(i64, Policy)>,
    objects: &[Object],
    filter: &PolicyFilter,
    view: &View,
) -> Result<(), IamError> {
    for object in objects {
        let policy = Policy::read(&object.document)?;
        if filter.fits(&policy, view) {
            found.push((object.created.number(), policy));
        }
    }
    Ok(())
}

fn taken(error: IamError) -> IamError {
    match error {
        IamError::Conflict { .. } => IamError::Conflict {
            detail: "POLICY_ALREADY_EXISTS",
            message: "another policy of the account has this name: choose another".to_owned(),
        },
        error => error,
    }
}

//! Policies.

use std::collections::BTreeSet;

use gatewright_policy::{
    Condition, Identity, Permissions, Policy as Rule, PolicyError, Region, ResourcePattern,
    ResourceUrn, UrnError,
};
use gatewright_store::{Content, Kind, Object};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::caller::Context;
use crate::clock;
use crate::error::{Fault, IamError};
use crate::iam::{Iam, Limits};
use crate::input::{Input, check_list, check_name, check_text};
use crate::page::{Page, PageRequest};
use crate::resource::Resource;
use crate::rights;
use crate::view::View;
use crate::write::{create, delete};

/// Names that begin so belong to the server.
pub(crate) const RESERVED: &str = "ovh-";

const READ_ONLY: &str = "This policy belongs to the server and cannot be changed";

/// How many policies are read at once when a filter decides which are wanted.
const CHUNK: i64 = 1_000;

/// A policy of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Policy {
    /// Unique in the account.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Whether it belongs to the server.
    pub read_only: bool,
    /// When it ends, as it was sent.
    pub expired_at: Option<String>,
    /// Microseconds since 1970, UTC.
    pub created_at: i64,
    /// Microseconds since 1970, UTC.
    pub updated_at: Option<i64>,
    /// What it says.
    pub rule: Rule,
}

/// A policy to be made, or what one shall be from now on.
#[derive(Debug, Clone, Default)]
pub struct PolicyInput {
    /// Unique in the account.
    pub name: String,
    /// At most 1024 characters.
    pub description: Option<String>,
    /// URNs of identities.
    pub identities: Vec<String>,
    /// URNs and patterns of resources and resource groups.
    pub resources: Vec<String>,
    /// Its own permissions.
    pub permissions: Permissions,
    /// URNs of permissions groups.
    pub permissions_groups: Vec<String>,
    /// When it has effect.
    pub conditions: Option<Condition>,
    /// RFC 3339; a past one is accepted.
    pub expired_at: Option<String>,
}

/// Which policies are wanted. Of several values of one filter any will do; all filters must fit.
#[derive(Debug, Clone, Default)]
pub struct PolicyFilter {
    /// An `allow` of the policy, or of a group of it, covers one of these actions.
    pub actions: Vec<String>,
    /// The policy names one of these identities.
    pub identities: Vec<String>,
    /// The policy is about one of these resources.
    pub resources: Vec<String>,
    /// Whether it belongs to the server.
    pub read_only: Option<bool>,
}

/// What a URN among a policy's resources stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PolicyTarget {
    /// A resource that is known.
    Resource(Resource),
    /// A resource group that exists.
    Group {
        /// Its identifier.
        id: Uuid,
        /// What it is called.
        name: String,
        /// Whether it belongs to the server.
        read_only: bool,
    },
    /// A pattern, or something that is not known.
    Other,
}

impl PolicyInput {
    pub(crate) fn check(
        self,
        id: Uuid,
        region: Region,
        limits: &Limits,
    ) -> Result<Policy, IamError> {
        check_name("name", &self.name)?;
        if self.name.starts_with(RESERVED) {
            let message = format!("\"name\" must not begin with {RESERVED}, which is reserved");
            return Err(IamError::invalid(Fault::Format, message));
        }
        if let Some(description) = &self.description {
            check_text("description", description, 0, 1024)?;
        }
        let (name, description) = (self.name.clone(), self.description.clone());
        let expired_at = self.expired_at.clone();
        Ok(Policy {
            name,
            description,
            read_only: false,
            expired_at,
            created_at: 0,
            updated_at: None,
            rule: self.rule(id, region, limits)?,
        })
    }

    /// What it says, checked.
    pub(crate) fn rule(
        mut self,
        id: Uuid,
        region: Region,
        limits: &Limits,
    ) -> Result<Rule, IamError> {
        let most = limits.entries;
        check_list("identities", &mut self.identities, most)?;
        check_list("resources", &mut self.resources, most)?;
        check_list("permissionsGroups", &mut self.permissions_groups, most)?;
        check_permissions(&mut self.permissions, most)?;
        let expires = match self.expired_at.as_deref() {
            None => None,
            Some(text) => Some(clock::parse(text).ok_or_else(|| {
                let message = "\"expiredAt\" must be a date and time like 2026-12-31T23:59:59Z";
                IamError::invalid(Fault::Format, message)
            })?),
        };
        let rule = Rule { id, expires, ..self.into_rule() };
        rule.compile(region).map_err(|error| refusal(&error))?;
        Ok(rule)
    }

    /// What it says, unchecked.
    pub(crate) fn into_rule(self) -> Rule {
        Rule {
            id: Uuid::nil(),
            identities: self.identities,
            resources: self.resources,
            permissions: self.permissions,
            permissions_groups: self.permissions_groups,
            conditions: self.conditions,
            expires: None,
        }
    }
}

impl From<Policy> for PolicyInput {
    fn from(policy: Policy) -> Self {
        Self {
            name: policy.name,
            description: policy.description,
            identities: policy.rule.identities,
            resources: policy.rule.resources,
            permissions: policy.rule.permissions,
            permissions_groups: policy.rule.permissions_groups,
            conditions: policy.rule.conditions,
            expired_at: policy.expired_at,
        }
    }
}

/// Keeps the first of equal actions, and refuses lists that are too long.
pub(crate) fn check_permissions(
    permissions: &mut Permissions,
    most: usize,
) -> Result<(), IamError> {
    check_list("permissions.allow", &mut permissions.allow, most)?;
    check_list("permissions.except", &mut permissions.except, most)?;
    check_list("permissions.deny", &mut permissions.deny, most)
}

fn refusal(error: &PolicyError) -> IamError {
    let fault = match error {
        PolicyError::Resource { .. } | PolicyError::PermissionsGroup { .. } => Fault::ResourceUrn,
        _ => Fault::Format,
    };
    IamError::invalid(fault, error.to_string())
}

impl Policy {
    fn read(object: &Object) -> Result<Self, IamError> {
        Ok(serde_json::from_str(&object.document)?)
    }

    /// What is stored, with the other accounts that it names.
    pub(crate) fn content(&self, account: &str, region: Region) -> Result<Content, IamError> {
        let named = self.rule.identities.iter();
        let named = named.filter_map(|urn| Identity::parse(urn, region).ok());
        let others: BTreeSet<String> =
            named.map(|one| one.account().to_owned()).filter(|one| one != account).collect();
        Ok(Content {
            name: Some(self.name.clone()),
            document: serde_json::to_string(self)?,
            mentions: others.into_iter().collect(),
        })
    }
}

impl PolicyFilter {
    /// The filter in its canonical form.
    fn check(mut self, region: Region) -> Result<Self, IamError> {
        let refused = |name: &str, urn: &str, error: UrnError| {
            IamError::invalid(Fault::ResourceUrn, format!("\"{name}\": the URN {urn} {error}"))
        };
        for urn in &mut self.identities {
            let identity =
                Identity::parse(urn, region).map_err(|error| refused("identity", urn, error))?;
            identity.urn().clone_into(urn);
        }
        for urn in &self.resources {
            ResourcePattern::parse(urn, region)
                .map_err(|error| refused("resourceURN", urn, error))?;
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
    /// The policies of the account that fit the filter.
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
            let mut after = page.after();
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
                let object = object.filter(|object| object.created > page.after());
                take_fitting(&mut found, object.as_slice(), &filter, &view)?;
            }
            found.sort_by_key(|(place, _)| *place);
        }
        Ok(page.page(found))
    }

    /// A policy of the account.
    pub async fn policy(&self, context: &Context, id: Input<Uuid>) -> Result<Policy, IamError> {
        self.demand(context, rights::POLICY_GET).await?;
        self.stored_policy(context.account(), id?).await?.ok_or(IamError::NotFound)
    }

    pub(crate) async fn stored_policy(
        &self,
        account: &str,
        id: Uuid,
    ) -> Result<Option<Policy>, IamError> {
        let object = self.store.object(account, Kind::Policy, &id.to_string()).await?;
        object.as_ref().map(Policy::read).transpose()
    }

    /// Makes a policy.
    pub async fn create_policy(
        &self,
        context: &Context,
        input: Input<PolicyInput>,
    ) -> Result<Policy, IamError> {
        self.demand(context, rights::POLICY_CREATE).await?;
        let region = self.settings.region;
        let mut policy = input?.check(Uuid::now_v7(), region, &self.settings.limits)?;
        policy.created_at = context.now;
        let most = self.settings.limits.policies;
        if self.views.get(context.account()).await?.policy_count() >= most {
            let message = format!("the account has {most} policies already: delete some");
            return Err(IamError::invalid(Fault::Parameter, message));
        }
        let content = policy.content(context.account(), region)?;
        let change = create(Kind::Policy, policy.rule.id.to_string(), content);
        self.write(context, vec![change]).await.map_err(taken)?;
        Ok(policy)
    }

    /// Replaces all of a policy.
    pub async fn edit_policy(
        &self,
        context: &Context,
        id: Input<Uuid>,
        input: Input<PolicyInput>,
    ) -> Result<Policy, IamError> {
        self.demand(context, rights::POLICY_EDIT).await?;
        let id = id?;
        let region = self.settings.region;
        let policy = input?.check(id, region, &self.settings.limits)?;
        let key = id.to_string();
        self.change(context.account(), context, (Kind::Policy, &key), |object| {
            let before = Policy::read(object)?;
            if before.read_only {
                return Err(IamError::ReadOnly(READ_ONLY));
            }
            let mut policy = policy.clone();
            policy.created_at = before.created_at;
            policy.updated_at = Some(context.now);
            Ok((policy.content(context.account(), region)?, policy))
        })
        .await
        .map_err(taken)
    }

    /// Makes a policy name an identity, or no longer name it.
    pub async fn set_policy_identity(
        &self,
        context: &Context,
        id: Input<Uuid>,
        identity: &str,
        named: bool,
    ) -> Result<Policy, IamError> {
        self.demand(context, rights::POLICY_EDIT).await?;
        let id = id?;
        let (region, limits) = (self.settings.region, &self.settings.limits);
        let key = id.to_string();
        self.change(context.account(), context, (Kind::Policy, &key), |object| {
            let mut policy = Policy::read(object)?;
            if policy.read_only {
                return Err(IamError::ReadOnly(READ_ONLY));
            }
            let identities = &mut policy.rule.identities;
            let is_it =
                |urn: &String| Identity::parse(urn, region).is_ok_and(|one| one.urn() == identity);
            if identities.iter().any(is_it) == named {
                return Ok((policy.content(context.account(), region)?, policy));
            }
            identities.retain(|urn| !is_it(urn));
            if named {
                identities.push(identity.to_owned());
            }
            check_list("identities", identities, limits.entries)?;
            policy.rule.compile(region).map_err(|error| refusal(&error))?;
            policy.updated_at = Some(context.now);
            Ok((policy.content(context.account(), region)?, policy))
        })
        .await
    }

    /// How many policies of the account name each of the identities, one for one.
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
    pub async fn delete_policy(&self, context: &Context, id: Input<Uuid>) -> Result<(), IamError> {
        self.demand(context, rights::POLICY_DELETE).await?;
        let id = id?.to_string();
        let object = self.store.object(context.account(), Kind::Policy, &id).await?;
        if Policy::read(&object.ok_or(IamError::NotFound)?)?.read_only {
            return Err(IamError::ReadOnly(READ_ONLY));
        }
        self.write(context, vec![delete(Kind::Policy, &id)]).await
    }

    /// What the URNs among a policy's resources stand for, one for one. The policy comes from
    /// another use case, which has checked the right to read it.
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

fn take_fitting(
    found: &mut Vec<(i64, Policy)>,
    objects: &[Object],
    filter: &PolicyFilter,
    view: &View,
) -> Result<(), IamError> {
    for object in objects {
        let policy = Policy::read(object)?;
        if filter.fits(&policy, view) {
            found.push((object.created, policy));
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

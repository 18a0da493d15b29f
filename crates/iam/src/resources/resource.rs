//! Resources and their tags.

use std::collections::BTreeMap;

use gatewright_policy::{AccountName, ResourceUrn, Tags};
use gatewright_store::{StoreError, Taken};

use crate::core::authorize::DecisionContext;
use crate::core::iam::Iam;
use crate::model::caller::Context;
use crate::model::document::Document;
use crate::model::error::{Fault, IamError};
use crate::model::input::{Input, check_label, check_visible};
use crate::model::limits::{RESOURCE_TYPE_BYTES, TAGS, URN_BYTES, check_bytes, check_number};
use crate::model::resource::{
    NewResource, Resource, ResourceDocument, check_reserved, check_tag, is_system_tag, system_tag,
};
use crate::model::rights;

impl Iam {
    pub(super) fn resource_urn(&self, text: &str) -> Result<ResourceUrn, IamError> {
        let region = self.settings.region;
        ResourceUrn::parse(text, region).map_err(|error| {
            let message =
                format!("the URN {text} {error}, expected urn:v1:{region}:resource:type:name");
            IamError::invalid(Fault::ResourceUrn, message)
        })
    }

    /// Finds a resource of the caller's account, or one of another account on which the caller has
    /// any permission: naming another account's resource must reveal nothing about it.
    pub(crate) async fn visible_resource(
        &self,
        context: &Context,
        urn: &ResourceUrn,
    ) -> Result<Option<Resource>, IamError> {
        match self.find_resource(context.account(), urn).await? {
            Some(found) if found.owner == *context.account() => Ok(Some(found)),
            Some(found) if self.has_access(context, urn).await? => Ok(Some(found)),
            _ => Ok(None),
        }
    }

    /// Finds a resource in memory, whichever account owns it.
    async fn find_resource(
        &self,
        account: &AccountName,
        urn: &ResourceUrn,
    ) -> Result<Option<Resource>, IamError> {
        let mut view = self.views.get(account).await?;
        if view.resources.get(urn.urn()).is_none() {
            match self.views.owner_of(urn.urn()).await? {
                Some(owner) => view = self.views.get(&owner).await?,
                None => return Ok(None),
            }
        }
        let document = view.resources.get(urn.urn());
        document.map(|one| one.resource(urn.clone(), view.policies().owner())).transpose()
    }

    /// Reads a resource on which the caller has any permission.
    pub async fn resource(&self, context: &Context, urn: &str) -> Result<Resource, IamError> {
        let urn = self.resource_urn(urn)?;
        let found = self.find_resource(context.account(), &urn).await?;
        match found {
            Some(resource) if self.has_access(context, &urn).await? => Ok(resource),
            // A resource that the caller may not see gets the same answer as one that does not
            // exist.
            _ => Err(IamError::NotFound),
        }
    }

    /// Registers a resource.
    ///
    /// Where the installation names registrars, only their principals may, and for any account.
    pub async fn create_resource(
        &self,
        context: &Context,
        input: Input<NewResource>,
    ) -> Result<Resource, IamError> {
        self.demand(context, rights::RESOURCE_CREATE).await?;
        let registrar = self.demand_registrar(context, rights::RESOURCE_CREATE)?;
        if let Some(created) = self.created_before::<ResourceDocument>(context).await? {
            let urn = self.resource_urn(&created.id)?;
            return created.document.resource(urn, &created.owner);
        }
        let input = input?;
        check_bytes("urn", &input.urn, URN_BYTES)?;
        let urn = self.resource_urn(&input.urn)?;
        check_bytes("type", urn.resource_type(), RESOURCE_TYPE_BYTES)?;
        let owner = input.owner.unwrap_or_else(|| context.account().to_owned());
        if owner != *context.account() && !registrar {
            let message = "\"owner\" must be your own account";
            return Err(IamError::invalid(Fault::Parameter, message));
        }
        if owner == *context.account() && !input.tags.is_empty() {
            self.demand_tags(context, &urn, rights::tag_add).await?;
        }
        if urn.resource_type() == "account" {
            let message = "a resource of type account is made with the account itself";
            return Err(IamError::invalid(Fault::Parameter, message));
        }
        let display_name = input.display_name.unwrap_or_else(|| urn.name().to_owned());
        check_visible("urn", urn.urn())?;
        check_label("displayName", &display_name, 255)?;
        self.check_tags(&input.tags)?;
        if !registrar {
            input.tags.keys().try_for_each(|key| check_reserved(key))?;
        }
        let no_account = || {
            let message = format!("\"owner\": there is no account {owner}");
            IamError::invalid(Fault::Parameter, message)
        };
        let held = match self.views.get(&owner).await {
            Err(IamError::NotFound) => return Err(no_account()),
            view => view?.resources.len(),
        };
        check_number(held, self.settings.limits.resources, "resources")?;
        let document = ResourceDocument { display_name, tags: input.tags, created_at: context.now };
        let change = document.create(self.place(&owner, urn.urn()), None)?;
        match self.create(context, &owner, change).await {
            Ok(()) => document.resource(urn, &owner),
            Err(StoreError::Taken(Taken::Id | Taken::Name)) => Err(IamError::Conflict {
                detail: "AlreadyExists",
                message: format!("the resource {urn} exists already"),
            }),
            Err(StoreError::Missing) => Err(no_account()),
            Err(error) => Err(error.into()),
        }
    }

    /// Deletes the registration of a resource, with its tags. Policies that name it keep the URN.
    pub async fn delete_resource(&self, context: &Context, urn: &str) -> Result<(), IamError> {
        self.demand(context, rights::RESOURCE_DELETE).await?;
        let registrar = self.demand_registrar(context, rights::RESOURCE_DELETE)?;
        let urn = self.resource_urn(urn)?;
        if urn.resource_type() == "account" {
            return Err(IamError::ReadOnly("The resource of an account goes with the account"));
        }
        let found = self.find_resource(context.account(), &urn).await?;
        let found = found.filter(|one| registrar || one.owner == *context.account());
        let Resource { owner, tags, .. } = found.ok_or(IamError::NotFound)?;
        if owner == *context.account() && !tags.is_empty() {
            self.demand_tags(context, &urn, rights::tag_remove).await?;
        }
        let is_checked = owner != *context.account() || !tags.is_empty();
        let place = self.place(&owner, urn.urn());
        self.delete(context, place, &[], |document: &ResourceDocument| {
            // Tags may have been added since: a right that was not checked must not be used now.
            if is_checked || document.tags.is_empty() {
                return Ok(());
            }
            Err(IamError::Unavailable(StoreError::Stale))
        })
        .await
    }

    /// Replaces all tags but the system's.
    pub async fn set_tags(
        &self,
        context: &Context,
        urn: &str,
        tags: Input<Option<BTreeMap<String, String>>>,
    ) -> Result<Resource, IamError> {
        self.demand(context, rights::RESOURCE_EDIT).await?;
        let (urn, tags) = (self.resource_urn(urn)?, tags?);
        let Some(tags) = tags else {
            let resource = self.resource(context, urn.urn()).await?;
            context.check_precondition(|| Ok(Some(resource.tag.clone())))?;
            return Ok(resource);
        };
        self.check_tags(&tags)?;
        let decision_context = self.decision_context(context, &urn).await?;
        let nothing = Tags::new();
        let there =
            decision_context.owner.resources.get(urn.urn()).map_or(&nothing, |one| &one.tags);
        let mine = |key: &str| !is_system_tag(key);
        let adds_to = |there: &Tags| tags.iter().any(|(key, value)| there.get(key) != Some(value));
        let removes_from =
            |there: &Tags| there.keys().any(|key| mine(key) && !tags.contains_key(key));
        let (adds, removes) = (adds_to(there), removes_from(there));
        let add = rights::tag_add(urn.resource_type());
        let remove = rights::tag_remove(urn.resource_type());
        let required = [(adds, add.as_str()), (removes, remove.as_str())];
        let required = required.into_iter().filter(|(is_required, _)| *is_required);
        self.demand_all(context, required.map(|(_, action)| (&decision_context, action, &urn)))?;
        self.edit_tags(context, &decision_context, &urn, |there| {
            // The tags may have changed since then: a right that was not checked must not be used
            // now.
            if (adds_to(there) && !adds) || (removes_from(there) && !removes) {
                return Err(IamError::Unavailable(StoreError::Stale));
            }
            let changed = tags.iter().filter(|(key, value)| there.get(*key) != Some(*value));
            changed.map(|(key, _)| key).try_for_each(|key| check_reserved(key))?;
            let system = there.iter().filter(|(key, _)| !mine(key));
            let mut next = tags.clone();
            next.extend(system.map(|(key, value)| (key.clone(), value.clone())));
            Ok(next)
        })
        .await
    }

    /// Adds a tag, or replaces its value.
    pub async fn add_tag(
        &self,
        context: &Context,
        urn: &str,
        tag: Input<(String, String)>,
    ) -> Result<Resource, IamError> {
        let parsed = self.resource_urn(urn);
        self.demand_tag(context, rights::TAG_ADD, parsed.as_ref().ok(), rights::tag_add).await?;
        let (urn, (key, value)) = (parsed?, tag?);
        check_tag(&key, &value)?;
        check_reserved(&key)?;
        let decision_context = self.decision_context(context, &urn).await?;
        self.edit_tags(context, &decision_context, &urn, |there| {
            let mut next = there.clone();
            next.insert(key.clone(), value.clone());
            self.check_tags(&next)?;
            Ok(next)
        })
        .await
    }

    /// Removes a tag; succeeds where there is none.
    pub async fn remove_tag(
        &self,
        context: &Context,
        urn: &str,
        key: &str,
    ) -> Result<(), IamError> {
        let parsed = self.resource_urn(urn);
        let right = rights::TAG_REMOVE;
        self.demand_tag(context, right, parsed.as_ref().ok(), rights::tag_remove).await?;
        let urn = parsed?;
        if is_system_tag(key) {
            return Err(system_tag(key));
        }
        let decision_context = self.decision_context(context, &urn).await?;
        self.edit_tags(context, &decision_context, &urn, |there| {
            let mut next = there.clone();
            next.remove(key);
            Ok(next)
        })
        .await
        .map(drop)
    }

    /// Checks the right to change a tag, on the caller's account and on the resource.
    async fn demand_tag(
        &self,
        context: &Context,
        right: &str,
        urn: Option<&ResourceUrn>,
        on_resource: impl Fn(&str) -> String,
    ) -> Result<(), IamError> {
        let account = self.account_urn(context.account());
        let home = self.decision_context(context, &account).await?;
        let Some(urn) = urn else {
            return self.demand_all(context, [(&home, right, &account)]);
        };
        let decision_context = self.decision_context(context, urn).await?;
        let on_resource = on_resource(urn.resource_type());
        self.demand_all(
            context,
            [(&home, right, &account), (&decision_context, on_resource.as_str(), urn)],
        )
    }

    /// Checks the right to change tags on a resource of the caller's account that appears or goes with
    /// its tags: else deleting and registering it again would change them past a policy.
    async fn demand_tags(
        &self,
        context: &Context,
        urn: &ResourceUrn,
        on_resource: impl Fn(&str) -> String,
    ) -> Result<(), IamError> {
        let decision_context = self.decision_context(context, urn).await?;
        let action = on_resource(urn.resource_type());
        self.demand_all(context, [(&decision_context, action.as_str(), urn)])
    }

    /// Returns whether the caller may register resources of other accounts. Refused where only
    /// registrars may register and the caller is none.
    fn demand_registrar(&self, context: &Context, right: &str) -> Result<bool, IamError> {
        let registrars = &self.settings.registrars;
        let registrar = registrars.iter().any(|account| account == context.account());
        if registrar || registrars.is_empty() {
            return Ok(registrar);
        }
        Err(IamError::Forbidden { by_policy: vec![right.to_owned()], by_scope: Vec::new() })
    }

    fn check_tags(&self, tags: &Tags) -> Result<(), IamError> {
        let most = self.settings.limits.entries.min(TAGS);
        if tags.len() > most {
            let message = format!("a resource must have at most {most} tags");
            return Err(IamError::invalid(Fault::TooLong, message));
        }
        tags.iter().try_for_each(|(key, value)| check_tag(key, value))
    }

    async fn edit_tags(
        &self,
        context: &Context,
        decision_context: &DecisionContext,
        urn: &ResourceUrn,
        edit: impl Fn(&Tags) -> Result<Tags, IamError>,
    ) -> Result<Resource, IamError> {
        if !decision_context.is_registered || !self.has_access(context, urn).await? {
            return Err(IamError::NotFound);
        }
        let owner = decision_context.owner.policies().owner();
        let place = self.place(owner, urn.urn());
        self.change(context, place, |document: &mut ResourceDocument| {
            document.tags = edit(&document.tags)?;
            document.resource(urn.clone(), owner)
        })
        .await
    }
}

//! Permissions groups: named sets of permissions, which policies refer to by URN.

use gatewright_policy::{AccountName, PermissionsGroupId, Revision, permissions_group_urn};
use gatewright_store::{Kind, Object};

use crate::catalogue::action::ManagedGroup;
use crate::core::iam::Iam;
use crate::model::caller::Context;
use crate::model::document::Document;
use crate::model::error::{Fault, IamError};
use crate::model::input::Input;
use crate::model::limits::check_number;
use crate::model::page::{Page, PageRequest};
use crate::model::permissions_group::{
    MANAGED_OWNER, PermissionsGroup, PermissionsGroupDocument, PermissionsGroupInput,
};
use crate::model::policy::Policy;
use crate::model::precondition::EntityTag;
use crate::model::rights;

const READ_ONLY: &str = "This permissions group belongs to the server and cannot be changed";

/// The permissions group that a URN names.
enum PermissionsGroupName {
    Managed(String),
    Own(String),
}

impl Iam {
    fn managed_group(&self, group: &ManagedGroup) -> Result<PermissionsGroup, IamError> {
        let about = (&group.name, &group.description, group.created_at, group.updated_at);
        Ok(PermissionsGroup {
            tag: EntityTag::of(Kind::PermissionsGroup, &(about, &group.permissions))?,
            id: group.id,
            urn: permissions_group_urn(self.settings.region, &MANAGED_OWNER, &group.name),
            name: group.name.clone(),
            owner: MANAGED_OWNER.clone(),
            description: group.description.clone(),
            permissions: group.permissions.clone(),
            created_at: group.created_at,
            updated_at: group.updated_at,
        })
    }

    fn own_group(
        &self,
        owner: &AccountName,
        id: &str,
        document: PermissionsGroupDocument,
    ) -> Result<PermissionsGroup, IamError> {
        Ok(PermissionsGroup {
            tag: document.tag(self.place(owner, id))?,
            id: id.parse().map_err(IamError::internal)?,
            urn: permissions_group_urn(self.settings.region, owner, &document.name),
            name: document.name,
            owner: owner.clone(),
            description: document.description,
            permissions: document.permissions,
            created_at: Some(document.created_at),
            updated_at: document.updated_at,
        })
    }

    /// Parses the URN of a permissions group of the server or of the account.
    fn parse_group_urn(
        &self,
        account: &AccountName,
        urn: &str,
    ) -> Result<PermissionsGroupName, IamError> {
        let region = self.settings.region;
        // An empty region means the region of the server.
        let rest = [region.as_str(), ""]
            .into_iter()
            .find_map(|region| urn.strip_prefix(&format!("urn:v1:{region}:permissionsGroup:")));
        let (owner, name) = rest.and_then(|rest| rest.split_once(':')).ok_or_else(|| {
            let message = format!(
                "the URN {urn} is malformed, expected urn:v1:{region}:permissionsGroup:owner:name"
            );
            IamError::invalid(Fault::ResourceUrn, message)
        })?;
        match owner {
            owner if owner == MANAGED_OWNER.as_str() => {
                Ok(PermissionsGroupName::Managed(name.to_owned()))
            }
            owner if owner == account.as_str() => Ok(PermissionsGroupName::Own(name.to_owned())),
            _ => Err(IamError::NotFound),
        }
    }

    /// Lists the managed permissions groups of the server, then those of the account.
    pub async fn permissions_groups(
        &self,
        context: &Context,
        page: Input<PageRequest>,
    ) -> Result<Page<PermissionsGroup>, IamError> {
        self.demand(context, rights::PERMISSIONS_GROUP_GET).await?;
        let page = page?;
        let catalogue = self.catalogue();
        let managed = (1..).zip(catalogue.groups());
        let managed = managed.map(|(place, group)| Ok((place, self.managed_group(group)?)));
        let mut found: Vec<(i64, PermissionsGroup)> = managed.collect::<Result<_, IamError>>()?;
        // Those of the account come after the server's: their positions begin where those end.
        let shift = i64::try_from(found.len()).unwrap_or(i64::MAX);
        found.retain(|(place, _)| *place > page.after());
        let after = Revision::new((page.after() - shift).max(0));
        let most = i64::try_from(page.size() + 1).unwrap_or(i64::MAX);
        let account = context.account();
        let kind = Kind::PermissionsGroup;
        for object in self.store.objects_of_kind(account, kind, after, most).await? {
            let document = PermissionsGroupDocument::read(&object.document)?;
            found.push((
                object.created.number() + shift,
                self.own_group(account, &object.id, document)?,
            ));
        }
        Ok(page.page(found))
    }

    /// Reads a permissions group by its URN.
    pub async fn permissions_group(
        &self,
        context: &Context,
        urn: &str,
    ) -> Result<PermissionsGroup, IamError> {
        self.demand(context, rights::PERMISSIONS_GROUP_GET).await?;
        self.find_permissions_group(context.account(), urn).await?.ok_or(IamError::NotFound)
    }

    /// Returns the permissions groups that a policy names, one for one; none for those that no
    /// longer exist. The policy comes from another use case, which has checked the right to read
    /// it.
    pub async fn policy_groups(
        &self,
        context: &Context,
        policy: &Policy,
    ) -> Result<Vec<Option<PermissionsGroup>>, IamError> {
        let mut groups = Vec::with_capacity(policy.rule.permissions_groups.len());
        for urn in &policy.rule.permissions_groups {
            groups.push(match self.find_permissions_group(context.account(), urn).await {
                Err(IamError::NotFound) => None,
                found => found?,
            });
        }
        Ok(groups)
    }

    async fn find_permissions_group(
        &self,
        account: &AccountName,
        urn: &str,
    ) -> Result<Option<PermissionsGroup>, IamError> {
        match self.parse_group_urn(account, urn)? {
            PermissionsGroupName::Managed(name) => {
                self.catalogue().group(&name).map(|group| self.managed_group(group)).transpose()
            }
            PermissionsGroupName::Own(name) => {
                let kind = Kind::PermissionsGroup;
                let Some(object) = self.store.object_by_name(account, kind, &name).await? else {
                    return Ok(None);
                };
                let document = PermissionsGroupDocument::read(&object.document)?;
                self.own_group(account, &object.id, document).map(Some)
            }
        }
    }

    /// Creates a permissions group.
    pub async fn create_permissions_group(
        &self,
        context: &Context,
        input: Input<PermissionsGroupInput>,
    ) -> Result<PermissionsGroup, IamError> {
        self.demand(context, rights::PERMISSIONS_GROUP_CREATE).await?;
        self.demand_grantor(context).await?;
        if let Some(created) = self.created_before(context).await? {
            return self.own_group(&created.owner, &created.id, created.document);
        }
        let mut document = input?.check(&self.settings.limits)?;
        document.created_at = context.now;
        let held = self.views.get(context.account()).await?.permissions_group_count();
        check_number(held, self.settings.limits.permissions_groups, "permissions groups")?;
        let urn = permissions_group_urn(self.settings.region, context.account(), &document.name);
        self.check_permissions_group_cost(context.account(), &urn, &document.permissions).await?;
        let id = self.sources.id::<PermissionsGroupId>()?.to_string();
        let change = document.create(self.place(context.account(), &id), None)?;
        self.create(context, context.account(), change).await?;
        self.own_group(context.account(), &id, document)
    }

    /// Replaces a permissions group. A new name changes its URN, so it is refused while policies
    /// name the group by the old one.
    pub async fn edit_permissions_group(
        &self,
        context: &Context,
        urn: &str,
        input: Input<PermissionsGroupInput>,
    ) -> Result<PermissionsGroup, IamError> {
        self.demand(context, rights::PERMISSIONS_GROUP_EDIT).await?;
        self.demand_grantor(context).await?;
        let after = input?.check(&self.settings.limits)?;
        let account = context.account();
        let object = self.own_permissions_group(account, urn).await?;
        let new_urn = permissions_group_urn(self.settings.region, account, &after.name);
        self.check_permissions_group_cost(account, &new_urn, &after.permissions).await?;
        let view = self.views.get(account).await?;
        let place = self.place(account, &object.id);
        self.change(context, place, |document: &mut PermissionsGroupDocument| {
            let before = document.clone();
            let urn = permissions_group_urn(self.settings.region, account, &before.name);
            if before.name != after.name && view.policies().uses_permissions_group(&urn) {
                let message = "\"name\" cannot be changed while policies use this permissions \
                               group: take it out of them first";
                return Err(IamError::invalid(Fault::Parameter, message));
            }
            *document = PermissionsGroupDocument {
                created_at: before.created_at,
                updated_at: Some(context.now),
                ..after.clone()
            };
            self.own_group(account, &object.id, document.clone())
        })
        .await
    }

    /// Deletes a permissions group; policies that name it get no permissions from it any more.
    pub async fn delete_permissions_group(
        &self,
        context: &Context,
        urn: &str,
    ) -> Result<(), IamError> {
        self.demand(context, rights::PERMISSIONS_GROUP_DELETE).await?;
        self.demand_grantor(context).await?;
        let object = self.own_permissions_group(context.account(), urn).await?;
        let place = self.place(context.account(), &object.id);
        self.delete(context, place, &[], |_: &PermissionsGroupDocument| Ok(())).await
    }

    /// Finds a permissions group that the account may change; those of the server are refused.
    async fn own_permissions_group(
        &self,
        account: &AccountName,
        urn: &str,
    ) -> Result<Object, IamError> {
        match self.parse_group_urn(account, urn)? {
            PermissionsGroupName::Managed(_) => Err(IamError::ReadOnly(READ_ONLY)),
            PermissionsGroupName::Own(name) => {
                let kind = Kind::PermissionsGroup;
                let object = self.store.object_by_name(account, kind, &name).await?;
                object.ok_or(IamError::NotFound)
            }
        }
    }
}

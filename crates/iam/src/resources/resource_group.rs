//! Resource groups: sets of resources under an identifier, which policies refer to by URN.

use gatewright_policy::{AccountName, ResourceGroupId, ResourceId, ResourceUrn, Revision};
use gatewright_store::{Kind, Object};

use crate::core::iam::Iam;
use crate::model::caller::Context;
use crate::model::document::Document;
use crate::model::error::{Fault, IamError};
use crate::model::input::{Input, check_list, check_name, check_visible};
use crate::model::limits::check_number;
use crate::model::page::{Page, PageRequest};
use crate::model::resource::{Resource, resource_id};
use crate::model::resource_group::{
    Member, ResourceGroup, ResourceGroupDocument, ResourceGroupInput, canonical,
};
use crate::model::rights;

const READ_ONLY: &str = "This resource group belongs to the server and cannot be changed";

impl Iam {
    /// Lists the resource groups of the account.
    pub async fn resource_groups(
        &self,
        context: &Context,
        page: Input<PageRequest>,
    ) -> Result<Page<ResourceGroup>, IamError> {
        self.demand(context, rights::RESOURCE_GROUP_GET).await?;
        let page = page?;
        let most = i64::try_from(page.size() + 1).unwrap_or(i64::MAX);
        let kind = Kind::ResourceGroup;
        let objects = self
            .store
            .objects_of_kind(context.account(), kind, Revision::new(page.after()), most)
            .await?;
        let mut found = Vec::with_capacity(objects.len());
        for object in &objects {
            found.push((object.created.number(), self.group_of(object).await?));
        }
        Ok(page.page(found))
    }

    /// Reads a resource group of the account.
    pub async fn resource_group(
        &self,
        context: &Context,
        id: Input<ResourceGroupId>,
    ) -> Result<ResourceGroup, IamError> {
        self.demand(context, rights::RESOURCE_GROUP_GET).await?;
        self.find_resource_group(context.account(), id?).await?.ok_or(IamError::NotFound)
    }

    pub(crate) async fn find_resource_group(
        &self,
        account: &AccountName,
        id: ResourceGroupId,
    ) -> Result<Option<ResourceGroup>, IamError> {
        let object = self.store.object(account, Kind::ResourceGroup, &id.to_string()).await?;
        match object {
            None => Ok(None),
            Some(object) => self.group_of(&object).await.map(Some),
        }
    }

    /// Returns the details of the resources of a group, one for one. The group comes from another
    /// use case, which has checked the right to read it.
    pub async fn resource_group_details(
        &self,
        context: &Context,
        group: &ResourceGroup,
    ) -> Result<Vec<(ResourceUrn, Option<Resource>)>, IamError> {
        let mut details = Vec::with_capacity(group.resources.len());
        for urn in &group.resources {
            let urn = ResourceUrn::parse(urn, self.settings.region).map_err(IamError::internal)?;
            let resource = self.visible_resource(context, &urn).await?;
            details.push((urn, resource));
        }
        Ok(details)
    }

    /// Creates a resource group.
    pub async fn create_resource_group(
        &self,
        context: &Context,
        input: Input<ResourceGroupInput>,
    ) -> Result<ResourceGroup, IamError> {
        self.demand(context, rights::RESOURCE_GROUP_CREATE).await?;
        // A policy may be about every resource group.
        self.demand_grantor(context).await?;
        if let Some(created) = self.created_before(context).await? {
            return self.shown_group(&created.owner, &created.id, created.document).await;
        }
        let document = self.checked(context, input?, &[]).await?;
        let held = self.views.get(context.account()).await?.policies().resource_group_count();
        check_number(held, self.settings.limits.resource_groups, "resource groups, with ovh-all,")?;
        let id = self.sources.id::<ResourceGroupId>()?;
        let change = document.create(self.place(context.account(), &id.to_string()), None)?;
        self.create(context, context.account(), change).await?;
        self.find_resource_group(context.account(), id).await?.ok_or(IamError::NotFound)
    }

    /// Replaces the name and all resources of a resource group.
    pub async fn edit_resource_group(
        &self,
        context: &Context,
        id: Input<ResourceGroupId>,
        input: Input<ResourceGroupInput>,
    ) -> Result<ResourceGroup, IamError> {
        self.demand(context, rights::RESOURCE_GROUP_EDIT).await?;
        self.demand_grantor(context).await?;
        let (id, input) = (id?, input?);
        let account = context.account();
        check_name("name", &input.name)?;
        let there = self.find_resource_group(account, id).await?.ok_or(IamError::NotFound)?;
        if there.read_only {
            return Err(IamError::ReadOnly(READ_ONLY));
        }
        let after = self.checked(context, input, &there.resources).await?;
        let key = id.to_string();
        self.change(context, self.place(account, &key), |group: &mut ResourceGroupDocument| {
            let created_at = group.created_at;
            let updated_at = Some(context.now);
            *group = ResourceGroupDocument { created_at, updated_at, ..after.clone() };
            Ok(())
        })
        .await?;
        self.find_resource_group(account, id).await?.ok_or(IamError::NotFound)
    }

    /// Deletes a resource group; policies that name it cover no resource by it any more.
    pub async fn delete_resource_group(
        &self,
        context: &Context,
        id: Input<ResourceGroupId>,
    ) -> Result<(), IamError> {
        self.demand(context, rights::RESOURCE_GROUP_DELETE).await?;
        self.demand_grantor(context).await?;
        let id = id?.to_string();
        let place = self.place(context.account(), &id);
        self.delete(context, place, &[], |group: &ResourceGroupDocument| {
            if group.read_only { Err(IamError::ReadOnly(READ_ONLY)) } else { Ok(()) }
        })
        .await
    }

    async fn group_of(&self, object: &Object) -> Result<ResourceGroup, IamError> {
        let document = ResourceGroupDocument::read(&object.document)?;
        self.shown_group(&object.account, &object.id, document).await
    }

    async fn shown_group(
        &self,
        owner: &AccountName,
        id: &str,
        document: ResourceGroupDocument,
    ) -> Result<ResourceGroup, IamError> {
        let tag = document.tag(self.place(owner, id))?;
        let resources = if document.everything {
            let view = self.views.get(owner).await?;
            let mut urns: Vec<String> =
                view.resources.iter().map(|(urn, _)| urn.to_owned()).collect();
            urns.sort_unstable();
            urns
        } else {
            document.resources
        };
        Ok(ResourceGroup {
            id: id.parse().map_err(IamError::internal)?,
            name: document.name,
            owner: owner.clone(),
            read_only: document.read_only,
            resources,
            created_at: document.created_at,
            updated_at: document.updated_at,
            tag,
        })
    }

    /// Validates the input of a resource group, and resolves each resource to its canonical URN. An
    /// identifier may be that of a resource of the account, of one that was shared with it, or of
    /// one that is in the group.
    async fn checked(
        &self,
        context: &Context,
        input: ResourceGroupInput,
        present: &[String],
    ) -> Result<ResourceGroupDocument, IamError> {
        check_name("name", &input.name)?;
        let region = self.settings.region;
        let mut resources = Vec::with_capacity(input.resources.len());
        for (index, member) in input.resources.into_iter().enumerate() {
            let urn = match member {
                Member::Urn(urn) => {
                    let urn = canonical(index, &urn, region)?;
                    if !present.contains(&urn) {
                        check_visible(&format!("resources[{index}].urn"), &urn)?;
                    }
                    urn
                }
                Member::Id(id) => match present.iter().find(|urn| resource_id(urn) == id) {
                    Some(urn) => urn.clone(),
                    None => self.urn_of(context.account(), index, id).await?,
                },
            };
            resources.push(urn);
        }
        check_list("resources", &mut resources, self.settings.limits.entries)?;
        Ok(ResourceGroupDocument {
            name: input.name,
            read_only: false,
            everything: false,
            resources,
            created_at: context.now,
            updated_at: None,
        })
    }

    async fn urn_of(
        &self,
        account: &AccountName,
        index: usize,
        id: ResourceId,
    ) -> Result<String, IamError> {
        let id = id.to_string();
        let mut owners = vec![account.to_owned()];
        owners.extend(self.store.accounts_mentioning(account).await?);
        for owner in owners {
            if let Some(object) = self.store.object_by_name(&owner, Kind::Resource, &id).await? {
                return Ok(object.id);
            }
        }
        let message = format!("\"resources[{index}].id\": no resource has the identifier {id}");
        Err(IamError::invalid(Fault::Parameter, message))
    }
}

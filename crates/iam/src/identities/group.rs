//! Groups of users, and the role that each group grants.

use gatewright_policy::{AccountName, GroupName, Identity, Revision};
use gatewright_store::{Kind, Object};

use crate::core::iam::Iam;
use crate::model::caller::Context;
use crate::model::document::Document;
use crate::model::error::{Fault, IamError};
use crate::model::group::{
    BUILT_IN, Group, GroupDocument, GroupInput, Role, check_group_name, is_built_in,
};
use crate::model::input::{Input, check_text};
use crate::model::limits::check_number;
use crate::model::principal_key::group_key;
use crate::model::rights;

const READ_ONLY: &str = "This group belongs to the server and cannot be changed";

impl Iam {
    fn user_group_of(
        &self,
        account: &AccountName,
        document: GroupDocument,
    ) -> Result<Group, IamError> {
        let urn = Identity::group(self.settings.region, account, &document.name);
        Ok(Group {
            tag: document.tag(self.place(account, document.name.as_str()))?,
            urn: urn.urn().to_owned(),
            built_in: false,
            name: document.name,
            description: document.description,
            role: document.role,
            created_at: document.created_at,
            updated_at: document.updated_at,
        })
    }

    fn read_group(&self, object: &Object) -> Result<Group, IamError> {
        self.user_group_of(&object.account, GroupDocument::read(&object.document)?)
    }

    async fn built_in_groups(&self, account: &AccountName) -> Result<Vec<Group>, IamError> {
        let created_at = self.profile(account).await?.created_at;
        let group = |(name, role): &(GroupName, Role)| {
            let document = GroupDocument {
                name: name.clone(),
                description: None,
                role: *role,
                created_at,
                updated_at: created_at,
            };
            Ok(Group { built_in: true, ..self.user_group_of(account, document)? })
        };
        BUILT_IN.iter().map(group).collect()
    }

    /// Lists the groups of the account: those that every account has, then the others in the order
    /// of their creation.
    pub async fn groups(&self, context: &Context) -> Result<Vec<Group>, IamError> {
        self.demand(context, rights::GROUP_GET).await?;
        let account = context.account();
        let objects =
            self.store.objects_of_kind(account, Kind::Group, Revision::ZERO, i64::MAX).await?;
        let mut groups = self.built_in_groups(account).await?;
        for object in &objects {
            groups.push(self.read_group(object)?);
        }
        Ok(groups)
    }

    /// Reads a group of the account.
    pub async fn group(&self, context: &Context, name: &GroupName) -> Result<Group, IamError> {
        self.demand(context, rights::GROUP_GET).await?;
        let account = context.account();
        if is_built_in(name) {
            let groups = self.built_in_groups(account).await?;
            return groups.into_iter().find(|one| one.name == *name).ok_or(IamError::NotFound);
        }
        let object = self.store.object(account, Kind::Group, &group_key(account, name)).await?;
        self.read_group(&object.ok_or(IamError::NotFound)?)
    }

    /// Creates a group.
    pub async fn create_group(
        &self,
        context: &Context,
        input: Input<GroupInput>,
    ) -> Result<Group, IamError> {
        self.demand(context, rights::GROUP_CREATE).await?;
        self.demand_grantor(context).await?;
        if let Some(created) = self.created_before(context).await? {
            return self.user_group_of(&created.owner, created.document);
        }
        let GroupInput { name, description, role } = input?;
        let name = check_group_name(&name)?;
        check_text("description", description.as_deref().unwrap_or_default(), 0, 255)?;
        let account = context.account();
        let document = GroupDocument {
            name,
            description,
            role: role.unwrap_or_default(),
            created_at: context.now,
            updated_at: context.now,
        };
        let taken = || IamError::Conflict {
            detail: "GROUP_ALREADY_EXISTS",
            message: format!("there is a group {} already: choose another name", document.name),
        };
        if is_built_in(&document.name) {
            return Err(taken());
        }
        let held = self.views.get(account).await?.groups.len();
        check_number(held, self.settings.limits.groups, "groups")?;
        let id = group_key(account, &document.name);
        let change = document.create(self.place(account, &id), None)?;
        let made = self.create(context, account, change).await;
        made.map_err(|error| match IamError::from(error) {
            IamError::Conflict { .. } => taken(),
            error => error,
        })?;
        self.user_group_of(account, document)
    }

    /// Changes a group, which keeps its name.
    pub async fn edit_group(
        &self,
        context: &Context,
        name: &GroupName,
        input: Input<GroupInput>,
    ) -> Result<Group, IamError> {
        self.demand(context, rights::GROUP_EDIT).await?;
        self.demand_grantor(context).await?;
        let input = input?;
        check_text("description", input.description.as_deref().unwrap_or_default(), 0, 255)?;
        if is_built_in(name) {
            return Err(IamError::ReadOnly(READ_ONLY));
        }
        let account = context.account();
        let id = group_key(account, name);
        self.change(context, self.place(account, &id), |document: &mut GroupDocument| {
            if let Some(description) = &input.description {
                document.description = Some(description.clone());
            }
            document.role = input.role.unwrap_or(document.role);
            document.updated_at = context.now;
            self.user_group_of(account, document.clone())
        })
        .await
    }

    /// Deletes a group that has no members. The policies of the account name it no longer.
    pub async fn delete_group(&self, context: &Context, name: &GroupName) -> Result<(), IamError> {
        self.demand(context, rights::GROUP_DELETE).await?;
        if is_built_in(name) {
            return Err(IamError::ReadOnly(READ_ONLY));
        }
        let account = context.account();
        let view = self.views.get(account).await?;
        let members =
            view.users.iter().filter(|(_, user)| user.groups.iter().any(|one| one == name));
        let members = members.count();
        if members > 0 {
            let message = format!("{members} users are in the group {name}: move them first");
            return Err(IamError::invalid(Fault::Parameter, message));
        }
        let id = group_key(account, name);
        let identity = Identity::group(self.settings.region, account, name);
        let place = self.place(account, &id);
        self.delete_identity::<GroupDocument>(context, place, &identity, &[]).await
    }

    /// Checks that the account has a group with a name.
    pub(crate) async fn check_group(
        &self,
        account: &AccountName,
        name: &GroupName,
    ) -> Result<(), IamError> {
        let view = self.views.get(account).await?;
        if is_built_in(name) || view.groups.contains(&group_key(account, name)) {
            return Ok(());
        }
        let message = format!("there is no group {name}: create it first");
        Err(IamError::invalid(Fault::Parameter, message))
    }
}

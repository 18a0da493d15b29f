//! Accounts and their contact details.

use gatewright_policy::{
    AccountName, ClientId, Identity, Instant, Permissions, Policy as Rule, ResourceGroupId,
    ResourcePattern, permissions_group_urn, resource_group_urn,
};
use gatewright_store::{Author, Change, Kind, StoreError, Taken};

use crate::core::iam::Iam;
use crate::model::account::{
    InitialServiceAccount, NewAccount, Profile, SecondFactor, check_account,
};
use crate::model::caller::Context;
use crate::model::client::{ClientInput, Flow};
use crate::model::contact_details::ContactDetails;
use crate::model::document::Document;
use crate::model::error::{Fault, IamError};
use crate::model::input::{Input, check_text};
use crate::model::permissions_group::MANAGED_OWNER;
use crate::model::policy::{Policy, RESERVED};
use crate::model::resource::ResourceDocument;
use crate::model::resource_group::ResourceGroupDocument;
use crate::model::rights;

impl Iam {
    /// Creates an account, for the operator.
    pub async fn create_account(
        &self,
        new: NewAccount,
    ) -> Result<Option<InitialServiceAccount>, IamError> {
        let name = check_account(&new.name)?;
        check_text("email", &new.email, 3, 255)?;
        if !new.email.contains('@') {
            let message = format!("\"{}\" is no email address", new.email);
            return Err(IamError::invalid(Fault::Format, message));
        }
        let now = self.now();
        let words = vec![name.to_string(), new.email.clone()];
        let password = self.hash_password(&name, new.password, words).await?;
        let mut changes = self.foundation(&name, &new.email, password, now)?;
        let service_account = if new.service_account {
            let (more, service_account) = self.service_account(&name, now)?;
            changes.extend(more);
            Some(service_account)
        } else {
            None
        };
        let author = Author {
            actor: "operator".to_owned(),
            ip: None,
            query_id: hex::encode(self.sources.bytes::<8>()?),
            at: now,
        };
        match self.store.create_account(&name, &author, &changes).await {
            Err(StoreError::Taken(Taken::Name)) => Err(IamError::Conflict {
                detail: "AlreadyExists",
                message: format!("there is an account {name} already"),
            }),
            Err(error) => Err(error.into()),
            Ok(entries) => {
                self.views.apply_committed(&name, &entries, &changes).await?;
                Ok(service_account)
            }
        }
    }

    /// Returns the objects that every account has from its creation.
    fn foundation(
        &self,
        name: &AccountName,
        email: &str,
        password: Vec<u8>,
        now: Instant,
    ) -> Result<Vec<Change>, IamError> {
        let region = self.settings.region;
        let profile = Profile {
            email: email.to_owned(),
            created_at: now,
            password_changed_at: None,
            second_factor: SecondFactor::Optional,
            contact_details: ContactDetails::of(name),
        };
        let account = profile.create(self.place(name, name.as_str()), Some(password))?;

        let urn = self.account_urn(name);
        let resource = ResourceDocument {
            display_name: name.to_string(),
            tags: std::collections::BTreeMap::new(),
            created_at: now,
        };
        let resource = resource.create(self.place(name, urn.urn()), None)?;

        let group_id: ResourceGroupId = self.sources.id()?;
        let everything = ResourceGroupDocument {
            name: format!("{RESERVED}all"),
            read_only: true,
            everything: true,
            resources: Vec::new(),
            created_at: now,
            updated_at: None,
        };
        let group = everything.create(self.place(name, &group_id.to_string()), None)?;

        let rule = Rule {
            id: self.sources.id()?,
            identities: vec![Identity::account_of(region, name).urn().to_owned()],
            resources: vec![resource_group_urn(region, group_id)],
            permissions: Permissions { allow: vec!["*".to_owned()], ..Permissions::default() },
            ..Rule::default()
        };
        let description = "The owner of the account may do everything";
        let default = initial_policy("ovh-default", description, rule, now);
        let default = Policy { read_only: true, ..default };
        Ok(vec![account, resource, group, self.new_policy(name, &default)?])
    }

    /// Returns the changes that create a service account with all permissions, and its policy.
    fn service_account(
        &self,
        account: &AccountName,
        now: Instant,
    ) -> Result<(Vec<Change>, InitialServiceAccount), IamError> {
        let region = self.settings.region;
        let input = ClientInput {
            name: "automation".to_owned(),
            description: "Manages this account".to_owned(),
            flow: Flow::ClientCredentials,
            callback_urls: Vec::new(),
        };
        let (client, secret) = self.new_client(account, &input.document(now)?)?;
        let client_id = ClientId::new(client.id.as_str());
        let mut rule = Rule {
            id: self.sources.id()?,
            identities: vec![
                Identity::service_account(region, account, &client_id).urn().to_owned(),
            ],
            resources: vec![ResourcePattern::everything(region)],
            ..Rule::default()
        };
        match self.catalogue().group("globalAdmin") {
            Some(group) => {
                let urn = permissions_group_urn(region, &MANAGED_OWNER, &group.name);
                rule.permissions_groups.push(urn);
            }
            None => rule.permissions.allow.push("*".to_owned()),
        }
        let description = "The service account that was made with the account";
        let policy = initial_policy("automation", description, rule, now);
        let policy = self.new_policy(account, &policy)?;
        Ok((vec![client, policy], InitialServiceAccount { client_id, secret }))
    }

    /// Returns the change that creates a policy.
    fn new_policy(&self, account: &AccountName, policy: &Policy) -> Result<Change, IamError> {
        policy.create(self.place(account, &policy.rule.id.to_string()), None)
    }

    /// Reads the contact details of the account.
    pub async fn me(&self, context: &Context) -> Result<Profile, IamError> {
        self.demand(context, rights::ME_GET).await?;
        self.profile(context.account()).await
    }

    /// Reads the contact details of an account, for use cases that have checked a right of their
    /// own.
    pub(crate) async fn profile(&self, account: &AccountName) -> Result<Profile, IamError> {
        let object = self.store.object(account, Kind::Account, account.as_str()).await?;
        Profile::read(&object.ok_or(IamError::NotFound)?.document)
    }

    /// Changes the contact details of the account; a field that is omitted keeps its value.
    pub async fn edit_me(
        &self,
        context: &Context,
        edit: Input<serde_json::Map<String, serde_json::Value>>,
    ) -> Result<Profile, IamError> {
        self.demand(context, rights::ME_EDIT).await?;
        let edit = edit?;
        let account = context.account();
        self.change(context, self.place(account, account.as_str()), |profile: &mut Profile| {
            profile.contact_details.edit(&edit)?;
            Ok(profile.clone())
        })
        .await
    }
}

/// Returns a policy that an account has from its creation, and that the account may change.
fn initial_policy(name: &str, description: &str, rule: Rule, now: Instant) -> Policy {
    Policy {
        name: name.to_owned(),
        description: Some(description.to_owned()),
        read_only: false,
        expired_at: None,
        created_at: now,
        updated_at: None,
        rule,
    }
}

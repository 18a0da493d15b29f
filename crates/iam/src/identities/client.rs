//! Service accounts: an identifier (`client_id`) and a secret that code exchanges for tokens.

use std::collections::HashMap;

use gatewright_policy::{AccountName, ClientId, Identity, Instant, Revision};
use gatewright_store::{Change, Kind, Object, StoreError, Taken};

use crate::core::creation::{Created, created_already};
use crate::core::iam::Iam;
use crate::model::caller::Context;
use crate::model::client::{Client, ClientDocument, ClientEdit, ClientInput, Flow};
use crate::model::document::Document;
use crate::model::error::IamError;
use crate::model::input::Input;
use crate::model::limits::check_number;
use crate::model::rights;
use crate::model::secret::{SERVICE_ACCOUNT, Secret};

impl Iam {
    fn client_of(
        &self,
        account: &AccountName,
        id: ClientId,
        document: ClientDocument,
    ) -> Result<Client, IamError> {
        let identity = Identity::service_account(self.settings.region, account, &id);
        let (flow, enabled) = (document.flow(), document.is_enabled());
        let acts_for_itself = flow == Flow::ClientCredentials;
        Ok(Client {
            tag: document.tag(self.place(account, id.as_str()))?,
            id,
            name: document.name,
            description: document.description,
            flow,
            callback_urls: document.callback_urls,
            created_at: document.created_at,
            enabled,
            identity: acts_for_itself.then(|| identity.urn().to_owned()),
        })
    }

    fn read_client(&self, object: &Object) -> Result<Client, IamError> {
        let document = ClientDocument::read(&object.document)?;
        self.client_of(&object.account, ClientId::new(object.id.as_str()), document)
    }

    /// Lists the service accounts of the account, in the order of their creation.
    pub async fn clients(&self, context: &Context) -> Result<Vec<Client>, IamError> {
        self.demand(context, rights::CLIENT_GET).await?;
        let most = i64::MAX;
        let objects = self
            .store
            .objects_of_kind(context.account(), Kind::Client, Revision::ZERO, most)
            .await?;
        objects.iter().map(|object| self.read_client(object)).collect()
    }

    /// Returns when each service account of the account last got or used a token, by its identifier
    /// and to some seconds.
    pub async fn clients_used(
        &self,
        context: &Context,
    ) -> Result<HashMap<String, Instant>, IamError> {
        self.demand(context, rights::CLIENT_GET).await?;
        Ok(self.recorder.last_used(context.account()).await?)
    }

    /// Returns the identifiers of the service accounts that are unused, with the time of their last
    /// use.
    pub async fn unused_clients(
        &self,
        context: &Context,
    ) -> Result<Vec<(ClientId, Option<Instant>)>, IamError> {
        let used = self.clients_used(context).await?;
        let view = self.views.get(context.account()).await?;
        let is_unused = |id: &&str| {
            let used = used.get(*id).copied();
            view.clients.get(id).is_some_and(|one| {
                one.flow == Flow::ClientCredentials
                    && Client::is_unused(one.created_at, used, context.now)
            })
        };
        let unused = view.clients.ids().filter(is_unused);
        let mut unused: Vec<(ClientId, Option<Instant>)> =
            unused.map(|id| (ClientId::new(id), used.get(id).copied())).collect();
        unused.sort_unstable();
        Ok(unused)
    }

    /// Reads a service account of the account.
    pub async fn client(&self, context: &Context, id: &ClientId) -> Result<Client, IamError> {
        self.demand(context, rights::CLIENT_GET).await?;
        let object = self.store.object(context.account(), Kind::Client, id.as_str()).await?;
        self.read_client(&object.ok_or(IamError::NotFound)?)
    }

    /// Creates a service account. Only this answer contains its secret, which is stored as a hash.
    pub async fn create_client(
        &self,
        context: &Context,
        input: Input<ClientInput>,
    ) -> Result<(Client, Secret), IamError> {
        self.demand(context, rights::CLIENT_CREATE).await?;
        context.demand_reauthentication()?;
        if let Some(Created { id, .. }) = self.created_before::<ClientDocument>(context).await? {
            return Err(created_already(&format!("the service account {id}")));
        }
        let document = input?.document(context.now)?;
        let held = self.views.get(context.account()).await?.clients.len();
        check_number(held, self.settings.limits.clients, "service accounts")?;
        loop {
            let (change, secret) = self.new_client(context.account(), &document)?;
            let id = change.id.clone();
            match self.create(context, context.account(), change).await {
                // Another client has that identifier: draw another.
                Err(StoreError::Taken(Taken::Id)) => {}
                Err(error) => return Err(error.into()),
                Ok(()) => {
                    let object = self.store.object(context.account(), Kind::Client, &id).await?;
                    return Ok((self.read_client(&object.ok_or(IamError::NotFound)?)?, secret));
                }
            }
        }
    }

    /// Returns the change that creates a service account, and its secret.
    pub(crate) fn new_client(
        &self,
        account: &AccountName,
        document: &ClientDocument,
    ) -> Result<(Change, Secret), IamError> {
        let region = self.settings.region.as_str().to_uppercase();
        let id = format!("{region}.{}", hex::encode(self.sources.bytes::<8>()?));
        let secret = self.sources.secret(SERVICE_ACCOUNT)?;
        let hash = Some(secret.hash().as_ref().to_vec());
        Ok((document.create(self.place(account, &id), hash)?, secret))
    }

    /// Changes a service account.
    pub async fn edit_client(
        &self,
        context: &Context,
        id: &ClientId,
        edit: Input<ClientEdit>,
    ) -> Result<Client, IamError> {
        self.demand(context, rights::CLIENT_EDIT).await?;
        let edit = edit?;
        let place = self.place(context.account(), id.as_str());
        self.change(context, place, |document: &mut ClientDocument| {
            let edit = edit.clone();
            let before = document.clone();
            document.name = edit.name.unwrap_or(before.name);
            document.description = edit.description.unwrap_or(before.description);
            document.callback_urls = edit.callback_urls.unwrap_or(before.callback_urls);
            document.check()?;
            self.client_of(place.account, id.clone(), document.clone())
        })
        .await
    }

    /// Enables a service account, which may then get tokens again; those that it had before stay
    /// invalid.
    pub async fn enable_client(
        &self,
        context: &Context,
        id: &ClientId,
    ) -> Result<Client, IamError> {
        self.demand(context, rights::CLIENT_ENABLE).await?;
        // Somebody may have disabled it because its secret is known to others.
        self.demand_grantor(context).await?;
        self.change_client(context, id, |document| document.enable(context.now)).await
    }

    /// Disables a service account. All its tokens are invalid at once; its secret and the policies
    /// that name it stay.
    pub async fn disable_client(
        &self,
        context: &Context,
        id: &ClientId,
    ) -> Result<Client, IamError> {
        self.demand(context, rights::CLIENT_DISABLE).await?;
        self.change_client(context, id, ClientDocument::disable).await
    }

    async fn change_client(
        &self,
        context: &Context,
        id: &ClientId,
        edit: impl Fn(&mut ClientDocument),
    ) -> Result<Client, IamError> {
        let place = self.place(context.account(), id.as_str());
        self.change(context, place, |document: &mut ClientDocument| {
            edit(document);
            self.client_of(place.account, id.clone(), document.clone())
        })
        .await
    }

    /// Deletes a service account. Its secret and all its tokens are revoked at once.
    pub async fn delete_client(&self, context: &Context, id: &ClientId) -> Result<(), IamError> {
        self.demand(context, rights::CLIENT_DELETE).await?;
        let place = self.place(context.account(), id.as_str());
        self.delete(context, place, &[], |_: &ClientDocument| Ok(())).await
    }
}

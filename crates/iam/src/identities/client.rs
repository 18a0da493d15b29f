//! Service accounts: an identifier and a secret that code exchanges for tokens.

use std::collections::HashMap;

use gatewright_policy::{Identity, Instant};
use gatewright_store::{Act, Change, Kind, Object, StoreError, Taken};

use crate::core::iam::Iam;
use crate::core::write::delete;
use crate::model::caller::Context;
use crate::model::client::{Client, ClientDocument, ClientEdit, ClientInput, Flow};
use crate::model::error::{Fault, IamError};
use crate::model::input::Input;
use crate::model::rights;
use crate::model::secret::{SERVICE_ACCOUNT, Secret};

impl Iam {
    fn client_of(&self, object: &Object) -> Result<Client, IamError> {
        let document: ClientDocument = serde_json::from_str(&object.document)?;
        let identity = Identity::service_account(self.settings.region, &object.account, &object.id);
        let acts_for_itself = document.flow == Flow::ClientCredentials;
        Ok(Client {
            id: object.id.clone(),
            name: document.name,
            description: document.description,
            flow: document.flow,
            callback_urls: document.callback_urls,
            created_at: document.created_at,
            identity: acts_for_itself.then(|| identity.urn().to_owned()),
        })
    }

    /// All clients of the account, in the order of their creation.
    pub async fn clients(&self, context: &Context) -> Result<Vec<Client>, IamError> {
        self.demand(context, rights::CLIENT_GET).await?;
        let most = i64::MAX;
        let objects = self.store.objects_of_kind(context.account(), Kind::Client, 0, most).await?;
        objects.iter().map(|object| self.client_of(object)).collect()
    }

    /// When each client of the account got or used a token last, to some seconds, by its identifier.
    pub async fn clients_used(
        &self,
        context: &Context,
    ) -> Result<HashMap<String, Instant>, IamError> {
        self.demand(context, rights::CLIENT_GET).await?;
        Ok(self.recorder.last_used(context.account()).await?)
    }

    /// The identifiers of the service accounts that were not used since an instant, with when they
    /// were used last.
    pub async fn unused_clients(
        &self,
        context: &Context,
        since: Instant,
    ) -> Result<Vec<(String, Option<Instant>)>, IamError> {
        let used = self.clients_used(context).await?;
        let view = self.views.get(context.account()).await?;
        let acts_for_itself =
            |id: &&str| view.client(id).is_some_and(|one| one.flow == Flow::ClientCredentials);
        let mut unused: Vec<(String, Option<Instant>)> = view
            .client_ids()
            .filter(acts_for_itself)
            .map(|id| (id.to_owned(), used.get(id).copied()))
            .filter(|(_, used)| used.is_none_or(|used| used < since))
            .collect();
        unused.sort_unstable();
        Ok(unused)
    }

    /// A client of the account.
    pub async fn client(&self, context: &Context, id: &str) -> Result<Client, IamError> {
        self.demand(context, rights::CLIENT_GET).await?;
        let object = self.store.object(context.account(), Kind::Client, id).await?;
        self.client_of(&object.ok_or(IamError::NotFound)?)
    }

    /// Makes a client; its secret is in the answer, and can never be read again.
    pub async fn create_client(
        &self,
        context: &Context,
        input: Input<ClientInput>,
    ) -> Result<(Client, Secret), IamError> {
        self.demand(context, rights::CLIENT_CREATE).await?;
        let document = input?.document(context.now)?;
        let most = self.settings.limits.clients;
        if self.views.get(context.account()).await?.client_count() >= most {
            let message = format!("the account has {most} service accounts already: delete some");
            return Err(IamError::invalid(Fault::Parameter, message));
        }
        loop {
            let (change, secret) = self.new_client(&document)?;
            let id = change.id.clone();
            match self.write_in(context.account(), context, vec![change]).await {
                // Somebody else has that identifier: draw another.
                Err(StoreError::Taken(Taken::Id)) => {}
                Err(error) => return Err(error.into()),
                Ok(()) => {
                    let object = self.store.object(context.account(), Kind::Client, &id).await?;
                    return Ok((self.client_of(&object.ok_or(IamError::NotFound)?)?, secret));
                }
            }
        }
    }

    /// The change that makes a client, and its secret.
    pub(crate) fn new_client(
        &self,
        document: &ClientDocument,
    ) -> Result<(Change, Secret), IamError> {
        let region = self.settings.region.as_str().to_uppercase();
        let id = format!("{region}.{}", hex::encode(self.sources.bytes::<8>()?));
        let secret = self.sources.secret(SERVICE_ACCOUNT)?;
        let hash = Some(secret.hash().to_vec());
        let act = Act::Create { content: document.content()?, secret: hash };
        Ok((Change { kind: Kind::Client, id, act }, secret))
    }

    /// Changes a client.
    pub async fn edit_client(
        &self,
        context: &Context,
        id: &str,
        edit: Input<ClientEdit>,
    ) -> Result<Client, IamError> {
        self.demand(context, rights::CLIENT_EDIT).await?;
        let edit = edit?;
        self.change(context.account(), context, (Kind::Client, id), |object| {
            let mut document: ClientDocument = serde_json::from_str(&object.document)?;
            let edit = edit.clone();
            document.name = edit.name.unwrap_or(document.name);
            document.description = edit.description.unwrap_or(document.description);
            document.callback_urls = edit.callback_urls.unwrap_or(document.callback_urls);
            document.check()?;
            let content = document.content()?;
            let changed = Object { document: content.document.clone(), ..object.clone() };
            Ok((content, self.client_of(&changed)?))
        })
        .await
    }

    /// Deletes a client: its secret and all its tokens stop working at once.
    pub async fn delete_client(&self, context: &Context, id: &str) -> Result<(), IamError> {
        self.demand(context, rights::CLIENT_DELETE).await?;
        self.write(context, vec![delete(Kind::Client, id)]).await
    }
}

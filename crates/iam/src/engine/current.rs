//! Returns views that are current: from memory where it can be trusted, else from the database.
//!
//! Invariant: a cached owner of a resource holds for one count of moves, which is read before the
//! database.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use gatewright_policy::{AccountName, ClientId, Identity, Revision};
use gatewright_store::{Change, Entry, Generation, Kind};

use crate::engine::renewal::moves_a_resource;
use crate::engine::view::View;
use crate::engine::views::{Owner, Views};
use crate::model::caller::Principal;
use crate::model::error::IamError;
use crate::model::limits::URN_BYTES;

impl Views {
    /// Returns the current view of an account.
    ///
    /// It is served from memory, as long as this node hears of changes in time; otherwise the
    /// database is asked each time, and the request fails when it does not answer.
    pub(crate) async fn get(&self, account: &AccountName) -> Result<Arc<View>, IamError> {
        match self.trusted(account.as_str()) {
            Some(view) => Ok(view),
            // Boxed, since the future is large and rarely needed.
            None => Box::pin(self.read_through(account)).await,
        }
    }

    /// Returns the current view of the account that a request names; a view in memory is found
    /// without an allocation.
    pub(crate) async fn get_named(&self, name: &str) -> Result<Arc<View>, IamError> {
        match self.trusted(name) {
            Some(view) => Ok(view),
            None => Box::pin(self.read_through(&AccountName::new(name))).await,
        }
    }

    /// Returns the view of the account that a credential names, by the kind and the identifier of the
    /// credential's object; none where the account has no such object. Anybody can name an account: it
    /// is loaded only for a credential that it has.
    pub(crate) async fn get_by_credential(
        &self,
        name: &str,
        (kind, id): (Kind, &str),
    ) -> Result<Option<Arc<View>>, IamError> {
        match self.trusted(name) {
            Some(view) => Ok(Some(view)),
            None => Box::pin(self.look_up_credential(&AccountName::new(name), kind, id)).await,
        }
    }

    async fn look_up_credential(
        &self,
        account: &AccountName,
        kind: Kind,
        id: &str,
    ) -> Result<Option<Arc<View>>, IamError> {
        match self.credential_lookups.other(self.store.object(account, kind, id)).await?? {
            Some(_) => self.read_through(account).await.map(Some),
            None => Ok(None),
        }
    }

    /// Returns the view of an account in memory, if there is one and it can be trusted.
    fn trusted(&self, name: &str) -> Option<Arc<View>> {
        let slot = self.slots.get(name)?;
        let view = slot.view.load_full()?;
        let now = self.now();
        (!self.freshness.is_stale(now) && !slot.lag.is_too_long(now)).then_some(view)
    }

    async fn read_through(&self, account: &AccountName) -> Result<Arc<View>, IamError> {
        let make = || Ok::<_, IamError>(Arc::default());
        let slot = self.slots.get_or_insert_with(account, make)?;
        self.renew(account, &slot).await
    }

    /// Returns the account that owns a resource, by its canonical URN; none when it is not
    /// registered.
    pub(crate) async fn owner_of(&self, urn: &str) -> Result<Option<AccountName>, IamError> {
        if let Some(owner) = self.owner_in_memory(urn) {
            return Ok(owner.account);
        }
        let moves = self.moves.load(Ordering::Acquire);
        let found = self.store.object_of_any_account(Kind::Resource, urn).await?;
        let account = found.map(|resource| resource.account);
        // No longer URN can be registered, so caching it would help attackers alone.
        if urn.len() <= URN_BYTES {
            self.owners.insert(urn.into(), Owner { moves, account: account.clone() });
        }
        Ok(account)
    }

    /// Returns the owner of a resource as it is known in memory: none where the database must be asked.
    fn owner_in_memory(&self, urn: &str) -> Option<Owner> {
        if self.freshness.is_stale(self.now()) {
            return None;
        }
        let owner = self.owners.get(urn)?;
        (owner.moves == self.moves.load(Ordering::Acquire)).then_some(owner)
    }

    /// Returns the owners of many resources, by canonical URN: those that are registered and not in
    /// memory are read many at once.
    pub(crate) async fn owners_of<'u>(
        &self,
        urns: impl Iterator<Item = &'u str>,
    ) -> Result<HashMap<&'u str, AccountName>, IamError> {
        let (mut owners, mut unknown) = (HashMap::new(), Vec::new());
        for urn in urns {
            match self.owner_in_memory(urn) {
                Some(owner) => owners.extend(owner.account.map(|account| (urn, account))),
                None => unknown.push(urn),
            }
        }
        if unknown.is_empty() {
            return Ok(owners);
        }
        let moves = self.moves.load(Ordering::Acquire);
        let found = self.store.accounts_of(Kind::Resource, &unknown).await?;
        for urn in unknown {
            let account = found.get(urn).cloned();
            if urn.len() <= URN_BYTES {
                self.owners.insert(urn.into(), Owner { moves, account: account.clone() });
            }
            owners.extend(account.map(|account| (urn, account)));
        }
        Ok(owners)
    }

    /// Returns the principal of a client, of the account that it belongs to, or belonged to before it was
    /// deleted, for a request from an address.
    pub(crate) async fn client(
        &self,
        id: &ClientId,
        from: Option<IpAddr>,
    ) -> Result<Option<Arc<Principal>>, IamError> {
        if let Some(client) = self.clients.get(id) {
            return Ok(Some(client));
        }
        let look_up = self.store.object_of_any_account(Kind::Client, id.as_str());
        let found = self.credential_lookups.client(from, look_up).await??;
        let Some(account) = found.map(|client| client.account) else { return Ok(None) };
        if self.get(&account).await?.clients.get(id.as_str()).is_none() {
            // It was created on another node a moment ago, which this one does not follow yet.
            self.refresh(&account).await?;
        }
        let identity = Identity::service_account(self.region, &account, id);
        let client = Arc::new(Principal::alone(identity, self.region));
        self.clients.insert(id.clone(), Arc::clone(&client));
        Ok(Some(client))
    }

    /// Applies changes that were just committed on this node, before they are acknowledged.
    pub(crate) async fn apply_committed(
        &self,
        account: &AccountName,
        entries: &[Entry],
        changes: &[Change],
    ) -> Result<(), IamError> {
        if entries.iter().any(moves_a_resource) {
            self.resources_moved();
        }
        if let Some(last) = entries.last() {
            self.record_commit(account, last.revision);
        }
        let Some(slot) = self.slots.get(account) else {
            return Ok(());
        };
        self.renew_with(account, &slot, entries, changes).await.map(drop)
    }

    /// Reads the generation of the database, which another node may just have begun.
    pub(crate) async fn read_generation(&self) -> Result<Generation, IamError> {
        let generation = self.store.generation().await?;
        self.observe_generation(generation);
        Ok(generation)
    }

    /// Refreshes the view of an account, if it is loaded; drops it if that fails.
    pub(crate) async fn refresh(&self, account: &AccountName) -> Result<(), IamError> {
        let Some(slot) = self.slots.get(account) else {
            return Ok(());
        };
        self.renew(account, &slot).await.map(drop)
    }

    /// Advances the view to a revision, from the database where memory is behind. Returns whether
    /// the revision exists.
    pub(crate) async fn advance_to(
        &self,
        account: &AccountName,
        revision: Revision,
    ) -> Result<bool, IamError> {
        let before = self.get(account).await?.revision();
        if before >= revision {
            return Ok(true);
        }
        self.refresh(account).await?;
        let reached = self.get(account).await?.revision();
        if reached > before {
            // The owners of resources are cached apart from the view.
            self.resources_moved();
        }
        Ok(reached >= revision)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::LazyLock;
    use std::time::Duration;

    use gatewright_policy::{GroupName, Instant, Region};
    use gatewright_store::{Act, Author, Generation, Store};
    use gatewright_testing::TestDatabase;

    use super::*;
    use crate::engine::freshness::STALE_AFTER;
    use crate::model::client::{ClientDocument, ClientInput, Flow};
    use crate::model::document::{Document, Place};
    use crate::model::group::{GroupDocument, Role};
    use crate::model::resource::ResourceDocument;
    use crate::sources::Sources;
    use crate::sources::testing::StoppedClock;

    static ACCOUNT: LazyLock<AccountName> = LazyLock::new(|| AccountName::new("xx1-ovh"));

    fn author() -> Author {
        Author { actor: "test".to_owned(), ip: None, query_id: String::new(), at: Instant::EPOCH }
    }

    fn place(id: &str) -> Place<'_> {
        Place { region: Region::Eu, account: &ACCOUNT, id }
    }

    fn views(store: &Store) -> Views {
        views_by(store, Sources::system())
    }

    fn views_by(store: &Store, sources: Sources) -> Views {
        Views::new(store.clone(), sources, Region::Eu, Arc::default(), (10, Generation::new(0)))
    }

    #[tokio::test]
    async fn a_view_is_not_served_from_memory_once_the_last_heartbeat_is_too_old() {
        let database = TestDatabase::sqlite();
        let store = Store::open(&database.address.parse().unwrap()).await.unwrap();
        store.create_account(&ACCOUNT, &author(), &[]).await.unwrap();
        let clock = StoppedClock::at(Duration::from_secs(5));
        let views = views_by(&store, clock.sources());
        let revision = async || views.get(&ACCOUNT).await.unwrap().revision();
        let first = revision().await;
        let resource = ResourceDocument {
            display_name: "a".to_owned(),
            tags: BTreeMap::new(),
            created_at: Instant::EPOCH,
        };
        let change = |urn: &str| [resource.create(place(urn), None).unwrap()];
        let (one, other) = ("urn:v1:eu:resource:vps:a", "urn:v1:eu:resource:vps:b");
        store.write(&ACCOUNT, &author(), &change(one)).await.unwrap();
        assert_eq!(revision().await, first.next(), "there was no heartbeat yet");

        views.record_heartbeat(views.now());
        store.write(&ACCOUNT, &author(), &change(other)).await.unwrap();
        clock.pass(STALE_AFTER);
        assert_eq!(revision().await, first.next(), "memory is trusted up to the limit");
        clock.pass(Duration::from_micros(1));
        assert_eq!(revision().await, first.next().next());

        store.close().await;
        assert!(views.get(&ACCOUNT).await.is_err(), "a stale node refuses without its database");
    }

    #[tokio::test]
    async fn an_account_is_loaded_for_a_credential_that_it_has_and_no_other() {
        let database = TestDatabase::sqlite();
        let store = Store::open(&database.address.parse().unwrap()).await.unwrap();
        store.create_account(&ACCOUNT, &author(), &[]).await.unwrap();
        let views = views(&store);
        for account in [ACCOUNT.as_str(), "nobody-ovh"] {
            for kind in [Kind::UserToken, Kind::Session] {
                let found = views.get_by_credential(account, (kind, "forged")).await.unwrap();
                assert!(found.is_none());
            }
        }
        assert!(views.slots.is_empty(), "a stranger has no account loaded");
        let group = GroupDocument {
            name: GroupName::new("g"),
            description: None,
            role: Role::None,
            created_at: Instant::EPOCH,
            updated_at: Instant::EPOCH,
        };
        let group = group.create(place("g"), None).unwrap();
        store.write(&ACCOUNT, &author(), &[group]).await.unwrap();
        let found = views.get_by_credential(ACCOUNT.as_str(), (Kind::Group, "g")).await.unwrap();
        assert_eq!(found.unwrap().account(), &*ACCOUNT);
    }

    #[tokio::test]
    async fn a_view_is_the_same_whether_changes_are_applied_or_loaded() {
        let database = TestDatabase::sqlite();
        let store = Store::open(&database.address.parse().unwrap()).await.unwrap();
        store.create_account(&ACCOUNT, &author(), &[]).await.unwrap();
        let (here, elsewhere) = (views(&store), views(&store));
        for views in [&here, &elsewhere] {
            assert_eq!(views.get(&ACCOUNT).await.unwrap().clients.len(), 0);
        }
        let input = ClientInput {
            name: "a".to_owned(),
            description: "b".to_owned(),
            flow: Flow::ClientCredentials,
            callback_urls: Vec::new(),
        };
        let (one, other) = ("urn:v1:eu:resource:vps:a", "urn:v1:eu:resource:vps:b");
        let resource = ResourceDocument {
            display_name: "a".to_owned(),
            tags: BTreeMap::new(),
            created_at: Instant::EPOCH,
        };
        let client = input.document(Instant::EPOCH).unwrap();
        let Act::Create { content, .. } = client.create(place("EU.1"), None).unwrap().act else {
            panic!("a client is created by another change");
        };
        let act = Act::Update { from: content.document.clone(), content, secret: Some(vec![9]) };
        let new_secret = Change { kind: Kind::Client, id: "EU.1".to_owned(), act };
        let batches = [
            vec![
                client.create(place("EU.1"), Some(vec![1, 2])).unwrap(),
                client.create(place("EU.2"), Some(vec![3])).unwrap(),
            ],
            vec![resource.create(place(one), None).unwrap()],
            vec![
                ClientDocument::delete("EU.2"),
                resource.create(place(other), None).unwrap(),
                ResourceDocument::delete(one),
            ],
            vec![new_secret],
        ];
        for changes in batches {
            let entries = store.write(&ACCOUNT, &author(), &changes).await.unwrap();
            here.apply_committed(&ACCOUNT, &entries, &changes).await.unwrap();
        }
        elsewhere.refresh(&ACCOUNT).await.unwrap();
        for views in [&here, &elsewhere, &views(&store)] {
            let view = views.get(&ACCOUNT).await.unwrap();
            assert_eq!(view.revision(), store.revision(&ACCOUNT).await.unwrap().unwrap());
            assert_eq!(view.clients.ids().collect::<Vec<_>>(), ["EU.1"]);
            assert_eq!(*view.clients.get("EU.1").unwrap().secret, [9]);
            assert_eq!(view.resources.ids().collect::<Vec<_>>(), [other]);
        }
    }

    #[tokio::test]
    async fn an_account_with_a_role_that_cannot_be_decided_by_is_not_answered_for() {
        let database = TestDatabase::sqlite();
        let store = Store::open(&database.address.parse().unwrap()).await.unwrap();
        store.create_account(&ACCOUNT, &author(), &[]).await.unwrap();
        let views = views(&store);
        views.get(&ACCOUNT).await.unwrap();
        let group = GroupDocument {
            name: GroupName::new("not a name"),
            description: None,
            role: Role::Admin,
            created_at: Instant::EPOCH,
            updated_at: Instant::EPOCH,
        };
        let changes = [group.create(place("xx1-ovh/not a name"), None).unwrap()];
        let entries = store.write(&ACCOUNT, &author(), &changes).await.unwrap();
        let applied = views.apply_committed(&ACCOUNT, &entries, &changes).await;
        assert!(matches!(applied, Err(IamError::Internal(_))), "{applied:?}");
        assert!(matches!(views.get(&ACCOUNT).await, Err(IamError::Internal(_))));
    }
}

//! Streams the facts of an account to a replica: a snapshot, then each change.

use std::time::Duration;

use gatewright_policy::{AccountName, Fact, Revision, permissions_group_urn};
use gatewright_store::{Entry, Kind, Object, Position, Since};
use tokio::sync::OwnedSemaphorePermit;

use crate::core::iam::Iam;
use crate::engine::held::{Facts, properties};
use crate::engine::keyed_semaphores::KeyedPlace;
use crate::model::caller::Context;
use crate::model::document::Reflection;
use crate::model::error::{Fault, IamError, Overload};
use crate::model::group::{BUILT_IN, role_fact};
use crate::model::input::Input;
use crate::model::permissions_group::MANAGED_OWNER;
use crate::model::rights;

/// The number of rows that are read at once.
const CHUNK: i64 = 5_000;

/// The interval of heartbeats to a replica.
const HEARTBEAT_INTERVAL: Duration = Duration::from_millis(250);

/// The time after which a replica may try again that found no place, in seconds.
const RETRY_AFTER: u64 = 10;

/// The place of a replica among those of its account, until this is dropped: the permit goes first.
pub struct ReplicaPlace {
    _permit: OwnedSemaphorePermit,
    _place: KeyedPlace<AccountName>,
}

/// The position of a replica in the stream.
#[derive(Debug, Clone)]
pub enum ReplicaPosition {
    /// The beginning.
    Nothing,
    /// The snapshot: the common facts and the rows up to `after` were sent.
    Rows {
        /// The position of the last row that was sent.
        after: Revision,
        /// The entry of the journal that the rows have at least, which is that of the beginning.
        entry: Position,
        /// The change count of the catalogue that was sent.
        catalogue: u64,
    },
    /// The journal.
    Journal {
        /// The last entry that was sent.
        entry: Position,
        /// The change count of the catalogue that was sent.
        catalogue: u64,
    },
}

/// The entry of the journal up to which a replica says that it has every fact.
#[derive(Debug, Clone)]
pub struct ReachedEntry {
    /// Its revision.
    pub revision: Revision,
    /// Its hash, as the replica was told; none where it does not say.
    pub hash: Option<String>,
}

impl Iam {
    /// Takes a place for a replica; fails with [`IamError::Busy`] where its account has too many.
    pub fn replica_place(&self, context: &Context) -> Result<ReplicaPlace, IamError> {
        let place = self.replicas.place(context.account().clone(), usize::MAX);
        let taken = place
            .and_then(|place| Some(ReplicaPlace { _permit: place.try_acquire(1)?, _place: place }));
        taken.ok_or(IamError::Busy { cause: Overload("replicas"), seconds: RETRY_AFTER })
    }

    /// Returns the next facts of the caller's account, and the position after them. Waits for a
    /// change, but at most for the interval of heartbeats; then it repeats the revision that was
    /// reached. The right to follow is checked each time.
    pub async fn follow(
        &self,
        context: &Context,
        position: ReplicaPosition,
    ) -> Result<(Vec<Fact>, ReplicaPosition), IamError> {
        // The log has the beginning and the end of a stream, but not each heartbeat.
        let begins = matches!(position, ReplicaPosition::Nothing);
        if begins || !self.has_right(context, rights::REPLICA_GET).await? {
            self.demand(context, rights::REPLICA_GET).await?;
        }
        let account = context.account();
        match position {
            ReplicaPosition::Nothing => self.begin(account).await,
            ReplicaPosition::Rows { after, entry, catalogue } => {
                let objects = self.store.objects(account, after, CHUNK).await?;
                let mut facts = Vec::new();
                for Object { kind, id, document, .. } in &objects {
                    facts.extend(self.facts_of(account, (*kind, id), None, Some(document))?);
                }
                let next = match objects.last() {
                    Some(last) => ReplicaPosition::Rows { after: last.created, entry, catalogue },
                    // Changes that were made while the rows were read are sent again.
                    None => ReplicaPosition::Journal { entry, catalogue },
                };
                Ok((facts, next))
            }
            ReplicaPosition::Journal { entry, catalogue } => {
                self.follow_journal(account, entry, catalogue).await
            }
        }
    }

    /// Returns the first facts of a snapshot.
    async fn begin(&self, account: &AccountName) -> Result<(Vec<Fact>, ReplicaPosition), IamError> {
        let entry = self.store.position(account).await?.ok_or(IamError::NotFound)?;
        let region = self.settings.region.to_string();
        let mut facts = vec![Fact::Account { account: account.to_owned(), region }];
        let catalogue = self.common_facts(account, &mut facts);
        Ok((facts, ReplicaPosition::Rows { after: Revision::ZERO, entry, catalogue }))
    }

    /// Resumes the stream of a replica that has followed the journal up to an entry. The facts that
    /// are not in the journal are sent first. Where the database has lost the entry, the stream
    /// begins with a new snapshot. Refuses a revision that the account has not reached from a
    /// replica that does not say which entry it was.
    pub async fn resume(
        &self,
        context: &Context,
        reached: Input<ReachedEntry>,
    ) -> Result<(Vec<Fact>, ReplicaPosition), IamError> {
        self.demand(context, rights::REPLICA_GET).await?;
        let (account, ReachedEntry { revision, hash }) = (context.account(), reached?);
        let found = self.store.position_at(account, revision).await?;
        let entry = match (found, hash) {
            (Some(found), None) => found,
            (Some(found), Some(hash)) if hash == found.short_hash() => found,
            (_, Some(_)) => return self.begin(account).await,
            (None, None) => {
                let message =
                    format!("the account has not reached revision {revision}: begin anew");
                return Err(IamError::invalid(Fault::Parameter, message));
            }
        };
        let mut facts = Vec::new();
        let catalogue = self.common_facts(account, &mut facts);
        Ok((facts, ReplicaPosition::Journal { entry, catalogue }))
    }

    async fn follow_journal(
        &self,
        account: &AccountName,
        mut entry: Position,
        known_catalogue: u64,
    ) -> Result<(Vec<Fact>, ReplicaPosition), IamError> {
        let renewed = self.views.renewed();
        // Fails where the node is stale and cannot know whether something has changed.
        if self.views.get(account).await?.revision() <= entry.revision {
            let _ = tokio::time::timeout(HEARTBEAT_INTERVAL, renewed).await;
            self.views.get(account).await?;
        }
        let since = self.store.journals_since(std::slice::from_ref(&entry)).await?;
        let (entries, is_whole) = match since.into_values().next() {
            Some(Since::Entries { entries, is_whole }) => (entries, is_whole),
            // The database has lost what the replica was told.
            Some(Since::OtherPast) => return self.begin(account).await,
            Some(Since::Unreadable(error)) => return Err(error.into()),
            None => return Err(IamError::impossible("an account without an answer")),
        };
        let mut facts = Vec::new();
        if entries.iter().any(|(entry, _)| declares(entry)) {
            self.live_catalogue.renew().await?;
        }
        // Another account may have declared a guarded API as well.
        let catalogue = self.live_catalogue.changes();
        if catalogue != known_catalogue {
            facts.push(Fact::Actions { names: self.catalogue().names() });
        }
        for (one, _) in entries {
            let (before, after) = (one.before.as_deref(), one.after.as_deref());
            facts.extend(self.facts_of(account, (one.kind, &one.object), before, after)?);
            entry.revision = one.revision;
            entry.hash = one.hash;
        }
        // While there are more entries, the facts so far are not a consistent state.
        if is_whole {
            let hash = Some(entry.short_hash().into());
            facts.push(Fact::Reached { revision: entry.revision, hash });
        }
        Ok((facts, ReplicaPosition::Journal { entry, catalogue }))
    }

    /// Adds the facts that every account has and that are not in the journal; returns the change
    /// count of the catalogue.
    fn common_facts(&self, account: &AccountName, facts: &mut Vec<Fact>) -> u64 {
        let catalogue = self.live_catalogue.changes();
        facts.push(Fact::Actions { names: self.catalogue().names() });
        for group in self.catalogue().groups() {
            let urn = permissions_group_urn(self.settings.region, &MANAGED_OWNER, &group.name);
            facts
                .push(Fact::PermissionsGroup { urn, permissions: Some(group.permissions.clone()) });
        }
        let products = self.catalogue();
        let is_managed = |name: &str| products.group(name).is_some();
        for (name, role) in &*BUILT_IN {
            facts.push(role_fact(self.settings.region, account, name, *role, &is_managed));
        }
        catalogue
    }

    /// Returns the facts that follow from an object before and after a change.
    fn facts_of(
        &self,
        account: &AccountName,
        (kind, id): (Kind, &str),
        before: Option<&str>,
        after: Option<&str>,
    ) -> Result<Vec<Fact>, IamError> {
        let catalogue = self.catalogue();
        let is_managed = |name: &str| catalogue.group(name).is_some();
        let place = self.place(account, id);
        Facts { place, before, after, is_managed: &is_managed }.of(kind)
    }
}

/// Returns whether a change may change the live catalogue.
fn declares(entry: &Entry) -> bool {
    properties(entry.kind).reflection == Reflection::Catalogue
}

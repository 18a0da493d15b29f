//! What a decision point elsewhere follows: an account's facts, then each change of them.

use std::time::Duration;

use gatewright_policy::{Fact, permissions_group_urn};
use gatewright_store::{Kind, Object};

use crate::core::iam::Iam;
use crate::engine::view::Facts;
use crate::model::caller::Context;
use crate::model::error::{Fault, IamError};
use crate::model::group::{BUILT_IN, role_fact};
use crate::model::input::Input;
use crate::model::permissions_group::MANAGED_OWNER;
use crate::model::rights;

/// So many rows are read at once.
const CHUNK: i64 = 5_000;

/// Whoever follows hears something so often.
const PULSE: Duration = Duration::from_millis(250);

/// How far somebody has followed.
#[derive(Debug, Clone, Copy)]
pub enum ReplicaPosition {
    /// Nothing yet.
    Nothing,
    /// What every account has, and the rows up to there; the revision is that of the beginning.
    Rows {
        /// Where the next row begins.
        after: i64,
        /// Which revision the rows are at, at least.
        revision: i64,
        /// Which change of the catalogue was told.
        catalogue: u64,
    },
    /// The journal.
    Journal {
        /// Up to which revision.
        revision: i64,
        /// Which change of the catalogue was told.
        catalogue: u64,
    },
}

impl Iam {
    /// What comes next of the caller's account, and how far it is followed then. Waits for a change,
    /// but not for long: then it says again which revision was reached. The right to follow is
    /// demanded each time.
    pub async fn follow(
        &self,
        context: &Context,
        position: ReplicaPosition,
    ) -> Result<(Vec<Fact>, ReplicaPosition), IamError> {
        // The log has the beginning, and not each pulse; but it has the end.
        let begins = matches!(position, ReplicaPosition::Nothing);
        if begins || !self.has_right(context, rights::REPLICA_GET).await? {
            self.demand(context, rights::REPLICA_GET).await?;
        }
        let account = context.account();
        match position {
            ReplicaPosition::Nothing => {
                let revision = self.store.revision(account).await?.ok_or(IamError::NotFound)?;
                let region = self.settings.region.to_string();
                let mut facts = vec![Fact::Account { account: account.to_owned(), region }];
                let catalogue = self.common_facts(account, &mut facts);
                Ok((facts, ReplicaPosition::Rows { after: 0, revision, catalogue }))
            }
            ReplicaPosition::Rows { after, revision, catalogue } => {
                let objects = self.store.objects(account, after, CHUNK).await?;
                let mut facts = Vec::new();
                for Object { kind, id, document, .. } in &objects {
                    facts.extend(self.facts_of(account, (*kind, id), None, Some(document))?);
                }
                let next = match objects.last() {
                    Some(last) => {
                        ReplicaPosition::Rows { after: last.created, revision, catalogue }
                    }
                    // What changed while the rows were read is said again.
                    None => ReplicaPosition::Journal { revision, catalogue },
                };
                Ok((facts, next))
            }
            ReplicaPosition::Journal { revision, catalogue } => {
                self.follow_journal(account, revision, catalogue).await
            }
        }
    }

    /// Where somebody goes on who has followed the journal up to a revision before; they are told
    /// first what no journal tells. Refuses a revision that the account has not reached.
    pub async fn resume(
        &self,
        context: &Context,
        revision: Input<i64>,
    ) -> Result<(Vec<Fact>, ReplicaPosition), IamError> {
        self.demand(context, rights::REPLICA_GET).await?;
        let (account, revision) = (context.account(), revision?);
        let reached = self.store.revision(account).await?.ok_or(IamError::NotFound)?;
        if !(0..=reached).contains(&revision) {
            let message = format!("the account has not reached revision {revision}: begin anew");
            return Err(IamError::invalid(Fault::Parameter, message));
        }
        let mut facts = Vec::new();
        let catalogue = self.common_facts(account, &mut facts);
        Ok((facts, ReplicaPosition::Journal { revision, catalogue }))
    }

    async fn follow_journal(
        &self,
        account: &str,
        revision: i64,
        known_catalogue: u64,
    ) -> Result<(Vec<Fact>, ReplicaPosition), IamError> {
        let renewed = self.views.renewed();
        // This fails where the node cannot know whether something has changed.
        self.views.get(account).await?;
        if self.views.revision(account).is_some_and(|now| now <= revision) {
            let _ = tokio::time::timeout(PULSE, renewed).await;
            self.views.get(account).await?;
        }
        let entries = self.store.journal(account, revision, CHUNK).await?;
        let mut facts = Vec::new();
        if entries.iter().any(|entry| entry.kind == Kind::Api) {
            self.live_catalogue.renew().await?;
        }
        // Another account may have declared something as well.
        let catalogue = self.live_catalogue.changes();
        if catalogue != known_catalogue {
            facts.push(Fact::Actions { names: self.catalogue().names() });
        }
        for entry in &entries {
            let (before, after) = (entry.before.as_deref(), entry.after.as_deref());
            facts.extend(self.facts_of(account, (entry.kind, &entry.object), before, after)?);
        }
        let revision = entries.last().map_or(revision, |entry| entry.revision);
        // Where there is more, what is known so far never was all at once.
        if i64::try_from(entries.len()).is_ok_and(|entries| entries < CHUNK) {
            facts.push(Fact::Reached { revision });
        }
        Ok((facts, ReplicaPosition::Journal { revision, catalogue }))
    }

    /// What every account has, and what no journal tells; answers which change of the catalogue it is.
    fn common_facts(&self, account: &str, facts: &mut Vec<Fact>) -> u64 {
        let catalogue = self.live_catalogue.changes();
        facts.push(Fact::Actions { names: self.catalogue().names() });
        for group in self.catalogue().groups() {
            let urn = permissions_group_urn(self.settings.region, MANAGED_OWNER, &group.name);
            facts
                .push(Fact::PermissionsGroup { urn, permissions: Some(group.permissions.clone()) });
        }
        let products = self.catalogue();
        let is_managed = |name: &str| products.group(name).is_some();
        for (name, role) in BUILT_IN {
            facts.push(role_fact(self.settings.region, account, name, role, &is_managed));
        }
        catalogue
    }

    /// Lists what an object tells, as it was and as it is.
    fn facts_of(
        &self,
        account: &str,
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

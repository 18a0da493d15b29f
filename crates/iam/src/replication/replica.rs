//! What a decision point elsewhere follows: an account's facts, then each change of them.

use std::str::FromStr;
use std::time::Duration;

use gatewright_policy::{Fact, Identity, Policy as Rule, permissions_group_urn};
use gatewright_store::{Kind, Object};
use serde::Deserialize;

use crate::core::iam::Iam;
use crate::model::caller::Context;
use crate::model::error::{Fault, IamError};
use crate::model::group::{BUILT_IN, GroupDocument, Role, role_policy, role_policy_id};
use crate::model::input::Input;
use crate::model::permissions_group::{MANAGED_OWNER, PermissionsGroupDocument};
use crate::model::resource::ResourceDocument;
use crate::model::resource_group::ResourceGroupDocument;
use crate::model::rights;
use crate::model::user::UserDocument;

/// So many rows are read at once.
const CHUNK: i64 = 5_000;

/// Whoever follows hears something so often.
const PULSE: Duration = Duration::from_millis(250);

/// How far somebody has followed.
#[derive(Debug, Clone, Copy)]
pub enum Followed {
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
        followed: Followed,
    ) -> Result<(Vec<Fact>, Followed), IamError> {
        // The log has the beginning, and not each pulse; but it has the end.
        let begins = matches!(followed, Followed::Nothing);
        if begins || !self.has_right(context, rights::REPLICA_GET).await? {
            self.demand(context, rights::REPLICA_GET).await?;
        }
        let account = context.account();
        match followed {
            Followed::Nothing => {
                let revision = self.store.revision(account).await?.ok_or(IamError::NotFound)?;
                let region = self.settings.region.to_string();
                let mut facts = vec![Fact::Account { account: account.to_owned(), region }];
                let catalogue = self.common_facts(account, &mut facts);
                Ok((facts, Followed::Rows { after: 0, revision, catalogue }))
            }
            Followed::Rows { after, revision, catalogue } => {
                let objects = self.store.objects(account, after, CHUNK).await?;
                let mut facts = Vec::new();
                for Object { kind, id, document, .. } in &objects {
                    self.facts_of(account, *kind, id, None, Some(document), &mut facts)?;
                }
                let next = match objects.last() {
                    Some(last) => Followed::Rows { after: last.created, revision, catalogue },
                    // What changed while the rows were read is said again.
                    None => Followed::Journal { revision, catalogue },
                };
                Ok((facts, next))
            }
            Followed::Journal { revision, catalogue } => {
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
    ) -> Result<(Vec<Fact>, Followed), IamError> {
        self.demand(context, rights::REPLICA_GET).await?;
        let (account, revision) = (context.account(), revision?);
        let reached = self.store.revision(account).await?.ok_or(IamError::NotFound)?;
        if !(0..=reached).contains(&revision) {
            let message = format!("the account has not reached revision {revision}: begin anew");
            return Err(IamError::invalid(Fault::Parameter, message));
        }
        let mut facts = Vec::new();
        let catalogue = self.common_facts(account, &mut facts);
        Ok((facts, Followed::Journal { revision, catalogue }))
    }

    async fn follow_journal(
        &self,
        account: &str,
        revision: i64,
        told: u64,
    ) -> Result<(Vec<Fact>, Followed), IamError> {
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
        if catalogue != told {
            facts.push(Fact::Actions { names: self.catalogue().names() });
        }
        for entry in &entries {
            let (before, after) = (entry.before.as_deref(), entry.after.as_deref());
            self.facts_of(account, entry.kind, &entry.object, before, after, &mut facts)?;
        }
        let revision = entries.last().map_or(revision, |entry| entry.revision);
        // Where there is more, what is known so far never was all at once.
        if i64::try_from(entries.len()).is_ok_and(|entries| entries < CHUNK) {
            facts.push(Fact::Reached { revision });
        }
        Ok((facts, Followed::Journal { revision, catalogue }))
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
        for (name, role) in BUILT_IN {
            facts.push(self.role_fact(account, name, role));
        }
        catalogue
    }

    /// The role of a group is a policy.
    fn role_fact(&self, account: &str, name: &str, role: Role) -> Fact {
        let group = Identity::group(self.settings.region, account, name);
        let catalogue = self.catalogue();
        let rule =
            role_policy(self.settings.region, &group, role, |name| catalogue.group(name).is_some());
        Fact::Policy { id: role_policy_id(&group), rule: rule.map(Box::new) }
    }

    /// What an object tells, as it was and as it is. No secret, and nothing about sessions.
    fn facts_of(
        &self,
        account: &str,
        kind: Kind,
        id: &str,
        before: Option<&str>,
        after: Option<&str>,
        facts: &mut Vec<Fact>,
    ) -> Result<(), IamError> {
        let region = self.settings.region;
        match kind {
            Kind::Account
            | Kind::Totp
            | Kind::Passkey
            | Kind::Session
            | Kind::UserToken
            | Kind::Api => {}
            Kind::Client => {
                let identity = Identity::service_account(region, account, id);
                let identities = after.map(|_| vec![identity.urn().to_owned()]);
                facts.push(Fact::Subject { urn: identity.urn().into(), identities });
            }
            Kind::User => {
                let login = id.split_once('/').map_or(id, |(_, login)| login);
                let urn = Identity::user(region, account, login).urn().into();
                let user: Option<UserDocument> = after.map(serde_json::from_str).transpose()?;
                let user = user.filter(|user| user.enabled);
                let identities = user.map(|user| {
                    let caller = user.principal(region, account).caller;
                    caller.identities().map(str::to_owned).collect()
                });
                facts.push(Fact::Subject { urn, identities });
            }
            Kind::Policy => {
                let stored: Option<Stored> = after.map(serde_json::from_str).transpose()?;
                let rule = stored.map(|stored| Box::new(stored.rule));
                facts.push(Fact::Policy { id: parse_id(id)?, rule });
            }
            Kind::PermissionsGroup => {
                // It may have been renamed: what goes is what was there before.
                for (document, is_there) in [(before, false), (after, true)] {
                    let Some(document) = document else { continue };
                    let group: PermissionsGroupDocument = serde_json::from_str(document)?;
                    let urn = permissions_group_urn(region, account, &group.name);
                    let permissions = is_there.then_some(group.permissions);
                    facts.push(Fact::PermissionsGroup { urn, permissions });
                }
            }
            Kind::ResourceGroup => {
                let id = parse_id(id)?;
                let group: Option<ResourceGroupDocument> =
                    after.map(serde_json::from_str).transpose()?;
                facts.push(match group {
                    Some(group) if group.everything => Fact::EveryResource { id },
                    group => {
                        let members = group.map(|group| {
                            group.resources.into_iter().map(String::into_boxed_str).collect()
                        });
                        Fact::ResourceGroup { id, members }
                    }
                });
            }
            Kind::Resource => {
                let resource: Option<ResourceDocument> =
                    after.map(serde_json::from_str).transpose()?;
                let tags = resource.map(|resource| resource.tags);
                facts.push(Fact::Resource { urn: id.into(), tags });
            }
            Kind::RevokedToken => {
                facts.push(Fact::RevokedToken { id: id.into(), counts: after.is_some() });
            }
            Kind::Group => {
                let group: Option<GroupDocument> = after.map(serde_json::from_str).transpose()?;
                let name = id.split_once('/').map_or(id, |(_, name)| name);
                let role = group.map_or(Role::None, |group| group.role);
                facts.push(self.role_fact(account, name, role));
            }
        }
        Ok(())
    }
}

/// What a replica needs of a policy's document.
#[derive(Deserialize)]
struct Stored {
    rule: Rule,
}

/// Parses the identifier of a stored object.
fn parse_id<T: FromStr<Err = uuid::Error>>(text: &str) -> Result<T, IamError> {
    text.parse().map_err(IamError::internal)
}

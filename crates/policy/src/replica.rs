//! Decides in another process, by facts that follow an account's journal.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::quality::RandomState;
use imbl::{GenericHashMap, shared_ptr::DefaultSharedPtr};

use crate::action::Scope;
use crate::decision::{Decision, decide};
use crate::fact::{Fact, FactError};
use crate::id::{AccountName, TokenId};
use crate::identity::Identity;
use crate::request::{Caller, Environment, Request, Resource, Tags};
use crate::resource_urn::ResourceUrn;
use crate::revision::Revision;
use crate::set::{Members, PolicySet};
use crate::urn::Region;

type Map<V> = GenericHashMap<Box<str>, V, RandomState, DefaultSharedPtr>;

/// A request to a replica.
#[derive(Debug, Clone, Copy)]
pub struct ReplicaRequest<'a> {
    /// The URN of a service account or a user.
    pub subject: &'a str,
    /// The scope of the subject's token.
    pub scope: &'a Scope,
    /// The identifier of the subject's token.
    pub token: Option<&'a str>,
    /// The action.
    pub action: &'a str,
    /// The resource.
    pub resource: &'a ResourceUrn,
    /// The environment: time and address.
    pub environment: Environment,
}

/// The state that decisions about an account's subjects and resources depend on. Clones share it,
/// as those of a [`PolicySet`] do.
#[derive(Debug, Clone)]
pub struct Replica {
    region: Region,
    revision: Revision,
    hash: Option<Box<str>>,
    policies: PolicySet,
    actions: Arc<HashMap<Box<str>, bool>>,
    subjects: Map<Arc<Caller>>,
    resources: Map<Arc<Tags>>,
    revoked: GenericHashMap<TokenId, (), RandomState, DefaultSharedPtr>,
}

impl Replica {
    /// Creates the replica of an account, without any fact.
    pub fn new(region: Region, account: AccountName) -> Self {
        Self {
            region,
            revision: Revision::ZERO,
            hash: None,
            policies: PolicySet::new(account),
            actions: Arc::default(),
            subjects: Map::default(),
            resources: Map::default(),
            revoked: GenericHashMap::default(),
        }
    }

    /// Returns the name of the account.
    pub fn account(&self) -> &AccountName {
        self.policies.owner()
    }

    /// Returns the region of the account's URNs.
    pub fn region(&self) -> Region {
        self.region
    }

    /// Returns the hash of the entry at the revision, as the server sent it; none where it did not.
    pub fn hash(&self) -> Option<&str> {
        self.hash.as_deref()
    }

    /// Returns the revision of the journal that the replica has reached.
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// Applies a fact. The replica must not be used after an error.
    pub fn apply(&mut self, fact: Fact) -> Result<(), FactError> {
        match fact {
            Fact::Account { account, region } => {
                let region = region.parse().map_err(|_| FactError::new(&"the region", &region))?;
                *self = Self::new(region, account);
            }
            Fact::Actions { names } => self.actions = Arc::new(names),
            Fact::Policy { id, rule: None } => self.policies.remove(id),
            Fact::Policy { id, rule: Some(rule) } => {
                let rule = rule.compile(self.region).map_err(|why| FactError::new(&id, &why))?;
                self.policies.insert(rule);
            }
            Fact::PermissionsGroup { urn, permissions: None } => {
                self.policies.remove_permissions_group(&urn);
            }
            Fact::PermissionsGroup { urn, permissions: Some(permissions) } => {
                let permissions =
                    permissions.compile().map_err(|why| FactError::new(&urn, &why))?;
                self.policies.set_permissions_group(&urn, Arc::new(permissions));
            }
            Fact::ResourceGroup { id, members: None } => self.policies.remove_resource_group(id),
            Fact::ResourceGroup { id, members: Some(members) } => {
                self.policies.set_resource_group(id, members.into_iter().collect());
            }
            Fact::EveryResource { id } => {
                self.policies.set_resource_group(id, Members::Everything);
            }
            Fact::Resource { urn, tags: None } => drop(self.resources.remove(&urn)),
            Fact::Resource { urn, tags: Some(tags) } => {
                self.resources.insert(urn, Arc::new(tags));
            }
            Fact::Subject { urn, identities: None } => drop(self.subjects.remove(&urn)),
            Fact::Subject { urn, identities: Some(identities) } => {
                let read = |urn: &String| Identity::parse(urn, self.region);
                let identities: Result<Vec<Identity>, _> = identities.iter().map(read).collect();
                let identities = identities.map_err(|why| FactError::new(&urn, &why))?;
                let (own, groups) = identities
                    .split_first()
                    .ok_or_else(|| FactError::new(&urn, &"a subject without an identity"))?;
                let caller = Caller::new(self.region, self.account(), own, groups, Scope::All);
                self.subjects.insert(urn, Arc::new(caller));
            }
            Fact::RevokedToken { id, counts: true } => drop(self.revoked.insert(id, ())),
            Fact::RevokedToken { id, counts: false } => drop(self.revoked.remove(&id)),
            Fact::Reached { revision, hash } => {
                self.revision = revision;
                self.hash = hash;
            }
        }
        Ok(())
    }

    fn has_action(&self, action: &str) -> bool {
        let base = || action.split_once('?').and_then(|(base, _)| self.actions.get(base));
        self.actions.contains_key(action) || base().is_some_and(|parameters| *parameters)
    }

    /// Decides a request as the server does, for subjects and resources of the account; none if the
    /// subject, the token or the action is unknown. Allocates nothing.
    pub fn decide(&self, request: &ReplicaRequest<'_>) -> Option<Decision<'_>> {
        let caller = self.subjects.get(request.subject)?;
        let revoked = request.token.is_some_and(|token| self.revoked.contains_key(token));
        if revoked || !self.has_action(request.action) {
            return None;
        }
        if !request.scope.covers(request.action) {
            return Some(Decision::OutOfScope);
        }
        let urn = request.resource;
        let bare = Resource::bare(urn.urn(), urn.resource_type(), urn.name());
        let tags = self.resources.get(urn.urn());
        let resource = tags.map_or(bare, |tags| Resource { tags, ..bare });
        let (action, environment) = (request.action, request.environment);
        let request = Request { caller, action, resource, environment };
        Some(decide(&request, &self.policies, None))
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::id::PolicyId;
    use crate::instant::Instant;
    use crate::permissions::Permissions;
    use crate::policy::Policy;

    const REGION: Region = Region::Eu;
    const ROBOT: &str = "urn:v1:eu:identity:credential:xx11111-ovh/oauth2-EU.1";

    fn replica() -> Replica {
        let mut replica = Replica::new(REGION, AccountName::new("nobody"));
        let policy = Policy {
            id: PolicyId::new(Uuid::from_u128(1)),
            identities: vec![ROBOT.to_owned()],
            resources: vec!["urn:v1:eu:resource:vps:a".to_owned()],
            permissions: Permissions { allow: vec!["vps:*".to_owned()], ..Permissions::default() },
            ..Policy::default()
        };
        for fact in [
            Fact::Account { account: AccountName::new("xx11111-ovh"), region: "eu".to_owned() },
            Fact::Actions { names: [("vps:apiovh:get".into(), false)].into() },
            Fact::Policy { id: policy.id, rule: Some(Box::new(policy)) },
            Fact::Subject { urn: ROBOT.into(), identities: Some(vec![ROBOT.to_owned()]) },
            Fact::Reached { revision: Revision::new(7), hash: Some("ab".into()) },
        ] {
            // Facts are compared after a round trip over the wire.
            let text = serde_json::to_string(&fact).unwrap();
            replica.apply(serde_json::from_str(&text).unwrap()).unwrap();
        }
        replica
    }

    fn may(replica: &Replica, action: &str, scope: &Scope, token: Option<&str>) -> bool {
        let resource = ResourceUrn::of(REGION, "vps", "a").unwrap();
        let environment = Environment { now: Instant::EPOCH, ip: None };
        let request = ReplicaRequest {
            subject: ROBOT,
            scope,
            token,
            action,
            resource: &resource,
            environment,
        };
        replica.decide(&request).is_some_and(|decision| decision.is_allowed())
    }

    #[test]
    fn a_replica_decides_by_the_facts_that_were_applied() {
        let replica = replica();
        assert_eq!((replica.revision().number(), replica.account().as_str()), (7, "xx11111-ovh"));
        assert!(may(&replica, "vps:apiovh:get", &Scope::All, None));
        assert!(!may(&replica, "vps:apiovh:unheard", &Scope::All, None), "there is no such action");
        let other = Scope::Types(vec!["account".into()]);
        assert!(!may(&replica, "vps:apiovh:get", &other, None), "the scope cuts it");
    }

    #[test]
    fn what_is_gone_counts_no_longer() {
        let (id, urn) = (PolicyId::new(Uuid::from_u128(1)), ROBOT.into());
        for gone in [
            Fact::Policy { id, rule: None },
            Fact::Subject { urn, identities: None },
            Fact::RevokedToken { id: TokenId::new("t"), counts: true },
            Fact::Account { account: AccountName::new("xx11111-ovh"), region: "eu".to_owned() },
        ] {
            let mut replica = replica();
            let before = replica.clone();
            replica.apply(gone).unwrap();
            assert!(!may(&replica, "vps:apiovh:get", &Scope::All, Some("t")));
            assert!(may(&before, "vps:apiovh:get", &Scope::All, Some("t")), "it is a clone");
        }
    }

    #[test]
    fn a_fact_that_cannot_be_read_is_refused() {
        let mut replica = replica();
        let wrong = Policy { identities: vec!["nobody".to_owned()], ..Policy::default() };
        let wrong = Fact::Policy { id: wrong.id, rule: Some(Box::new(wrong)) };
        assert!(replica.apply(wrong).is_err());
        let nobody = Fact::Subject { urn: ROBOT.into(), identities: Some(Vec::new()) };
        assert!(replica.apply(nobody).is_err());
    }
}

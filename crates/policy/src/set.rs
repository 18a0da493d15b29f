//! Indexes the compiled policies of one account by identity.
//!
//! Invariants: a policy is in the index under each identity that it names, by the hash of its
//! canonical URN, and under no other; and the number of policies of an identity changes how they
//! are stored, never which are found.

mod cost;

use std::ops::ControlFlow;
use std::sync::Arc;

use foldhash::quality::RandomState;
use imbl::{GenericHashMap, GenericHashSet, OrdMap, shared_ptr::DefaultSharedPtr};

use crate::hashed_identity::{HashedIdentity, IdentityHash};
use crate::id::{AccountName, PolicyId, ResourceGroupId};
use crate::permissions::CompiledPermissions;
use crate::policy::CompiledPolicy;
use crate::request::Caller;

type Map<K, V> = GenericHashMap<K, V, RandomState, DefaultSharedPtr>;

/// The members of a resource group.
#[derive(Debug, Clone)]
pub enum Members {
    /// Every resource.
    Everything,
    /// Some resources, by canonical URN.
    These(GenericHashSet<Box<str>, RandomState, DefaultSharedPtr>),
}

impl Members {
    fn contains(&self, urn: &str) -> bool {
        match self {
            Self::Everything => true,
            Self::These(members) => members.contains(urn),
        }
    }
}

impl FromIterator<Box<str>> for Members {
    fn from_iter<I: IntoIterator<Item = Box<str>>>(urns: I) -> Self {
        Self::These(urns.into_iter().collect())
    }
}

/// The policies that name one identity.
///
/// Most identities have a few, which are scanned in place. If there are many, a tree keeps the cost
/// of a change from growing with their number.
#[derive(Debug, Clone)]
enum Bundle {
    One(Arc<CompiledPolicy>),
    Few(Box<[Arc<CompiledPolicy>]>),
    Many(Box<OrdMap<PolicyId, Arc<CompiledPolicy>>>),
}

/// The number of policies from which on a [`Bundle`] is a tree.
const MANY: usize = 32;

impl Bundle {
    /// Creates the bundle of some policies; none if there are no policies.
    fn of(mut policies: Vec<Arc<CompiledPolicy>>) -> Option<Self> {
        match policies.len() {
            0 | 1 => policies.pop().map(Self::One),
            2..MANY => Some(Self::Few(policies.into())),
            _ => {
                let by_id = policies.into_iter().map(|one| (one.id, one));
                Some(Self::Many(Box::new(by_id.collect())))
            }
        }
    }

    fn few(&self) -> &[Arc<CompiledPolicy>] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Few(few) => few,
            Self::Many(_) => &[],
        }
    }

    fn with(&self, policy: Arc<CompiledPolicy>) -> Option<Self> {
        if let Self::Many(many) = self {
            return Some(Self::Many(Box::new(many.update(policy.id, policy))));
        }
        let others = self.few().iter().filter(|one| one.id != policy.id).cloned();
        Self::of(others.chain([Arc::clone(&policy)]).collect())
    }

    fn without(&self, id: PolicyId) -> Option<Self> {
        if let Self::Many(many) = self {
            let rest = many.without(&id);
            if rest.len() >= MANY / 2 {
                return Some(Self::Many(Box::new(rest)));
            }
            return Self::of(rest.values().cloned().collect());
        }
        Self::of(self.few().iter().filter(|one| one.id != id).cloned().collect())
    }
}

/// The compiled policies of one account, and the groups that they name.
///
/// A clone costs a few reference counts and shares everything; a change copies only the path to the
/// changed part. So the cost of a change does not depend on the number of policies, and readers can
/// keep older clones.
#[derive(Debug, Clone)]
pub struct PolicySet {
    owner: AccountName,
    policies: Map<PolicyId, Arc<CompiledPolicy>>,
    by_identity: Map<IdentityHash, Bundle>,
    permissions_groups: Map<Box<str>, Arc<CompiledPermissions>>,
    resource_groups: Map<ResourceGroupId, Arc<Members>>,
    /// The memory that the policies take, in bytes.
    memory: usize,
    /// The number of resource groups that list each resource by its URN.
    grouped: Map<Box<str>, usize>,
}

impl PolicySet {
    /// Creates an empty set for an account.
    pub fn new(owner: AccountName) -> Self {
        Self {
            owner,
            policies: Map::default(),
            by_identity: Map::default(),
            permissions_groups: Map::default(),
            resource_groups: Map::default(),
            memory: 0,
            grouped: Map::default(),
        }
    }

    /// Returns the name of the policies' account.
    pub fn owner(&self) -> &AccountName {
        &self.owner
    }

    /// Returns the number of policies.
    pub fn len(&self) -> usize {
        self.policies.len()
    }

    /// Returns about the memory that the policies take, in bytes.
    pub fn memory(&self) -> usize {
        self.memory
    }

    /// Returns whether there are no policies.
    pub fn is_empty(&self) -> bool {
        self.policies.is_empty()
    }

    /// Adds a policy, or replaces the one with the same identifier.
    pub fn insert(&mut self, policy: CompiledPolicy) {
        self.remove(policy.id);
        self.memory += policy.memory();
        let policy = Arc::new(policy);
        for identity in policy.identities() {
            let key = IdentityHash::of(identity);
            let bundle = match self.by_identity.get(&key) {
                Some(bundle) => bundle.with(Arc::clone(&policy)),
                None => Some(Bundle::One(Arc::clone(&policy))),
            };
            if let Some(bundle) = bundle {
                self.by_identity.insert(key, bundle);
            }
        }
        self.policies.insert(policy.id, policy);
    }

    /// Removes the policy with this identifier, if there is one.
    pub fn remove(&mut self, id: PolicyId) {
        let Some(policy) = self.policies.remove(&id) else {
            return;
        };
        self.memory -= policy.memory();
        for identity in policy.identities() {
            let key = IdentityHash::of(identity);
            match self.by_identity.get(&key).and_then(|bundle| bundle.without(id)) {
                Some(rest) => self.by_identity.insert(key, rest),
                None => self.by_identity.remove(&key),
            };
        }
    }

    /// Sets the permissions of a permissions group, named by its canonical URN.
    pub fn set_permissions_group(&mut self, urn: &str, permissions: Arc<CompiledPermissions>) {
        self.permissions_groups.insert(urn.into(), permissions);
    }

    /// Removes a permissions group; policies that name it lose its permissions.
    pub fn remove_permissions_group(&mut self, urn: &str) {
        self.permissions_groups.remove(urn);
    }

    /// Returns the number of permissions groups.
    pub fn permissions_group_count(&self) -> usize {
        self.permissions_groups.len()
    }

    /// Returns the number of resource groups.
    pub fn resource_group_count(&self) -> usize {
        self.resource_groups.len()
    }

    /// Sets the members of a resource group.
    pub fn set_resource_group(&mut self, id: ResourceGroupId, members: Members) {
        self.remove_resource_group(id);
        match &members {
            Members::Everything => {}
            Members::These(urns) => {
                for urn in urns {
                    let count = self.grouped.get(urn).copied().unwrap_or_default();
                    self.grouped.insert(urn.clone(), count + 1);
                }
            }
        }
        self.resource_groups.insert(id, Arc::new(members));
    }

    /// Removes a resource group; policies that name it no longer cover its members.
    pub fn remove_resource_group(&mut self, id: ResourceGroupId) {
        match self.resource_groups.remove(&id).as_deref() {
            None | Some(Members::Everything) => {}
            Some(Members::These(urns)) => {
                for urn in urns {
                    match self.grouped.get(urn).copied() {
                        Some(count) if count > 1 => self.grouped.insert(urn.clone(), count - 1),
                        _ => self.grouped.remove(urn),
                    };
                }
            }
        }
    }

    /// Returns the policy with this identifier.
    pub fn get(&self, id: PolicyId) -> Option<&CompiledPolicy> {
        self.policies.get(&id).map(|policy| &**policy)
    }

    /// Returns all policies, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = &CompiledPolicy> {
        self.policies.values().map(|policy| &**policy)
    }

    /// Returns the identifiers of the policies that name an identity, given by its canonical URN.
    pub fn naming(&self, identity: &str) -> Vec<PolicyId> {
        match self.by_identity.get(&IdentityHash::of(identity)) {
            None => Vec::new(),
            Some(Bundle::Many(many)) => many.keys().copied().collect(),
            Some(bundle) => bundle.few().iter().map(|policy| policy.id).collect(),
        }
    }

    /// Returns whether a policy names a permissions group, given by its canonical URN.
    pub fn uses_permissions_group(&self, urn: &str) -> bool {
        self.policies.values().any(|policy| policy.names_permissions_group(urn))
    }

    /// Returns whether a block of the policy allows the action, or the pattern of actions.
    pub fn mentions_action(&self, policy: &CompiledPolicy, action: &str) -> bool {
        policy.permissions.action_match(action).allows()
            || policy
                .permissions_groups
                .iter()
                .filter_map(|urn| self.permissions_group(urn))
                .any(|group| group.action_match(action).allows())
    }

    /// Returns whether a block of the policy allows the action and does not except it.
    pub fn grants_action(&self, policy: &CompiledPolicy, action: &str) -> bool {
        let groups = policy.permissions_groups.iter();
        let groups = groups.filter_map(|urn| self.permissions_group(urn));
        let mut blocks = [&policy.permissions].into_iter().chain(groups);
        blocks.any(|block| block.grants(action))
    }

    /// Returns whether a block of the policy denies an action.
    pub fn denies_something(&self, policy: &CompiledPolicy) -> bool {
        let groups = policy.permissions_groups.iter();
        let mut groups = groups.filter_map(|urn| self.permissions_group(urn));
        policy.permissions.denies_something() || groups.any(CompiledPermissions::denies_something)
    }

    /// Visits each policy that names an identity, until `f` breaks.
    pub(crate) fn each_of<'p>(
        &'p self,
        identity: &HashedIdentity,
        mut f: impl FnMut(&'p CompiledPolicy) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        match self.by_identity.get(&identity.key) {
            None => ControlFlow::Continue(()),
            Some(Bundle::Many(many)) => many.values().try_for_each(|policy| f(policy)),
            Some(bundle) => bundle.few().iter().try_for_each(|policy| f(policy)),
        }
    }

    pub(crate) fn permissions_group(&self, urn: &str) -> Option<&CompiledPermissions> {
        self.permissions_groups.get(urn).map(|group| &**group)
    }

    /// Returns whether the policy covers the resource, by its URN or by a group.
    pub fn covers(&self, policy: &CompiledPolicy, urn: &str) -> bool {
        policy.cover.names(urn) || self.covers_by_group(policy, urn)
    }

    /// Returns whether a policy names the caller or their account.
    pub fn names(&self, caller: &Caller) -> bool {
        self.any_naming(caller, |_| true)
    }

    /// Returns whether a policy that names the caller, or their account, covers the resource. Without one,
    /// nothing on a resource of this account is allowed to callers of another.
    pub fn covers_for(&self, caller: &Caller, urn: &str) -> bool {
        self.any_naming(caller, |policy| self.covers(policy, urn))
    }

    fn any_naming(&self, caller: &Caller, is_it: impl Fn(&CompiledPolicy) -> bool) -> bool {
        let found =
            |policy| if is_it(policy) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
        let identities = caller.hashed_identities().iter().chain([caller.account_identity()]);
        identities.into_iter().any(|identity| self.each_of(identity, found).is_break())
    }

    /// Returns the resources that resource groups list, by canonical URN.
    pub fn grouped_resources(&self) -> impl Iterator<Item = &str> {
        let listed = self.resource_groups.values().filter_map(|members| match &**members {
            Members::Everything => None,
            Members::These(urns) => Some(urns),
        });
        listed.flatten().map(|urn| &**urn)
    }

    /// Returns whether a resource group that the policy covers contains the resource.
    pub(crate) fn covers_by_group(&self, policy: &CompiledPolicy, urn: &str) -> bool {
        let cover = &policy.cover;
        let mut named = cover.groups.iter().filter_map(|id| self.resource_groups.get(id));
        named.any(|group| group.contains(urn))
            || (cover.any_group && self.grouped.contains_key(urn))
    }
}

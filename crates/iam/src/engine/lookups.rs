//! Look-ups in a view that read more than one of its maps.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::Arc;

use gatewright_policy::{
    AccountName, CompiledPolicy, GroupName, Identity, IdentityKind, Instant, Login, PolicySet,
    Resource as DecidedResource, ResourceUrn, TokenId,
};

use crate::engine::view::View;
use crate::model::error::IamError;
use crate::model::group::role_policy_id;
use crate::model::limits::check_cost;
use crate::model::resource::ResourceDocument;
use crate::model::user::MOST_GROUPS;

/// Lists the costs of the identities whose URN begins with a prefix.
fn costs_below<'c>(
    costs: &'c BTreeMap<&'c str, u64>,
    prefix: &'c str,
) -> impl Iterator<Item = u64> + 'c {
    let from = costs.range::<str, _>((Bound::Included(prefix), Bound::Unbounded));
    from.take_while(move |(urn, _)| urn.starts_with(prefix)).map(|(_, cost)| *cost)
}

impl View {
    /// Checks that a decision for one caller by the policies of `set` costs at most `most`, or no more
    /// than by the policies of now. The callers are some identities, the users of the account that have
    /// one of them as a group, and users of other accounts.
    pub(crate) fn check_costs(
        &self,
        set: &PolicySet,
        identities: &BTreeSet<String>,
        most: u64,
    ) -> Result<(), IamError> {
        let (mut groups, mut others) = (BTreeSet::new(), BTreeSet::new());
        for urn in identities {
            let cost = set.cost_of_identity(urn);
            if cost <= self.policies.cost_of_identity(urn) {
                continue;
            }
            check_cost(urn, cost, most)?;
            let identity = Identity::parse(urn, self.region).map_err(IamError::internal)?;
            let kind = identity.kind();
            if !matches!(kind, IdentityKind::User | IdentityKind::Group) {
                continue;
            }
            if identity.account() != self.account() {
                others.insert(identity.account().clone());
            } else if kind == IdentityKind::Group {
                groups.extend(identity.name().map(GroupName::new));
            }
        }
        // One pass for all other accounts, of which there may be thousands.
        let after = if others.is_empty() { BTreeMap::new() } else { set.costs_of_identities() };
        let before = OnceCell::new();
        for account in others {
            let cost = self.cost_of_others_users(&after, &account);
            if cost > most {
                let before = before.get_or_init(|| self.policies.costs_of_identities());
                let before = self.cost_of_others_users(before, &account);
                check_cost(account.as_str(), cost, most.max(before))?;
            }
        }
        if groups.is_empty() { Ok(()) } else { self.check_costs_of_users(set, &groups, most) }
    }

    /// Checks the costs of decisions for the users that have one of these groups.
    fn check_costs_of_users(
        &self,
        set: &PolicySet,
        groups: &BTreeSet<GroupName>,
        most: u64,
    ) -> Result<(), IamError> {
        let (mut before, mut after) = (HashMap::new(), HashMap::new());
        for (_, user) in self.users.iter() {
            if !user.groups.iter().any(|name| groups.contains(name)) {
                continue;
            }
            let (login, groups) = (&user.login, &user.groups);
            let cost = self.cost_of_user(set, (login, groups), &mut after);
            if cost > most {
                let before = self.cost_of_user(&self.policies, (login, groups), &mut before);
                check_cost(login.as_str(), cost, most.max(before))?;
            }
        }
        Ok(())
    }

    /// Returns the cost of a decision for a user with some groups; `known` keeps those of the groups.
    pub(crate) fn cost_of_user<'u>(
        &self,
        set: &PolicySet,
        (login, groups): (&Login, &'u [GroupName]),
        known: &mut HashMap<&'u GroupName, u64>,
    ) -> u64 {
        let (region, account) = (self.region, self.account());
        let mut cost = set.cost_of_identity(Identity::user(region, account, login).urn());
        for name in groups {
            let of_group = || set.cost_of_identity(Identity::group(region, account, name).urn());
            cost = cost.saturating_add(*known.entry(name).or_insert_with(of_group));
        }
        cost
    }

    /// Returns the highest cost of a decision for a user of another account, from the costs of all
    /// identities. Its groups are not known here: it may have as many of those that the policies name
    /// as a user can have.
    fn cost_of_others_users(&self, costs: &BTreeMap<&str, u64>, account: &AccountName) -> u64 {
        let user = Identity::user(self.region, account, &Login::new(""));
        let of_user = costs_below(costs, user.urn()).max();
        let group = Identity::group(self.region, account, &GroupName::new(""));
        let mut of_groups: Vec<u64> = costs_below(costs, group.urn()).collect();
        of_groups.sort_unstable_by(|a, b| b.cmp(a));
        let most = of_groups.into_iter().take(MOST_GROUPS);
        most.fold(of_user.unwrap_or_default(), u64::saturating_add)
    }

    /// Lists the policies of the account in no order, without those that implement the roles of
    /// groups.
    pub(crate) fn own_policies(&self) -> impl Iterator<Item = &CompiledPolicy> {
        let region = self.region;
        let is_role = move |policy: &CompiledPolicy| {
            let first = policy.identities().next();
            let group = first.and_then(|urn| Identity::parse(urn, region).ok());
            group.is_some_and(|group| policy.id() == role_policy_id(&group))
        };
        self.policies.iter().filter(move |policy| !is_role(policy))
    }

    /// Returns the number of policies of the account.
    pub(crate) fn policy_count(&self) -> usize {
        self.policies.len() - self.roles
    }

    /// Lists the resources that were created after an instant, by their URNs, in the order of their
    /// creation.
    pub(crate) fn resources_after(
        &self,
        after: Instant,
    ) -> impl Iterator<Item = (Instant, &str, &Arc<ResourceDocument>)> {
        // No URN is empty, so this is before all of the next instant.
        let first = (Instant::from_micros(after.micros().saturating_add(1)), Box::<str>::default());
        self.resources_in_order
            .range(first..)
            .filter_map(|(created, urn)| Some((*created, &**urn, self.resources.get(urn)?)))
    }

    /// Returns whether there is a managed permissions group with a name.
    pub(crate) fn has_managed_group(&self, name: &str) -> bool {
        self.catalogue.group(name).is_some()
    }

    /// Returns the number of permissions groups of the account, without the managed ones.
    pub(crate) fn permissions_group_count(&self) -> usize {
        self.policies.permissions_group_count().saturating_sub(self.catalogue.groups().count())
    }

    /// Returns the attributes of a resource that conditions read; one that is not registered has no
    /// tags.
    pub(crate) fn decided_resource<'a>(&'a self, urn: &'a ResourceUrn) -> DecidedResource<'a> {
        let bare = DecidedResource::bare(urn.urn(), urn.resource_type(), urn.name());
        match self.resources.get(urn.urn()) {
            None => bare,
            Some(resource) => DecidedResource { tags: &resource.tags, ..bare },
        }
    }

    /// Lists the identifiers of the second factors of a person. It looks at those of all people of the
    /// account, who are few.
    pub(crate) fn second_factors_of<'a>(
        &'a self,
        person: &'a str,
    ) -> impl Iterator<Item = &'a str> {
        let own = self.second_factors.iter().filter(move |(_, of)| ***of == *person);
        own.map(|(id, _)| id)
    }

    /// Returns whether a person has a second factor.
    pub(crate) fn has_second_factor(&self, person: &str) -> bool {
        self.second_factors_of(person).next().is_some()
    }

    /// Returns whether the token with that identifier is revoked.
    pub(crate) fn is_revoked(&self, token: &TokenId) -> bool {
        self.revoked.contains(token.as_str())
    }
}

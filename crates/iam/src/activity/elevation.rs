//! Finds changes that gave somebody a right that leads to all others.
//!
//! What a change means depends on what else the account has: it is judged by the view of now.

use std::collections::BTreeSet;

use gatewright_policy::{CompiledPolicy, GroupName, Identity, Permissions, Policy as Rule, Region};
use gatewright_store::Kind;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::engine::view::View;
use crate::model::event::Event;
use crate::model::group::{GroupDocument, role_policy};
use crate::model::permissions_group::PermissionsGroupDocument;
use crate::model::policy::Policy;
use crate::model::principal_key::user_key;
use crate::model::resource_group::ResourceGroupDocument;
use crate::model::rights::EQUAL_TO_ADMINISTRATOR;
use crate::model::user::UserDocument;
use crate::model::user_token::UserTokenDocument;

/// An account, by whose policies of now changes are judged.
struct Judge<'v> {
    view: &'v View,
    region: Region,
}

/// Returns whether a change gave somebody a right that leads to all others.
pub(super) fn elevates(view: &View, region: Region, event: &Event) -> bool {
    let judge = Judge { view, region };
    match event.subject {
        Kind::Policy => exceeds(event, |policy: Policy| judge.elevated_by(&policy.rule)),
        Kind::PermissionsGroup => {
            exceeds(event, |group: PermissionsGroupDocument| granted(&group.permissions))
        }
        Kind::ResourceGroup => exceeds(event, |group: ResourceGroupDocument| {
            let account = view.account_urn().urn();
            group.resources.into_iter().filter(|urn| urn == account).collect()
        }),
        Kind::Group => exceeds(event, |group: GroupDocument| judge.elevated_by_role(&group)),
        Kind::User => exceeds(event, |user: UserDocument| {
            let urn = Identity::user(region, view.account(), &user.login);
            judge.elevated(&urn, &user.groups)
        }),
        Kind::UserToken => exceeds(event, |token: UserTokenDocument| {
            let user = view.users.get(&user_key(view.account(), &token.user));
            let urn = Identity::user(region, view.account(), &token.user);
            judge.elevated(&urn, user.map_or(&[], |user| &user.groups))
        }),
        _ => false,
    }
}

/// Returns whether the document after a change gives more than the one before.
fn exceeds<D: DeserializeOwned>(event: &Event, given: impl Fn(D) -> BTreeSet<String>) -> bool {
    let given = |document: Option<&Value>| {
        let document = document.and_then(|one| serde_json::from_value(one.clone()).ok());
        document.map(&given).unwrap_or_default()
    };
    !given(event.after.as_ref()).is_subset(&given(event.before.as_ref()))
}

/// Returns the rights that permissions grant and that lead to all others.
fn granted(permissions: &Permissions) -> BTreeSet<String> {
    let Ok(permissions) = permissions.compile() else { return BTreeSet::new() };
    let rights = EQUAL_TO_ADMINISTRATOR.iter().filter(|right| permissions.grants(right));
    rights.map(|&right| right.to_owned()).collect()
}

impl Judge<'_> {
    /// Returns whether a policy gives a right that leads to all others.
    fn is_elevating(&self, policy: &CompiledPolicy) -> bool {
        let policies = self.view.policies();
        let grants = |right: &&str| policies.grants_action(policy, right);
        policies.covers(policy, self.view.account_urn().urn())
            && EQUAL_TO_ADMINISTRATOR.iter().any(grants)
    }

    /// Returns the identities to which a rule gives a right that leads to all others.
    fn elevated_by(&self, rule: &Rule) -> BTreeSet<String> {
        match rule.compile(self.region) {
            Ok(policy) if self.is_elevating(&policy) => {
                policy.identities().map(str::to_owned).collect()
            }
            _ => BTreeSet::new(),
        }
    }

    fn elevated_by_role(&self, group: &GroupDocument) -> BTreeSet<String> {
        let identity = Identity::group(self.region, self.view.account(), &group.name);
        let is_managed = |name: &str| self.view.has_managed_group(name);
        let rule = role_policy(self.region, &identity, group.role, &is_managed);
        rule.map(|rule| self.elevated_by(&rule)).unwrap_or_default()
    }

    /// Returns the identities of a user by which they have a right that leads to all others.
    fn elevated(&self, user: &Identity, groups: &[GroupName]) -> BTreeSet<String> {
        let group = |name| Identity::group(self.region, self.view.account(), name);
        let identities = groups.iter().map(group).chain([user.clone()]);
        let policies = self.view.policies();
        let is_elevated = |identity: &Identity| {
            let mut naming = policies.naming(identity.urn()).into_iter();
            naming.any(|id| policies.get(id).is_some_and(|policy| self.is_elevating(policy)))
        };
        identities.filter(is_elevated).map(|identity| identity.urn().to_owned()).collect()
    }
}

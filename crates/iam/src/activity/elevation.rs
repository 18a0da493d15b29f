//! Finds changes that gave somebody a right that leads to all others.
//!
//! What a change means depends on what else the account has: it is judged by the view of now. A document
//! after a change that cannot be judged counts as giving such a right.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use gatewright_policy::{CompiledPolicy, GroupName, Identity, Permissions, Policy as Rule, Region};
use gatewright_store::Kind;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::core::budget::Budget;
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

/// The number of rights by which a policy is judged.
const RIGHTS: u64 = EQUAL_TO_ADMINISTRATOR.len() as u64;

/// The cost of reading a document, beside that of what it says.
const DOCUMENT_COST: u64 = 200;

/// An account, by whose policies of now the changes of one request are judged: each identity once.
pub(super) struct Judge {
    view: Arc<View>,
    region: Region,
    /// The identities that were judged: true for those that have a right that leads to all others.
    judged: HashMap<String, bool>,
}

impl Judge {
    pub(super) fn new(view: Arc<View>, region: Region) -> Self {
        Self { view, region, judged: HashMap::new() }
    }

    /// Marks the events, from an index on, that gave somebody a right that leads to all others, until the
    /// budget is spent. Returns the index of the first event that is not judged; one at least is.
    pub(super) async fn mark(
        &mut self,
        events: &mut [Event],
        from: usize,
        budget: &mut Budget,
    ) -> usize {
        let mut next = from;
        for event in events.iter_mut().skip(from) {
            let is_elevating = self.is_elevating_change(event, budget).await;
            event.equal_to_administrator = is_elevating;
            next += 1;
            if budget.spend(0).is_err() {
                break;
            }
        }
        next
    }

    /// Returns whether the document after a change gives more than the one before.
    async fn is_elevating_change(&mut self, event: &Event, budget: &mut Budget) -> bool {
        let Some(after) = self.given(event.subject, event.after.as_ref(), budget).await else {
            return true;
        };
        if after.is_empty() {
            return false;
        }
        match self.given(event.subject, event.before.as_ref(), budget).await {
            Some(before) => !after.is_subset(&before),
            // Perhaps it gave nothing.
            None => true,
        }
    }

    /// Returns what a document gives: the identities that have a right that leads to all others by it, or
    /// such rights; none where the document cannot be judged.
    async fn given(
        &mut self,
        kind: Kind,
        document: Option<&Value>,
        budget: &mut Budget,
    ) -> Option<BTreeSet<String>> {
        let Some(document) = document else { return Some(BTreeSet::new()) };
        match kind {
            Kind::Policy => {
                let policy: Policy = read(document, budget).await?;
                self.elevated_by(&policy.rule, budget).await
            }
            Kind::PermissionsGroup => {
                let group: PermissionsGroupDocument = read(document, budget).await?;
                granted(&group.permissions, budget).await
            }
            Kind::ResourceGroup => {
                let group: ResourceGroupDocument = read(document, budget).await?;
                let account = self.view.account_urn().urn();
                Some(group.resources.into_iter().filter(|urn| urn == account).collect())
            }
            Kind::Group => {
                let group: GroupDocument = read(document, budget).await?;
                match self.role_rule(&group) {
                    Some(rule) => self.elevated_by(&rule, budget).await,
                    None => Some(BTreeSet::new()),
                }
            }
            Kind::User => {
                let user: UserDocument = read(document, budget).await?;
                let urn = Identity::user(self.region, self.view.account(), &user.login);
                Some(self.elevated(&urn, &user.groups, budget).await)
            }
            Kind::UserToken => {
                let token: UserTokenDocument = read(document, budget).await?;
                let urn = Identity::user(self.region, self.view.account(), &token.user);
                let user = self.view.users.get(&user_key(self.view.account(), &token.user));
                // A user who is deleted has no groups.
                let groups = user.map_or_else(Vec::new, |user| user.groups.clone());
                Some(self.elevated(&urn, &groups, budget).await)
            }
            // They give no right, or none that is not there without them.
            Kind::Account
            | Kind::Client
            | Kind::Resource
            | Kind::RevokedToken
            | Kind::Session
            | Kind::Totp
            | Kind::Passkey
            | Kind::Api => Some(BTreeSet::new()),
        }
    }

    /// Returns whether a policy gives a right that leads to all others.
    fn is_elevating(&self, policy: &CompiledPolicy) -> bool {
        let policies = self.view.policies();
        let grants = |right: &&str| policies.grants_action(policy, right);
        policies.covers(policy, self.view.account_urn().urn())
            && EQUAL_TO_ADMINISTRATOR.iter().any(grants)
    }

    /// Returns the identities to which a rule gives a right that leads to all others; none where it does
    /// not compile.
    async fn elevated_by(&self, rule: &Rule, budget: &mut Budget) -> Option<BTreeSet<String>> {
        let policy = rule.compile(self.region).ok()?;
        let mut identities = BTreeSet::new();
        if self.is_elevating(&policy) {
            identities.extend(policy.identities().map(str::to_owned));
        }
        spend(budget, policy.memory() as u64).await;
        Some(identities)
    }

    /// Builds the rule that implements the role of a group, if the role has one.
    fn role_rule(&self, group: &GroupDocument) -> Option<Rule> {
        let identity = Identity::group(self.region, self.view.account(), &group.name);
        let is_managed = |name: &str| self.view.has_managed_group(name);
        role_policy(self.region, &identity, group.role, &is_managed)
    }

    /// Returns the identities of a user by which they have a right that leads to all others.
    async fn elevated(
        &mut self,
        user: &Identity,
        groups: &[GroupName],
        budget: &mut Budget,
    ) -> BTreeSet<String> {
        let mut elevated = BTreeSet::new();
        for name in groups {
            let group = Identity::group(self.region, self.view.account(), name);
            if self.is_elevated(group.urn(), budget).await {
                elevated.insert(group.urn().to_owned());
            }
        }
        if self.is_elevated(user.urn(), budget).await {
            elevated.insert(user.urn().to_owned());
        }
        elevated
    }

    /// Returns whether a policy gives an identity a right that leads to all others.
    async fn is_elevated(&mut self, urn: &str, budget: &mut Budget) -> bool {
        if let Some(is_elevated) = self.judged.get(urn) {
            return *is_elevated;
        }
        let view = Arc::clone(&self.view);
        let policies = view.policies();
        let naming = policies.naming(urn);
        let cost = policies.cost_of_identity(urn).saturating_mul(RIGHTS);
        let cost = cost / (naming.len() as u64).max(1) + 1;
        let mut is_elevated = false;
        for id in naming {
            is_elevated = policies.get(id).is_some_and(|policy| self.is_elevating(policy));
            spend(budget, cost).await;
            if is_elevated {
                break;
            }
        }
        self.judged.insert(urn.to_owned(), is_elevated);
        is_elevated
    }
}

/// Spends a cost and lets others run after a portion. A budget that is spent ends the page after the
/// event, not within it.
async fn spend(budget: &mut Budget, cost: u64) {
    let _is_within = budget.spend(cost);
    budget.pause_after(cost).await;
}

/// Reads a document; returns none for a malformed one.
async fn read<D: DeserializeOwned>(document: &Value, budget: &mut Budget) -> Option<D> {
    spend(budget, DOCUMENT_COST).await;
    serde_json::from_value(document.clone()).ok()
}

/// Returns the rights that permissions grant and that lead to all others; none where they do not compile.
async fn granted(permissions: &Permissions, budget: &mut Budget) -> Option<BTreeSet<String>> {
    let permissions = permissions.compile().ok()?;
    let rights = EQUAL_TO_ADMINISTRATOR.iter().filter(|right| permissions.grants(right));
    let rights = rights.map(|&right| right.to_owned()).collect();
    spend(budget, permissions.memory() as u64).await;
    Some(rights)
}

#[cfg(test)]
mod tests {
    use gatewright_policy::{AccountName, Instant, Revision};
    use serde_json::json;

    use super::*;
    use crate::catalogue::index::Catalogue;

    fn change(subject: Kind, before: Option<Value>, after: Option<Value>) -> Event {
        Event {
            revision: Revision::new(1),
            at: Instant::EPOCH,
            who: String::new(),
            ip: None,
            query_id: String::new(),
            subject,
            id: String::new(),
            name: String::new(),
            before,
            after,
            equal_to_administrator: false,
        }
    }

    #[tokio::test]
    async fn a_document_that_cannot_be_judged_counts_as_giving_the_right() {
        let account = AccountName::new("aa11111-ovh");
        let view = View::new(account, Region::Eu, &Arc::new(Catalogue::default())).unwrap();
        let mut judge = Judge::new(Arc::new(view), Region::Eu);
        let malformed = || Some(json!({"malformed": true}));
        for kind in Kind::ALL {
            let mut changes = [change(kind, None, malformed()), change(kind, malformed(), None)];
            let mut budget = Budget::new(u64::MAX);
            assert_eq!(judge.mark(&mut changes, 0, &mut budget).await, 2);
            let expected = matches!(
                kind,
                Kind::Policy
                    | Kind::PermissionsGroup
                    | Kind::ResourceGroup
                    | Kind::Group
                    | Kind::User
                    | Kind::UserToken
            );
            let marked = changes.map(|one| one.equal_to_administrator);
            assert_eq!(marked, [expected, false], "{kind:?}");
        }
    }
}

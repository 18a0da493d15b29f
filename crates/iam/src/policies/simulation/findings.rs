//! Finds the policies of an account that should be reviewed.

use std::time::Duration;

use gatewright_policy::{GroupName, Identity, IdentityKind, Login};

use crate::core::iam::Iam;
use crate::engine::view::View;
use crate::model::caller::Context;
use crate::model::error::IamError;
use crate::model::group::is_built_in;
use crate::model::principal_key::{group_key, user_key};
use crate::model::rights;
use crate::model::simulation::Findings;
use crate::policies::simulation::exact_denies::ExactDenies;

/// The time before the expiry of a policy within which it is reported.
const SOON: Duration = Duration::from_hours(30 * 24);

impl Iam {
    /// Returns the policies of the caller's account that should be reviewed.
    pub async fn findings(&self, context: &Context) -> Result<Findings, IamError> {
        self.demand(context, rights::POLICY_GET).await?;
        let view = self.views.get(context.account()).await?;
        let set = view.policies();
        let mut findings = Findings::default();
        let catalogue = self.catalogue();
        let mut exact_denies = ExactDenies::new(self, context, &view, &catalogue);
        let owner = Identity::account_of(self.settings.region, context.account());
        for policy in view.own_policies() {
            let id = policy.id();
            // The owner of the account has all permissions without a policy.
            if policy.identities().eq([owner.urn()]) {
                continue;
            }
            if set.mentions_action(policy, "*") {
                findings.everything.push(id);
            }
            if policy.identities().any(|urn| self.is_gone(&view, urn)) {
                findings.gone.push(id);
            }
            if policy.identities().next().is_none() {
                findings.nobody.push(id);
            }
            if exact_denies.has(policy).await? {
                findings.exact_denies.push(id);
            }
            match policy.expires() {
                Some(expires) if expires <= context.now => findings.expired.push(id),
                Some(expires) if expires <= context.now.saturating_add(SOON) => {
                    findings.expiring.push((expires, id));
                }
                _ => {}
            }
        }
        findings.expiring.sort_unstable();
        let lists = [&mut findings.everything, &mut findings.gone, &mut findings.nobody];
        let more = [&mut findings.expired, &mut findings.exact_denies];
        lists.into_iter().chain(more).for_each(|list| list.sort_unstable());
        Ok(findings)
    }

    /// Returns whether a URN names an identity of the account that does not exist.
    fn is_gone(&self, view: &View, urn: &str) -> bool {
        let Ok(identity) = Identity::parse(urn, self.settings.region) else { return false };
        let account = identity.account();
        // The account as a whole is there.
        let Some(name) = identity.name() else { return false };
        if account != view.policies().owner() {
            return false;
        }
        match identity.kind() {
            IdentityKind::User => {
                name != "*" && view.users.get(&user_key(account, &Login::new(name))).is_none()
            }
            IdentityKind::Group => {
                let name = GroupName::new(name);
                !is_built_in(&name) && !view.groups.contains(&group_key(account, &name))
            }
            IdentityKind::Credential => {
                name.strip_prefix("oauth2-").is_some_and(|id| view.clients.get(id).is_none())
            }
            IdentityKind::Account => false,
        }
    }
}

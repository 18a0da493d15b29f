//! Checks that policies leave decisions cheap, and that those of an account fit into memory.
//!
//! The checks read the view before the change, so that two changes at once may both pass: the next
//! one is refused.

use std::collections::BTreeSet;
use std::sync::Arc;

use gatewright_policy::{
    AccountName, CompiledPolicy, Permissions, PermissionsError, Policy as Rule, PolicySet,
};
use gatewright_store::Kind;

use crate::core::iam::Iam;
use crate::engine::view::View;
use crate::model::document::Document;
use crate::model::error::{Fault, IamError};
use crate::model::policy::{Policy, refusal};

impl Iam {
    /// Checks the policies of an account where it has this one.
    pub(crate) async fn check_policy_cost(
        &self,
        account: &AccountName,
        rule: &Rule,
    ) -> Result<(), IamError> {
        let compiled = rule.compile(self.settings.region).map_err(|error| refusal(&error))?;
        let view = self.views.get(account).await?;
        let identities = compiled.identities().map(str::to_owned).collect();
        let mut set = view.policies().clone();
        set.insert(compiled);
        let most = self.settings.limits.account_policy_bytes.max(view.policies().memory());
        if set.memory() > most {
            let message = format!(
                "the policies of the account would take more than {most} bytes: delete some, or use \
                 fewer patterns with *"
            );
            return Err(IamError::invalid(Fault::Parameter, message));
        }
        self.check_costs(view, set, identities).await
    }

    /// Checks the policies of an account where one of them names one more identity.
    pub(crate) async fn check_attachment_cost(
        &self,
        account: &AccountName,
        policy: &str,
        identity: &str,
    ) -> Result<(), IamError> {
        let object = self.store.object(account, Kind::Policy, policy).await?;
        let mut rule = Policy::read(&object.ok_or(IamError::NotFound)?.document)?.rule;
        let compiled = rule.compile(self.settings.region).map_err(|error| refusal(&error))?;
        if compiled.identities().any(|urn| urn == identity) {
            return Ok(());
        }
        rule.identities.push(identity.to_owned());
        self.check_policy_cost(account, &rule).await
    }

    /// Checks the policies that name a permissions group, where it has other permissions.
    pub(crate) async fn check_permissions_group_cost(
        &self,
        account: &AccountName,
        urn: &str,
        permissions: &Permissions,
    ) -> Result<(), IamError> {
        let invalid = |error: PermissionsError| IamError::invalid(Fault::Format, error.to_string());
        let compiled = permissions.compile().map_err(invalid)?;
        let view = self.views.get(account).await?;
        let mut set = view.policies().clone();
        set.set_permissions_group(urn, Arc::new(compiled));
        let naming = set.iter().filter(|policy| policy.names_permissions_group(urn));
        let identities = naming.flat_map(CompiledPolicy::identities).map(str::to_owned).collect();
        self.check_costs(view, set, identities).await
    }

    /// Checks the cost of decisions for some identities by other policies than those of now.
    async fn check_costs(
        &self,
        view: Arc<View>,
        set: PolicySet,
        identities: BTreeSet<String>,
    ) -> Result<(), IamError> {
        let most = self.settings.limits.decision_cost;
        // An account may have many users: no worker is held up by them, and no other account.
        let account = view.account().clone();
        let check = async move {
            let check = move || view.check_costs(&set, &identities, most);
            tokio::task::spawn_blocking(check).await.map_err(IamError::internal)?
        };
        self.large_requests.run(&account, check).await
    }
}

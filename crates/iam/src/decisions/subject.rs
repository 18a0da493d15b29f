//! Finds the subjects of evaluations.

use std::sync::Arc;

use gatewright_policy::{AccountName, ClientId, GroupName, Identity, IdentityKind, Login, Region};

use crate::core::iam::Iam;
use crate::engine::view::View;
use crate::model::caller::{Context, Principal};
use crate::model::error::IamError;
use crate::model::evaluation::{Evaluation, SubjectKind};
use crate::model::group::{BUILT_IN, is_built_in};
use crate::model::principal_key::{group_key, group_of_key, login_of_key, user_key};

impl Iam {
    /// Returns whether the caller may ask about the identities and resources of an account.
    pub(crate) fn may_ask_about(&self, context: &Context, account: &AccountName) -> bool {
        account == context.account()
            || self.settings.registrars.iter().any(|one| one == context.account())
    }

    /// Finds the subject of a request; none where it does not exist or the caller may not ask about
    /// it.
    pub(crate) async fn subject(
        &self,
        context: &Context,
        request: &Evaluation,
    ) -> Result<Option<Arc<Principal>>, IamError> {
        let region = self.settings.region;
        let (text, account) = (request.subject.as_str(), context.account());
        let Some(kind) = request.subject_kind else { return Ok(None) };
        if kind == SubjectKind::Token {
            return self.subject_of_token(context, text).await;
        }
        let Some(identity) = identity(kind, text, (region, account)) else { return Ok(None) };
        if !self.may_ask_about(context, identity.account()) {
            return Ok(None);
        }
        let view = match self.views.get(identity.account()).await {
            Err(IamError::NotFound) => return Ok(None),
            view => view?,
        };
        let name = identity.name().ok_or_else(|| IamError::impossible("a nameless subject"))?;
        let principal = match identity.kind() {
            IdentityKind::Credential => {
                let client = name.strip_prefix("oauth2-").and_then(|id| view.clients.get(id));
                client.filter(|client| client.enabled).map(|_| Principal::alone(identity, region))
            }
            IdentityKind::User => {
                let key = user_key(identity.account(), &Login::new(name));
                let user = view.users.get(&key).filter(|user| user.enabled);
                user.map(|user| user.principal(region, identity.account()))
            }
            IdentityKind::Group => {
                let name = GroupName::new(name);
                let is_there = is_built_in(&name)
                    || view.groups.contains(&group_key(identity.account(), &name));
                is_there.then(|| Principal::alone(identity, region))
            }
            IdentityKind::Account => None,
        };
        Ok(principal.map(Arc::new))
    }

    /// Finds the principal of a token; none where it is not active or the caller may not ask about it.
    async fn subject_of_token(
        &self,
        context: &Context,
        token: &str,
    ) -> Result<Option<Arc<Principal>>, IamError> {
        let subject = self.authenticate_token(token, context.now).await;
        match subject.map(|subject| subject.principal) {
            Err(IamError::BadCredential) => Ok(None),
            Ok(one) if !self.may_ask_about(context, one.account()) => Ok(None),
            one => one.map(Some),
        }
    }
}

/// Reads the identity of a subject: its URN, or its name in the caller's account. None where it is no
/// identity of that type.
fn identity(
    kind: SubjectKind,
    text: &str,
    (region, account): (Region, &AccountName),
) -> Option<Identity> {
    let identity = if text.starts_with("urn:") {
        Identity::parse(text, region).ok()?
    } else if text.is_empty() || text.contains(['/', ':', '*']) {
        return None;
    } else {
        match kind {
            SubjectKind::ServiceAccount => {
                Identity::service_account(region, account, &ClientId::new(text))
            }
            SubjectKind::User => Identity::user(region, account, &Login::new(text)),
            SubjectKind::Group => Identity::group(region, account, &GroupName::new(text)),
            SubjectKind::Token => return None,
        }
    };
    let is_of_kind = match kind {
        SubjectKind::ServiceAccount => identity.kind() == IdentityKind::Credential,
        SubjectKind::User => identity.kind() == IdentityKind::User,
        SubjectKind::Group => identity.kind() == IdentityKind::Group,
        SubjectKind::Token => false,
    };
    is_of_kind.then_some(identity)
}

/// Lists the names of the subjects of a type.
pub(crate) fn subjects(view: &View, kind: Option<SubjectKind>) -> Result<Vec<String>, IamError> {
    match kind {
        None | Some(SubjectKind::Token) => Ok(Vec::new()),
        Some(SubjectKind::ServiceAccount) => Ok(view.clients.ids().map(str::to_owned).collect()),
        Some(SubjectKind::User) => {
            view.users.ids().map(|key| Ok(login_of_key(key)?.to_string())).collect()
        }
        Some(SubjectKind::Group) => {
            let built_in = BUILT_IN.iter().map(|(name, _)| Ok(name.to_string()));
            let own = view.groups.ids().map(|key| Ok(group_of_key(key)?.to_string()));
            built_in.chain(own).collect()
        }
    }
}

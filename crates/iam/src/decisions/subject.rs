//! Finds the subjects of evaluations.

use std::sync::Arc;

use gatewright_policy::{
    AccountName, Caller, ClientId, GroupName, Identity, IdentityKind, Login, Scope,
};

use crate::core::iam::Iam;
use crate::engine::view::View;
use crate::model::caller::{Context, Principal, PrincipalKind, Token};
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
            let subject = self.authenticate_token(text, context.now).await;
            return match subject.map(|subject| subject.principal) {
                Err(IamError::BadCredential) => Ok(None),
                Ok(one) if !self.may_ask_about(context, one.account()) => Ok(None),
                one => one.map(Some),
            };
        }
        let identity = if text.starts_with("urn:") {
            Identity::parse(text, region).ok()
        } else {
            let is_name = !text.is_empty() && !text.contains(['/', ':', '*']);
            is_name.then(|| match kind {
                SubjectKind::ServiceAccount => {
                    Identity::service_account(region, account, &ClientId::new(text))
                }
                SubjectKind::User => Identity::user(region, account, &Login::new(text)),
                SubjectKind::Group | SubjectKind::Token => {
                    Identity::group(region, account, &GroupName::new(text))
                }
            })
        };
        let Some(identity) = identity else { return Ok(None) };
        if !self.may_ask_about(context, identity.account()) {
            return Ok(None);
        }
        let view = match self.views.get(identity.account()).await {
            Err(IamError::NotFound) => return Ok(None),
            view => view?,
        };
        let name = identity.name().unwrap_or_default().to_owned();
        let alone = |identity: Identity| {
            let identities = std::slice::from_ref(&identity);
            let caller = Caller::new(region, identity.account(), identities, Scope::All);
            let (kind, token) = (PrincipalKind::ServiceAccount, Token::None);
            Principal { kind, identity, caller, token }
        };
        let principal = match (kind, identity.kind()) {
            (SubjectKind::ServiceAccount, IdentityKind::Credential) => {
                let client = name.strip_prefix("oauth2-").and_then(|id| view.clients.get(id));
                client.filter(|client| client.enabled).map(|_| alone(identity))
            }
            (SubjectKind::User, IdentityKind::User) => {
                let user = view
                    .users
                    .get(&user_key(identity.account(), &Login::new(name)))
                    .filter(|one| one.enabled);
                user.map(|user| user.principal(region, identity.account()))
            }
            (SubjectKind::Group, IdentityKind::Group) => {
                let name = GroupName::new(name);
                let is_there = is_built_in(&name)
                    || view.groups.contains(&group_key(identity.account(), &name));
                is_there.then(|| alone(identity))
            }
            _ => None,
        };
        Ok(principal.map(Arc::new))
    }
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

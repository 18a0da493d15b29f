//! Collects the words of an account and a user that their password must not be made of.

use gatewright_policy::{AccountName, Login};
use gatewright_store::Kind;

use crate::core::iam::Iam;
use crate::model::caller::{Context, PrincipalKind};
use crate::model::document::Document;
use crate::model::error::IamError;
use crate::model::principal_key::user_key;
use crate::model::user::UserDocument;

/// The contact details that passwords are made of.
const GUESSABLE: [&str; 5] = ["firstname", "name", "organisation", "birthDay", "city"];

impl Iam {
    /// Returns what whoever knows an account, and a user of it, would guess a password from.
    pub(crate) async fn guessable_words(
        &self,
        account: &AccountName,
        user: Option<&UserDocument>,
    ) -> Result<Vec<String>, IamError> {
        let profile = self.profile(account).await?;
        let details = profile.contact_details.fields();
        let mut words: Vec<String> = details
            .filter(|(field, _)| GUESSABLE.contains(field))
            .filter_map(|(_, value)| value.map(str::to_owned))
            .collect();
        words.extend([account.to_string(), profile.email]);
        if let Some(user) = user {
            words.push(user.login.to_string());
            words.extend(user.email.clone());
        }
        Ok(words)
    }

    /// Returns the same words for a person who is signed in.
    pub(crate) async fn own_guessable_words(
        &self,
        context: &Context,
    ) -> Result<Vec<String>, IamError> {
        let account = context.account();
        let user = match context.principal.identity.name() {
            Some(login) if context.principal.kind == PrincipalKind::User => {
                let id = user_key(account, &Login::new(login));
                self.store.object(account, Kind::User, &id).await?
            }
            _ => None,
        };
        let user = user.map(|user| UserDocument::read(&user.document)).transpose()?;
        self.guessable_words(account, user.as_ref()).await
    }
}

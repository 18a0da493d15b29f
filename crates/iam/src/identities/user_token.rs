//! Personal access tokens, which a user gives to a program that calls the API in their name.

use gatewright_policy::{Identity, Login, TokenId};
use std::sync::Arc;

use gatewright_store::{Kind, Object};

use crate::core::creation::created_already;
use crate::core::iam::Iam;
use crate::model::caller::Context;
use crate::model::document::Document;
use crate::model::error::{Fault, IamError};
use crate::model::input::{Input, check_text};
use crate::model::principal_key::user_key;
use crate::model::rights;
use crate::model::secret::Secret;
use crate::model::user_token::{
    PREFIX, UserToken, UserTokenDocument, UserTokenEdit, UserTokenInput, check_name, subject,
};

/// The maximum number of personal access tokens of a user.
pub(crate) const MOST: usize = 100;

impl Iam {
    /// Lists the personal access tokens of a user, in the order of their creation.
    pub async fn user_tokens(
        &self,
        context: &Context,
        login: &Login,
    ) -> Result<Vec<UserToken>, IamError> {
        self.demand(context, rights::USER_TOKEN_GET).await?;
        let account = context.account();
        let view = self.views.get(account).await?;
        view.users.get(&user_key(account, login)).ok_or(IamError::NotFound)?;
        let last_used = self.recorder.last_used(account).await?;
        let own = view.user_tokens.iter().filter(|(_, one)| one.user == *login);
        let token = |(id, one): (&str, &Arc<UserTokenDocument>)| {
            one.token(last_used.get(&subject(&TokenId::new(id))).copied())
        };
        let mut tokens: Vec<UserToken> = own.map(token).collect::<Result<_, _>>()?;
        tokens.sort_by(|a, b| (a.created_at, &a.name).cmp(&(b.created_at, &b.name)));
        Ok(tokens)
    }

    /// Reads a personal access token of a user.
    pub async fn user_token(
        &self,
        context: &Context,
        login: &Login,
        name: &str,
    ) -> Result<UserToken, IamError> {
        let tokens = self.user_tokens(context, login).await?;
        tokens.into_iter().find(|one| one.name == name).ok_or(IamError::NotFound)
    }

    /// Checks that the caller may give a user a token: themselves, or as one who may give rights.
    async fn demand_token_grant(&self, context: &Context, login: &Login) -> Result<(), IamError> {
        let own = Identity::user(self.settings.region, context.account(), login);
        if own == context.principal.identity {
            return context.demand_reauthentication();
        }
        self.demand_grantor(context).await
    }

    /// Creates a personal access token. Only this answer contains the token, which is stored as a
    /// hash.
    pub async fn create_user_token(
        &self,
        context: &Context,
        login: &Login,
        input: Input<UserTokenInput>,
    ) -> Result<(UserToken, Secret), IamError> {
        self.demand(context, rights::USER_TOKEN_CREATE).await?;
        self.demand_token_grant(context, login).await?;
        if let Some(created) = self.created_before::<UserTokenDocument>(context).await? {
            let UserTokenDocument { user, name, .. } = created.document;
            return Err(created_already(&format!("the token {name} of the user {user}")));
        }
        let account = context.account();
        let view = self.views.get(account).await?;
        view.users.get(&user_key(account, login)).ok_or(IamError::NotFound)?;
        let input = input?;
        check_name(&input.name)?;
        check_text("description", &input.description, 0, 255)?;
        if view.user_tokens.iter().filter(|(_, one)| one.user == *login).count() >= MOST {
            let message = format!("a user has at most {MOST} tokens: delete one");
            return Err(IamError::invalid(Fault::TooLong, message));
        }
        let document = UserTokenDocument {
            user: login.clone(),
            name: input.name,
            description: input.description,
            created_at: context.now,
            expires: input.expiry.instant(context.now)?,
        };
        let secret = self.sources.secret(&format!("{PREFIX}{account}."))?;
        let id = hex::encode(secret.hash());
        let change = document.create(self.place(account, &id), None)?;
        let made = self.create(context, account, change).await;
        made.map_err(|error| match IamError::from(error) {
            IamError::Conflict { .. } => IamError::Conflict {
                detail: "TOKEN_ALREADY_EXISTS",
                message: "This token already exists".to_owned(),
            },
            error => error,
        })?;
        Ok((document.token(None)?, secret))
    }

    /// Changes a personal access token.
    pub async fn edit_user_token(
        &self,
        context: &Context,
        login: &Login,
        name: &str,
        edit: Input<UserTokenEdit>,
    ) -> Result<UserToken, IamError> {
        self.demand(context, rights::USER_TOKEN_EDIT).await?;
        // A token that lasts longer is as good as a new one.
        if edit.as_ref().is_ok_and(|edit| edit.expiry.is_some()) {
            self.demand_token_grant(context, login).await?;
        }
        let object = self.user_token_object(context, login, name).await?;
        let edit = edit?;
        if let Some(description) = &edit.description {
            check_text("description", description, 0, 255)?;
        }
        let expires = edit.expiry.map(|expiry| expiry.instant(context.now)).transpose()?;
        let used_at = self
            .recorder
            .last_used(context.account())
            .await?
            .get(&subject(&TokenId::new(object.id.as_str())))
            .copied();
        let place = self.place(context.account(), &object.id);
        self.change(context, place, |document: &mut UserTokenDocument| {
            if let Some(description) = &edit.description {
                document.description.clone_from(description);
            }
            document.expires = expires.unwrap_or(document.expires);
            document.token(used_at)
        })
        .await
    }

    /// Deletes a personal access token, which is revoked at once.
    pub async fn delete_user_token(
        &self,
        context: &Context,
        login: &Login,
        name: &str,
    ) -> Result<(), IamError> {
        self.demand(context, rights::USER_TOKEN_DELETE).await?;
        let object = self.user_token_object(context, login, name).await?;
        let place = self.place(context.account(), &object.id);
        self.delete(context, place, &[], |_: &UserTokenDocument| Ok(())).await
    }

    async fn user_token_object(
        &self,
        context: &Context,
        login: &Login,
        name: &str,
    ) -> Result<Object, IamError> {
        let name = format!("{login}/{name}");
        let object = self.store.object_by_name(context.account(), Kind::UserToken, &name).await?;
        object.ok_or(IamError::NotFound)
    }
}

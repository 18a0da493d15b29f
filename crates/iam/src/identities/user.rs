//! Local users: people who sign in to an account beside its owner.

use std::collections::HashMap;
use std::sync::Arc;

use gatewright_policy::{AccountName, GroupName, Identity, Login, Revision};
use gatewright_store::{Kind, Object};

use crate::core::iam::Iam;
use crate::model::caller::Context;
use crate::model::document::Document;
use crate::model::error::IamError;
use crate::model::input::Input;
use crate::model::limits::{check_cost, check_number};
use crate::model::principal_key::user_key;
use crate::model::rights;
use crate::model::user::{User, UserDocument, UserEdit, UserInput, check_login};
use crate::model::user_token::UserTokenDocument;

impl Iam {
    fn user_of(&self, account: &AccountName, document: UserDocument) -> Result<User, IamError> {
        let urn = Identity::user(self.settings.region, account, &document.login);
        Ok(User {
            tag: document.tag(self.place(account, document.login.as_str()))?,
            urn: urn.urn().to_owned(),
            login: document.login,
            email: document.email,
            description: document.description,
            groups: document.groups,
            kind: document.kind,
            enabled: document.enabled,
            created_at: document.created_at,
            updated_at: document.updated_at,
            password_changed_at: document.password_changed_at,
        })
    }

    fn read_user(&self, object: &Object) -> Result<User, IamError> {
        self.user_of(&object.account, UserDocument::read(&object.document)?)
    }

    /// Lists the users of the account, in the order of their creation.
    pub async fn users(&self, context: &Context) -> Result<Vec<User>, IamError> {
        self.demand(context, rights::USER_GET).await?;
        let account = context.account();
        let objects =
            self.store.objects_of_kind(account, Kind::User, Revision::ZERO, i64::MAX).await?;
        objects.iter().map(|object| self.read_user(object)).collect()
    }

    /// Reads a user of the account.
    pub async fn user(&self, context: &Context, login: &Login) -> Result<User, IamError> {
        self.demand(context, rights::USER_GET).await?;
        let account = context.account();
        let object = self.store.object(account, Kind::User, &user_key(account, login)).await?;
        self.read_user(&object.ok_or(IamError::NotFound)?)
    }

    /// Creates a user.
    pub async fn create_user(
        &self,
        context: &Context,
        input: Input<UserInput>,
    ) -> Result<User, IamError> {
        self.demand(context, rights::USER_CREATE).await?;
        self.demand_grantor(context).await?;
        if let Some(created) = self.created_before(context).await? {
            return self.user_of(&created.owner, created.document);
        }
        let input = input?;
        let mut document = UserDocument {
            login: check_login(&input.login)?,
            email: input.email,
            description: input.description,
            groups: input.groups,
            kind: input.kind,
            enabled: true,
            enabled_at: None,
            created_at: context.now,
            updated_at: context.now,
            password_changed_at: input.password.as_ref().map(|_| context.now),
        };
        document.check()?;
        let account = context.account();
        let held = self.views.get(account).await?.users.len();
        check_number(held, self.settings.limits.users, "users")?;
        for group in &document.groups {
            self.check_group(account, group).await?;
        }
        self.check_user_cost(account, &document.login, &document.groups).await?;
        let secret = match input.password {
            None => None,
            Some(password) => {
                let words = self.guessable_words(account, Some(&document)).await?;
                Some(self.hash_password(account, password, words).await?)
            }
        };
        let id = user_key(account, &document.login);
        let change = document.create(self.place(account, &id), secret)?;
        let made = self.create(context, account, change).await;
        made.map_err(|error| match IamError::from(error) {
            IamError::Conflict { .. } => IamError::Conflict {
                detail: "USER_ALREADY_EXISTS",
                message: format!("there is a user {} already: choose another", document.login),
            },
            error => error,
        })?;
        self.user_of(account, document)
    }

    /// Changes a user.
    pub async fn edit_user(
        &self,
        context: &Context,
        login: &Login,
        edit: Input<UserEdit>,
    ) -> Result<User, IamError> {
        self.demand(context, rights::USER_EDIT).await?;
        self.demand_grantor(context).await?;
        let edit = edit?;
        for group in edit.groups.iter().flatten() {
            self.check_group(context.account(), group).await?;
        }
        if let Some(groups) = &edit.groups {
            self.check_user_cost(context.account(), login, groups).await?;
        }
        self.change_user(context, login, |document| {
            let edit = edit.clone();
            document.email = edit.email.or(document.email.take());
            document.description = edit.description.unwrap_or(document.description.clone());
            document.groups = edit.groups.unwrap_or(document.groups.clone());
        })
        .await
    }

    /// Enables a user, who may then sign in again; tokens from before stay invalid.
    pub async fn enable_user(&self, context: &Context, login: &Login) -> Result<User, IamError> {
        self.demand(context, rights::USER_ENABLE).await?;
        self.demand_grantor(context).await?;
        let view = self.views.get(context.account()).await?;
        let is_disabled = |user: &Arc<UserDocument>| !user.enabled;
        let id = user_key(context.account(), login);
        let old = if view.users.get(&id).is_some_and(is_disabled) {
            self.tokens_of(context.account(), login).await?
        } else {
            Vec::new()
        };
        let user = self
            .change_user(context, login, |document| {
                if !document.enabled {
                    document.enabled = true;
                    document.enabled_at = Some(context.now);
                }
            })
            .await?;
        // They count no more, but an older version would not know that.
        self.delete_tokens(context, old).await?;
        Ok(user)
    }

    /// Disables a user, and ends their sessions and deletes their personal access tokens at once.
    pub async fn disable_user(&self, context: &Context, login: &Login) -> Result<User, IamError> {
        self.demand(context, rights::USER_DISABLE).await?;
        let user = self.change_user(context, login, |document| document.enabled = false).await?;
        let over = self.sessions_of(context.account(), &user.urn).await?;
        self.end_sessions(context, over).await?;
        let tokens = self.tokens_of(context.account(), login).await?;
        self.delete_tokens(context, tokens).await?;
        Ok(user)
    }

    /// Returns the identifiers of the personal access tokens of a user.
    async fn tokens_of(
        &self,
        account: &AccountName,
        login: &Login,
    ) -> Result<Vec<String>, IamError> {
        let view = self.views.get(account).await?;
        let own = view.user_tokens.iter().filter(|(_, one)| one.user() == login);
        Ok(own.map(|(id, _)| id.to_owned()).collect())
    }

    /// Deletes personal access tokens; those that are gone already are ignored.
    async fn delete_tokens(&self, context: &Context, ids: Vec<String>) -> Result<(), IamError> {
        for id in ids {
            match self.write(context, vec![UserTokenDocument::delete(&id)]).await {
                Ok(()) | Err(IamError::NotFound) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Deletes a user and ends their sessions and tokens at once. The policies of the account name them
    /// no longer, so that another user with the same login does not inherit them.
    pub async fn delete_user(&self, context: &Context, login: &Login) -> Result<(), IamError> {
        self.demand(context, rights::USER_DELETE).await?;
        let account = context.account();
        let urn = Identity::user(self.settings.region, account, login);
        let over = self.sessions_of(account, urn.urn()).await?;
        let tokens = self.tokens_of(account, login).await?;
        let mut gone = self.second_factor_removals(account, login).await?;
        gone.extend(tokens.iter().map(|id| UserTokenDocument::delete(id)));
        let id = user_key(account, login);
        let place = self.place(account, &id);
        self.delete_identity::<UserDocument>(context, place, &urn, &gone).await?;
        self.end_sessions(context, over).await
    }

    /// Checks that a decision for a user stays cheap with these groups, or costs no more than with
    /// those that the user has.
    async fn check_user_cost(
        &self,
        account: &AccountName,
        login: &Login,
        groups: &[GroupName],
    ) -> Result<(), IamError> {
        let view = self.views.get(account).await?;
        let cost = |groups: &[GroupName]| {
            view.cost_of_user(view.policies(), (login, groups), &mut HashMap::new())
        };
        let before = view.users.get(&user_key(account, login)).map_or(0, |user| cost(&user.groups));
        let most = self.settings.limits.decision_cost.max(before);
        check_cost(login.as_str(), cost(groups), most)
    }

    async fn change_user(
        &self,
        context: &Context,
        login: &Login,
        edit: impl Fn(&mut UserDocument),
    ) -> Result<User, IamError> {
        let account = context.account();
        let id = user_key(account, login);
        self.change(context, self.place(account, &id), |document: &mut UserDocument| {
            edit(document);
            document.check()?;
            document.updated_at = context.now;
            self.user_of(account, document.clone())
        })
        .await
    }
}

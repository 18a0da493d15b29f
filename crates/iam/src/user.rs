//! Local users: people who sign in to an account beside its owner.

use gatewright_policy::{Caller, Identity, Region, Scope};
use gatewright_store::{Act, Change, Content, Kind, Object};
use serde::{Deserialize, Serialize};

use crate::caller::{Context, Principal, PrincipalKind, Token};
use crate::error::{Fault, IamError};
use crate::group::{DEFAULT, key};
use crate::iam::Iam;
use crate::input::{Input, check_list, check_text};
use crate::rights;
use crate::secret::Secret;
use crate::session::check_password;
use crate::write::delete;

/// A user may be in so many groups.
const MOST_GROUPS: usize = 100;

/// What a user is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum UserKind {
    /// A person.
    #[default]
    User,
    /// A program.
    Service,
}

/// What is remembered of a user.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UserDocument {
    login: String,
    email: Option<String>,
    description: String,
    /// The main one first.
    pub(crate) groups: Vec<String>,
    kind: UserKind,
    pub(crate) enabled: bool,
    pub(crate) created_at: i64,
    updated_at: i64,
    pub(crate) password_changed_at: Option<i64>,
}

/// A local user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Unique in the account; people sign in as `<account>/<login>`.
    pub login: String,
    /// Their address.
    pub email: Option<String>,
    /// Who or what they are.
    pub description: String,
    /// The groups that they are in, the main one first.
    pub groups: Vec<String>,
    /// What they are for.
    pub kind: UserKind,
    /// Whether they may sign in.
    pub enabled: bool,
    /// Microseconds since 1970, UTC.
    pub created_at: i64,
    /// Microseconds since 1970, UTC.
    pub updated_at: i64,
    /// Microseconds since 1970, UTC; none while they have no password.
    pub password_changed_at: Option<i64>,
    /// The URN that policies name them by.
    pub urn: String,
}

/// A user to be made.
#[derive(Debug, Default)]
pub struct UserInput {
    /// Letters, digits, `.`, `_` and `-`.
    pub login: String,
    /// What they sign in with; without one they cannot.
    pub password: Option<Secret>,
    /// Their address.
    pub email: Option<String>,
    /// At most 255 characters.
    pub description: String,
    /// The groups that they are in, the main one first; `DEFAULT` where there is none.
    pub groups: Vec<String>,
    /// What they are for.
    pub kind: UserKind,
}

/// A change of a user; what is left out stays.
#[derive(Debug, Clone, Default)]
pub struct UserEdit {
    /// Their address; an empty one takes it away.
    pub email: Option<String>,
    /// At most 255 characters.
    pub description: Option<String>,
    /// The groups that they are in, the main one first.
    pub groups: Option<Vec<String>>,
}

/// Refuses what cannot be part of the URN of a user or a group.
pub(crate) fn check_login(field: &str, login: &str) -> Result<(), IamError> {
    if login.is_empty() {
        return Err(IamError::invalid(Fault::Missing, format!("\"{field}\" must not be empty")));
    }
    if login.len() > 255 {
        let message = format!("\"{field}\" must have at most 255 characters");
        return Err(IamError::invalid(Fault::TooLong, message));
    }
    if !login.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b)) {
        let message = format!("\"{field}\" may hold letters, digits, ., _ and - only");
        return Err(IamError::invalid(Fault::Format, message));
    }
    Ok(())
}

impl UserDocument {
    fn check(&mut self) -> Result<(), IamError> {
        check_login("login", &self.login)?;
        check_text("description", &self.description, 0, 255)?;
        self.email = self.email.take().filter(|email| !email.is_empty());
        if let Some(email) = &self.email {
            check_text("email", email, 3, 255)?;
            if !email.contains('@') {
                let message = format!("\"email\": \"{email}\" is no address");
                return Err(IamError::invalid(Fault::Format, message));
            }
        }
        check_list("groups", &mut self.groups, MOST_GROUPS)?;
        if self.groups.is_empty() {
            self.groups.push(DEFAULT.to_owned());
        }
        Ok(())
    }

    pub(crate) fn content(&self) -> Result<Content, IamError> {
        let document = serde_json::to_string(self)?;
        Ok(Content { name: Some(self.login.clone()), document, ..Content::default() })
    }

    /// Who counts when this user asks: they, and each group that they are in.
    pub(crate) fn principal(&self, region: Region, account: &str) -> Principal {
        let identity = Identity::user(region, account, &self.login);
        let groups = self.groups.iter().map(|name| Identity::group(region, account, name));
        let identities: Vec<Identity> = std::iter::once(identity.clone()).chain(groups).collect();
        let caller = Caller::new(region, account, &identities, Scope::All);
        Principal { kind: PrincipalKind::User, identity, caller, token: Token::None }
    }
}

impl Iam {
    fn user_of(&self, account: &str, document: UserDocument) -> User {
        let urn = Identity::user(self.settings.region, account, &document.login);
        User {
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
        }
    }

    fn read_user(&self, object: &Object) -> Result<User, IamError> {
        Ok(self.user_of(&object.account, serde_json::from_str(&object.document)?))
    }

    /// All users of the account, in the order of their creation.
    pub async fn users(&self, context: &Context) -> Result<Vec<User>, IamError> {
        self.demand(context, rights::USER_GET).await?;
        let account = context.account();
        let objects = self.store.objects_of_kind(account, Kind::User, 0, i64::MAX).await?;
        objects.iter().map(|object| self.read_user(object)).collect()
    }

    /// A user of the account.
    pub async fn user(&self, context: &Context, login: &str) -> Result<User, IamError> {
        self.demand(context, rights::USER_GET).await?;
        let account = context.account();
        let object = self.store.object(account, Kind::User, &key(account, login)).await?;
        self.read_user(&object.ok_or(IamError::NotFound)?)
    }

    /// Makes a user.
    pub async fn create_user(
        &self,
        context: &Context,
        input: Input<UserInput>,
    ) -> Result<User, IamError> {
        self.demand(context, rights::USER_CREATE).await?;
        let input = input?;
        let mut document = UserDocument {
            login: input.login,
            email: input.email,
            description: input.description,
            groups: input.groups,
            kind: input.kind,
            enabled: true,
            created_at: context.now,
            updated_at: context.now,
            password_changed_at: input.password.as_ref().map(|_| context.now),
        };
        document.check()?;
        let account = context.account();
        for group in &document.groups {
            self.check_group(account, group).await?;
        }
        let secret = match input.password {
            None => None,
            Some(password) => {
                check_password(&password)?;
                Some(self.hash_password(password).await?)
            }
        };
        let act = Act::Create { content: document.content()?, secret };
        let change = Change { kind: Kind::User, id: key(account, &document.login), act };
        self.write(context, vec![change]).await.map_err(|error| match error {
            IamError::Conflict { .. } => IamError::Conflict {
                detail: "USER_ALREADY_EXISTS",
                message: format!("there is a user {} already: choose another", document.login),
            },
            error => error,
        })?;
        Ok(self.user_of(account, document))
    }

    /// Changes a user.
    pub async fn edit_user(
        &self,
        context: &Context,
        login: &str,
        edit: Input<UserEdit>,
    ) -> Result<User, IamError> {
        self.demand(context, rights::USER_EDIT).await?;
        let edit = edit?;
        for group in edit.groups.iter().flatten() {
            self.check_group(context.account(), group).await?;
        }
        self.change_user(context, login, |document| {
            let edit = edit.clone();
            document.email = edit.email.or(document.email.take());
            document.description = edit.description.unwrap_or(document.description.clone());
            document.groups = edit.groups.unwrap_or(document.groups.clone());
        })
        .await
    }

    /// Lets a user sign in again, or no longer; their sessions then end at once.
    pub async fn enable_user(
        &self,
        context: &Context,
        login: &str,
        enabled: bool,
    ) -> Result<User, IamError> {
        let right = if enabled { rights::USER_ENABLE } else { rights::USER_DISABLE };
        self.demand(context, right).await?;
        let user = self.change_user(context, login, |document| document.enabled = enabled).await?;
        if !enabled {
            let over = self.sessions_of(context.account(), &user.urn).await?;
            self.end(context, over).await?;
        }
        Ok(user)
    }

    /// Deletes a user; their sessions and tokens end at once.
    pub async fn delete_user(&self, context: &Context, login: &str) -> Result<(), IamError> {
        self.demand(context, rights::USER_DELETE).await?;
        let account = context.account();
        let urn = Identity::user(self.settings.region, account, login);
        let over = self.sessions_of(account, urn.urn()).await?;
        let view = self.views.get(account).await?;
        let tokens = view.user_tokens().filter(|(_, one)| one.user() == login);
        let mut gone = vec![delete(Kind::User, &key(account, login))];
        gone.extend(self.mfa_methods_of(account, login).await?);
        gone.extend(tokens.map(|(id, _)| delete(Kind::UserToken, id)));
        self.write(context, gone).await?;
        self.end(context, over).await
    }

    async fn change_user(
        &self,
        context: &Context,
        login: &str,
        edit: impl Fn(&mut UserDocument),
    ) -> Result<User, IamError> {
        let account = context.account();
        self.change(account, context, (Kind::User, &key(account, login)), |object| {
            let mut document: UserDocument = serde_json::from_str(&object.document)?;
            edit(&mut document);
            document.check()?;
            document.updated_at = context.now;
            Ok((document.content()?, self.user_of(account, document)))
        })
        .await
    }
}

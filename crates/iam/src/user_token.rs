//! Personal access tokens: what a user gives to a program that calls in their name.

use std::collections::HashMap;
use std::sync::Arc;

use gatewright_store::{Act, Change, Content, Kind, Object};
use serde::{Deserialize, Serialize};

use crate::caller::{Context, Principal, Token};
use crate::error::{Fault, IamError};
use crate::group::key;
use crate::iam::Iam;
use crate::input::{Input, check_text};
use crate::rights;
use crate::secret::{Secret, hex};
use crate::token::Recognised;
use crate::view::View;
use crate::write::delete;

/// What every personal access token begins with; the account and a dot follow.
const PREFIX: &str = "gwp_";

/// A user may have so many.
const MOST: usize = 100;

const SECOND: i64 = 1_000_000;

/// What is remembered of a token, under the hash of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UserTokenDocument {
    /// The login of whose token it is.
    user: String,
    name: String,
    description: String,
    created_at: i64,
    expires: Option<i64>,
}

/// A personal access token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserToken {
    /// Unique among the tokens of the user.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Microseconds since 1970, UTC.
    pub created_at: i64,
    /// Microseconds since 1970, UTC; none where it does not expire.
    pub expires: Option<i64>,
    /// When it was last used, to some seconds: microseconds since 1970, UTC.
    pub used_at: Option<i64>,
}

/// When a token expires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// Never.
    Never,
    /// At an instant: microseconds since 1970, UTC.
    At(i64),
    /// So many seconds from now.
    In(i64),
}

impl Expiry {
    fn instant(self, now: i64) -> Result<Option<i64>, IamError> {
        let instant = match self {
            Self::Never => return Ok(None),
            Self::At(instant) => Some(instant),
            Self::In(seconds) => seconds.checked_mul(SECOND).and_then(|one| one.checked_add(now)),
        };
        match instant {
            Some(instant) if instant > now && crate::clock::is_sayable(instant) => {
                Ok(Some(instant))
            }
            _ => Err(IamError::invalid(Fault::Format, "a token must expire in the future")),
        }
    }
}

/// A token to be made.
#[derive(Debug, Clone)]
pub struct UserTokenInput {
    /// Letters, digits, spaces, `.`, `_`, `@` and `-`.
    pub name: String,
    /// At most 255 characters.
    pub description: String,
    /// When it ends.
    pub expiry: Expiry,
}

/// A change of a token; what is left out stays.
#[derive(Debug, Clone, Default)]
pub struct UserTokenEdit {
    /// At most 255 characters.
    pub description: Option<String>,
    /// When it ends.
    pub expiry: Option<Expiry>,
}

impl UserTokenDocument {
    fn content(&self) -> Result<Content, IamError> {
        let name = Some(format!("{}/{}", self.user, self.name));
        Ok(Content { name, document: serde_json::to_string(self)?, ..Content::default() })
    }

    pub(crate) fn user(&self) -> &str {
        &self.user
    }

    fn token(&self, used_at: Option<i64>) -> UserToken {
        UserToken {
            name: self.name.clone(),
            description: self.description.clone(),
            created_at: self.created_at,
            expires: self.expires,
            used_at,
        }
    }
}

/// What the use of a token is noted under.
fn subject(id: &str) -> String {
    format!("userToken {id}")
}

fn check_name(name: &str) -> Result<(), IamError> {
    check_text("name", name, 1, 255)?;
    if !name.bytes().all(|b| b.is_ascii_alphanumeric() || b" ._@-".contains(&b)) {
        let message = "\"name\" may hold letters, digits, spaces, ., _, @ and - only";
        return Err(IamError::invalid(Fault::Format, message));
    }
    Ok(())
}

impl Iam {
    /// All tokens of a user, in the order of their creation.
    pub async fn user_tokens(
        &self,
        context: &Context,
        login: &str,
    ) -> Result<Vec<UserToken>, IamError> {
        self.demand(context, rights::USER_TOKEN_GET).await?;
        let account = context.account();
        let view = self.views.get(account).await?;
        view.user(&key(account, login)).ok_or(IamError::NotFound)?;
        let last_used = self.last_used(account).await?;
        let own = view.user_tokens().filter(|(_, one)| one.user == login);
        let token = |(id, one): (&str, &Arc<UserTokenDocument>)| {
            one.token(last_used.get(&subject(id)).copied())
        };
        let mut tokens: Vec<UserToken> = own.map(token).collect();
        tokens.sort_by(|a, b| (a.created_at, &a.name).cmp(&(b.created_at, &b.name)));
        Ok(tokens)
    }

    /// A token of a user.
    pub async fn user_token(
        &self,
        context: &Context,
        login: &str,
        name: &str,
    ) -> Result<UserToken, IamError> {
        let tokens = self.user_tokens(context, login).await?;
        tokens.into_iter().find(|one| one.name == name).ok_or(IamError::NotFound)
    }

    /// Makes a token; it is in the answer, and can never be read again.
    pub async fn create_user_token(
        &self,
        context: &Context,
        login: &str,
        input: Input<UserTokenInput>,
    ) -> Result<(UserToken, Secret), IamError> {
        self.demand(context, rights::USER_TOKEN_CREATE).await?;
        let account = context.account();
        let view = self.views.get(account).await?;
        view.user(&key(account, login)).ok_or(IamError::NotFound)?;
        let input = input?;
        check_name(&input.name)?;
        check_text("description", &input.description, 0, 255)?;
        if view.user_tokens().filter(|(_, one)| one.user == login).count() >= MOST {
            let message = format!("a user has at most {MOST} tokens: delete one");
            return Err(IamError::invalid(Fault::TooLong, message));
        }
        let document = UserTokenDocument {
            user: login.to_owned(),
            name: input.name,
            description: input.description,
            created_at: context.now,
            expires: input.expiry.instant(context.now)?,
        };
        let secret = Secret::generate(&format!("{PREFIX}{account}."))?;
        let act = Act::Create { content: document.content()?, secret: None };
        let change = Change { kind: Kind::UserToken, id: hex(&secret.hash()), act };
        self.write(context, vec![change]).await.map_err(|error| match error {
            IamError::Conflict { .. } => IamError::Conflict {
                detail: "TOKEN_ALREADY_EXISTS",
                message: "This token already exists".to_owned(),
            },
            error => error,
        })?;
        Ok((document.token(None), secret))
    }

    /// Changes a token.
    pub async fn edit_user_token(
        &self,
        context: &Context,
        login: &str,
        name: &str,
        edit: Input<UserTokenEdit>,
    ) -> Result<UserToken, IamError> {
        self.demand(context, rights::USER_TOKEN_EDIT).await?;
        let object = self.user_token_object(context, login, name).await?;
        let edit = edit?;
        if let Some(description) = &edit.description {
            check_text("description", description, 0, 255)?;
        }
        let expires = edit.expiry.map(|expiry| expiry.instant(context.now)).transpose()?;
        let used_at = self.last_used(context.account()).await?.get(&subject(&object.id)).copied();
        self.change(context.account(), context, (Kind::UserToken, &object.id), |object| {
            let mut document: UserTokenDocument = serde_json::from_str(&object.document)?;
            document.description = edit.description.clone().unwrap_or(document.description);
            document.expires = expires.unwrap_or(document.expires);
            Ok((document.content()?, document.token(used_at)))
        })
        .await
    }

    /// Deletes a token; it stops working at once.
    pub async fn delete_user_token(
        &self,
        context: &Context,
        login: &str,
        name: &str,
    ) -> Result<(), IamError> {
        self.demand(context, rights::USER_TOKEN_DELETE).await?;
        let object = self.user_token_object(context, login, name).await?;
        self.write(context, vec![delete(Kind::UserToken, &object.id)]).await
    }

    async fn user_token_object(
        &self,
        context: &Context,
        login: &str,
        name: &str,
    ) -> Result<Object, IamError> {
        let name = format!("{login}/{name}");
        let object = self.store.object_by_name(context.account(), Kind::UserToken, &name).await?;
        object.ok_or(IamError::NotFound)
    }

    /// When what was last used in the account, to some seconds.
    pub(crate) async fn last_used(&self, account: &str) -> Result<HashMap<String, i64>, IamError> {
        self.recorder.flush().await?;
        let last_used = self.store.last_used(account).await?;
        Ok(last_used.into_iter().map(|one| (one.subject, one.last)).collect())
    }

    /// Who a personal access token belongs to, while it counts, and what it is called; none when it
    /// is no such token.
    pub(crate) async fn admit_user_token(
        &self,
        token: &str,
        now: i64,
    ) -> Result<Option<Recognised>, IamError> {
        let account = token.strip_prefix(PREFIX).and_then(|rest| rest.split_once('.'));
        let Some((account, _)) = account.filter(|_| token.len() <= 256) else { return Ok(None) };
        let view = match self.views.get(account).await {
            Err(IamError::NotFound) => return Err(IamError::BadCredential),
            view => view?,
        };
        let id = hex(&Secret::from(token.to_owned()).hash());
        let principal = self.principal_of_token(&view, account, &id, now);
        let principal = principal.ok_or(IamError::BadCredential)?;
        self.recorder.used(account, &subject(&id), now);
        Ok(Some(Recognised { principal: Arc::new(principal), home: view }))
    }

    fn principal_of_token(
        &self,
        view: &View,
        account: &str,
        id: &str,
        now: i64,
    ) -> Option<Principal> {
        let token = view.user_token(id)?;
        let user = view.user(&key(account, &token.user))?;
        // A token of somebody who had the same login before is none of theirs.
        let counts = user.enabled
            && user.created_at <= token.created_at
            && token.expires.is_none_or(|expires| now < expires);
        let token = Token::Personal(id.into());
        counts.then(|| Principal { token, ..user.principal(self.settings.region, account) })
    }
}

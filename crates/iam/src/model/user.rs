//! Local users: their documents, inputs and rules.

use gatewright_policy::{Caller, Fact, Identity, Instant, Region, Scope};
use gatewright_store::Kind;
use serde::{Deserialize, Serialize};

use crate::model::caller::{Principal, PrincipalKind, Token};
use crate::model::document::{Document, Place};
use crate::model::error::{Fault, IamError};
use crate::model::group::DEFAULT;
use crate::model::input::{check_list, check_text};
use crate::model::principal_key::name_of_key;
use crate::model::secret::Secret;

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
    pub(crate) login: String,
    pub(crate) email: Option<String>,
    pub(crate) description: String,
    /// The main one first.
    pub(crate) groups: Vec<String>,
    pub(crate) kind: UserKind,
    pub(crate) enabled: bool,
    pub(crate) created_at: Instant,
    pub(crate) updated_at: Instant,
    pub(crate) password_changed_at: Option<Instant>,
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
    /// When it was created.
    pub created_at: Instant,
    /// When it was last changed, if it was.
    pub updated_at: Instant,
    /// When they last changed their password; none while they have none.
    pub password_changed_at: Option<Instant>,
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
    pub(crate) fn check(&mut self) -> Result<(), IamError> {
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

    /// Who counts when this user asks: they, and each group that they are in.
    pub(crate) fn principal(&self, region: Region, account: &str) -> Principal {
        let identity = Identity::user(region, account, &self.login);
        let groups = self.groups.iter().map(|name| Identity::group(region, account, name));
        let identities: Vec<Identity> = std::iter::once(identity.clone()).chain(groups).collect();
        let caller = Caller::new(region, account, &identities, Scope::All);
        Principal { kind: PrincipalKind::User, identity, caller, token: Token::None }
    }
}

impl Document for UserDocument {
    const KIND: Kind = Kind::User;

    fn name(&self, _: Place<'_>) -> Option<String> {
        Some(self.login.clone())
    }

    fn facts(
        place: Place<'_>,
        _before: Option<&str>,
        after: Option<&str>,
        _is_managed: &dyn Fn(&str) -> bool,
    ) -> Result<Vec<Fact>, IamError> {
        let login = name_of_key(place.id)?;
        let urn = Identity::user(place.region, place.account, login).urn().into();
        let after = after.map(Self::read).transpose()?;
        let identities = after.filter(|user| user.enabled).map(|user| {
            let caller = user.principal(place.region, place.account).caller;
            caller.identities().map(str::to_owned).collect()
        });
        Ok(vec![Fact::Subject { urn, identities }])
    }
}

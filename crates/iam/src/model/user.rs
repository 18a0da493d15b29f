//! Local users: their documents, inputs and rules.

use gatewright_policy::{
    AccountName, Caller, Fact, GroupName, Identity, Instant, Login, Region, Scope,
};
use gatewright_store::Kind;
use serde::{Deserialize, Serialize};

use crate::model::caller::{Principal, PrincipalKind, Token};
use crate::model::document::{Document, Place};
use crate::model::error::{Fault, IamError};
use crate::model::group::Group;
use crate::model::input::{check_list, check_principal_name, check_text};
use crate::model::precondition::EntityTag;
use crate::model::principal_key::login_of_key;
use crate::model::secret::Secret;

/// The maximum number of groups of a user.
pub(crate) const MOST_GROUPS: usize = 100;

/// The type of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum UserKind {
    /// A person.
    #[default]
    User,
    /// A program.
    Service,
}

/// The document of a user.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UserDocument {
    pub(crate) login: Login,
    pub(crate) email: Option<String>,
    pub(crate) description: String,
    /// The names of the user's groups, the main one first.
    pub(crate) groups: Vec<GroupName>,
    pub(crate) kind: UserKind,
    pub(crate) enabled: bool,
    /// The time at which the user was last enabled again: tokens from before do not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) enabled_at: Option<Instant>,
    pub(crate) created_at: Instant,
    pub(crate) updated_at: Instant,
    pub(crate) password_changed_at: Option<Instant>,
}

/// A local user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The login, unique in the account; people sign in as `<account>/<login>`.
    pub login: Login,
    /// The email address.
    pub email: Option<String>,
    /// The description of the user.
    pub description: String,
    /// The names of the user's groups, the main one first.
    pub groups: Vec<GroupName>,
    /// The type of the user.
    pub kind: UserKind,
    /// True if the user may sign in.
    pub enabled: bool,
    /// The time of its creation.
    pub created_at: Instant,
    /// The time of its last update.
    pub updated_at: Instant,
    /// The time of the last password change; none while the user has no password.
    pub password_changed_at: Option<Instant>,
    /// The URN by which policies name the user.
    pub urn: String,
    /// The tag of what is shown of the user.
    pub tag: EntityTag,
}

/// The input that creates a user.
#[derive(Debug, Default)]
pub struct UserInput {
    /// The login: letters, digits, `.`, `_` and `-`.
    pub login: String,
    /// The password; without one the user cannot sign in.
    pub password: Option<Secret>,
    /// The email address.
    pub email: Option<String>,
    /// The description, at most 255 characters.
    pub description: String,
    /// The names of the user's groups, the main one first; `UNPRIVILEGED` where there is none.
    pub groups: Vec<GroupName>,
    /// The type of the user.
    pub kind: UserKind,
}

/// The input that updates a user; fields that are absent stay unchanged.
#[derive(Debug, Clone, Default)]
pub struct UserEdit {
    /// The email address; an empty one removes it.
    pub email: Option<String>,
    /// The description, at most 255 characters.
    pub description: Option<String>,
    /// The names of the user's groups, the main one first.
    pub groups: Option<Vec<GroupName>>,
}

/// Parses the login of a new user.
pub(crate) fn check_login(login: &str) -> Result<Login, IamError> {
    check_principal_name("login", login)?;
    Ok(Login::new(login))
}

impl UserDocument {
    pub(crate) fn check(&mut self) -> Result<(), IamError> {
        check_text("description", &self.description, 0, 255)?;
        self.email = self.email.take().filter(|email| !email.is_empty());
        if let Some(email) = &self.email {
            check_text("email", email, 3, 255)?;
            if !email.contains('@') {
                let message = format!("\"email\": \"{email}\" is no email address");
                return Err(IamError::invalid(Fault::Format, message));
            }
        }
        check_list("groups", &mut self.groups, MOST_GROUPS)?;
        if self.groups.is_empty() {
            self.groups.push(GroupName::new(Group::UNPRIVILEGED));
        }
        Ok(())
    }

    /// Builds the principal of the user, with the identities that policies may name: the user, and
    /// each of the user's groups.
    pub(crate) fn principal(&self, region: Region, account: &AccountName) -> Principal {
        self.principal_with(region, account, Scope::All)
    }

    /// Builds the principal of the user, with a scope.
    pub(crate) fn principal_with(
        &self,
        region: Region,
        account: &AccountName,
        scope: Scope,
    ) -> Principal {
        let identity = Identity::user(region, account, &self.login);
        let groups = self.groups.iter().map(|name| Identity::group(region, account, name));
        let groups: Vec<Identity> = groups.collect();
        let caller = Caller::new(region, account, &identity, &groups, scope);
        Principal { kind: PrincipalKind::User, identity, caller, token: Token::None }
    }
}

impl Document for UserDocument {
    const KIND: Kind = Kind::User;

    fn name(&self, _: Place<'_>) -> Option<String> {
        Some(self.login.to_string())
    }

    fn facts(
        place: Place<'_>,
        _before: Option<&str>,
        after: Option<&str>,
        _is_managed: &dyn Fn(&str) -> bool,
    ) -> Result<Vec<Fact>, IamError> {
        let login = login_of_key(place.id)?;
        let urn = Identity::user(place.region, place.account, &login).urn().into();
        let after = after.map(Self::read).transpose()?;
        let identities = after.filter(|user| user.enabled).map(|user| {
            let caller = user.principal(place.region, place.account).caller;
            caller.identities().map(str::to_owned).collect()
        });
        Ok(vec![Fact::Subject { urn, identities }])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(login: &str) -> UserDocument {
        UserDocument {
            login: Login::new(login),
            email: None,
            description: String::new(),
            groups: vec![GroupName::new("no name")],
            kind: UserKind::User,
            enabled: true,
            enabled_at: None,
            created_at: Instant::EPOCH,
            updated_at: Instant::EPOCH,
            password_changed_at: None,
        }
    }

    #[test]
    fn a_new_login_has_letters_digits_and_three_marks() {
        assert_eq!(check_login("jane.doe_2-x").unwrap().as_str(), "jane.doe_2-x");
        let long = "x".repeat(256);
        for (wrong, message) in [
            ("", "\"login\" must not be empty"),
            (&*long, "\"login\" must have at most 255 characters"),
            ("a/b", "\"login\" may hold letters, digits, ., _ and - only"),
            ("*", "\"login\" may hold letters, digits, ., _ and - only"),
        ] {
            assert_eq!(check_login(wrong).unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn a_stored_user_is_read_whatever_its_names_are() {
        let stored = serde_json::to_string(&document("jane doe")).unwrap();
        assert!(stored.contains("\"login\":\"jane doe\"") && stored.contains("[\"no name\"]"));
        let mut read = UserDocument::read(&stored).unwrap();
        assert_eq!((read.login.as_str(), read.groups[0].as_str()), ("jane doe", "no name"));
        read.check().unwrap();
    }
}

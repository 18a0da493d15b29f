//! Identities: the accounts, users, groups and service accounts that policies name.

use std::fmt;
use std::sync::Arc;

use crate::id::{AccountName, ClientId, GroupName, Login};
use crate::urn::{Region, UrnError, is_name, split};

/// The kind of an [`Identity`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IdentityKind {
    /// A whole account, and its root login.
    Account,
    /// A local user of an account.
    User,
    /// A group of users of an account.
    Group,
    /// A service account.
    Credential,
}

impl IdentityKind {
    /// Returns the text of it in a URN.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::User => "user",
            Self::Group => "group",
            Self::Credential => "credential",
        }
    }
}

/// An identity that policies can name, `urn:v1:<region>:identity:<kind>:<account>[/<name>]`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Identity {
    kind: IdentityKind,
    urn: Arc<str>,
    account: AccountName,
    name: Option<Arc<str>>,
}

impl Identity {
    /// Parses the URN of an identity; wildcards are refused.
    pub fn parse(text: &str, region: Region) -> Result<Self, UrnError> {
        let ("identity", rest) = split(text, region)? else {
            return Err(UrnError::Malformed);
        };
        let (kind, who) = rest.split_once(':').ok_or(UrnError::Malformed)?;
        if who.contains('*') {
            return Err(UrnError::Wildcard);
        }
        let (account, name) = who.split_once('/').map_or((who, None), |(a, n)| (a, Some(n)));
        let kind = match (kind, name) {
            ("account", None) => IdentityKind::Account,
            ("user", Some(_)) => IdentityKind::User,
            ("group", Some(_)) => IdentityKind::Group,
            ("credential", Some(_)) => IdentityKind::Credential,
            _ => return Err(UrnError::Malformed),
        };
        let sound = |part: &str| is_name(part) && !part.contains([':', '/']);
        if !sound(account) || name.is_some_and(|name| !is_name(name)) {
            return Err(UrnError::Malformed);
        }
        Ok(Self::new(region, kind, &AccountName::new(account), name))
    }

    fn new(region: Region, kind: IdentityKind, account: &AccountName, name: Option<&str>) -> Self {
        let urn = match name {
            None => format!("urn:v1:{region}:identity:{}:{account}", kind.as_str()),
            Some(name) => format!("urn:v1:{region}:identity:{}:{account}/{name}", kind.as_str()),
        };
        Self { kind, urn: urn.into(), account: account.clone(), name: name.map(Arc::from) }
    }

    /// Returns the account as an identity: its root login, and for other accounts all its people.
    pub fn account_of(region: Region, account: &AccountName) -> Self {
        Self::new(region, IdentityKind::Account, account, None)
    }

    /// Returns a local user.
    pub fn user(region: Region, account: &AccountName, login: &Login) -> Self {
        Self::new(region, IdentityKind::User, account, Some(login.as_str()))
    }

    /// Returns a group of users.
    pub fn group(region: Region, account: &AccountName, name: &GroupName) -> Self {
        Self::new(region, IdentityKind::Group, account, Some(name.as_str()))
    }

    /// Returns a service account by its client identifier.
    pub fn service_account(region: Region, account: &AccountName, client_id: &ClientId) -> Self {
        Self::new(region, IdentityKind::Credential, account, Some(&format!("oauth2-{client_id}")))
    }

    /// Returns its kind.
    pub fn kind(&self) -> IdentityKind {
        self.kind
    }

    /// Returns the name of the account that it belongs to.
    pub fn account(&self) -> &AccountName {
        &self.account
    }

    /// Returns its name in the account; an account has none.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Returns the canonical URN.
    pub fn urn(&self) -> &str {
        &self.urn
    }

    /// Returns the canonical URN, shared with the identity.
    pub fn shared_urn(&self) -> Arc<str> {
        Arc::clone(&self.urn)
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.urn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_empty_region_is_the_servers_own() {
        let who = Identity::parse("urn:v1::identity:user:aa1-ovh/bob", Region::Eu).unwrap();
        assert_eq!(who.urn(), "urn:v1:eu:identity:user:aa1-ovh/bob");
    }

    #[test]
    fn identities_have_a_kind_and_an_account() {
        let cases = [
            ("urn:v1:eu:identity:account:aa1-ovh", IdentityKind::Account),
            ("urn:v1:eu:identity:user:aa1-ovh/bob", IdentityKind::User),
            ("urn:v1:eu:identity:group:aa1-ovh/team@a.b", IdentityKind::Group),
            ("urn:v1:eu:identity:credential:aa1-ovh/oauth2-EU.0f", IdentityKind::Credential),
        ];
        for (text, kind) in cases {
            let who = Identity::parse(text, Region::Eu).unwrap();
            assert_eq!((who.kind(), who.account().as_str(), who.urn()), (kind, "aa1-ovh", text));
            assert_eq!(who.name(), text.split_once('/').map(|(_, name)| name));
        }
    }

    #[test]
    fn malformed_identities_are_refused() {
        for text in [
            "",
            "*",
            "urn",
            "urn:v1:eu:identity",
            "urn:v1:eu:identity:account",
            "urn:v1:eu:identity:account:",
            "urn:v1:eu:identity:account:aa1-ovh/bob",
            "urn:v1:eu:identity:user:aa1-ovh",
            "urn:v1:eu:identity:user:/bob",
            "urn:v1:eu:identity:user:aa1-ovh/",
            "urn:v1:eu:identity:robot:aa1-ovh/x",
            "urn:v2:eu:identity:account:aa1-ovh",
            "urn:v1:eu:identity:user:aa1-ovh/b ob",
            "urn:v1:eu:resource:account:aa1-ovh",
        ] {
            assert!(Identity::parse(text, Region::Eu).is_err(), "{text}");
        }
        let text = "urn:v1:eu:identity:user:aa1-ovh/*";
        assert_eq!(Identity::parse(text, Region::Eu), Err(UrnError::Wildcard));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_and_the_canonical_form_is_stable(text in "(urn:v1:(eu|):(resource|identity|resourceGroup):)?\\PC{0,24}") {
            if let Ok(who) = Identity::parse(&text, Region::Eu) {
                prop_assert_eq!(Identity::parse(who.urn(), Region::Eu), Ok(who));
            }
        }
    }
}

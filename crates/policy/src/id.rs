//! Identifiers, with a type for each kind of object, so that they cannot be confused.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

/// Defines identifiers that are UUIDs, and are serialized as such.
macro_rules! uuid_ids {
    ($($(#[$attribute:meta])* $name:ident;)+) => {$(
        $(#[$attribute])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Creates an identifier from a UUID.
            pub const fn new(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// Returns the UUID.
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, uuid::Error> {
                Uuid::parse_str(text).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )+};
}

uuid_ids! {
    /// The identifier of a policy.
    PolicyId;
    /// The identifier of a permissions group.
    PermissionsGroupId;
    /// The identifier of a resource group.
    ResourceGroupId;
    /// The identifier of a resource, which also has a URN.
    ResourceId;
}

/// Defines identifiers that are texts. They are written and read as the bare text, and nothing is
/// checked here: what comes from outside is checked, or looked up, by whoever reads it.
macro_rules! text_ids {
    ($($(#[$attribute:meta])* $name:ident($text:ty);)+) => {$(
        $(#[$attribute])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name($text);

        impl $name {
            /// Makes the identifier of a text.
            pub fn new(text: impl Into<$text>) -> Self {
                Self(text.into())
            }

            /// Returns the text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        /// Lets a map be searched by a text that is no identifier yet.
        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer).map(Self::new)
            }
        }
    )+};
}

text_ids! {
    /// The name of an account, as `xx11111-ovh`. A clone shares the text.
    AccountName(Arc<str>);
    /// The login of a user, unique in the account.
    Login(Box<str>);
    /// The name of a group of users, unique in the account.
    GroupName(Box<str>);
    /// The identifier of a service account or another OAuth2 client, its `client_id`.
    ClientId(Box<str>);
    /// The identifier of a session: the hash of its secret.
    SessionId(Box<str>);
    /// The identifier of a passkey: that of its credential, in hexadecimal digits.
    PasskeyId(Box<str>);
    /// The identifier of a token: the `jti` of an access token, the hash of a personal one.
    TokenId(Box<str>);
}

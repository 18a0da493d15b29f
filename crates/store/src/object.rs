//! Objects, and changes of objects.

use gatewright_policy::{AccountName, Revision};

use crate::error::StoreError;
use crate::row::from_row;

/// The kind of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// An account's own profile, under the account's name.
    Account,
    /// A service account, under its client identifier.
    Client,
    /// A policy, under its UUID.
    Policy,
    /// A permissions group of an account, under its UUID.
    PermissionsGroup,
    /// A resource group, under its UUID.
    ResourceGroup,
    /// A resource, under its canonical URN; its name is its UUID.
    Resource,
    /// A token that was revoked, under its identifier.
    RevokedToken,
    /// A person's session in a browser, under the hash of its secret.
    Session,
    /// A local user, under the account's name and the login.
    User,
    /// A personal access token of a user, under its hash.
    UserToken,
    /// A TOTP authenticator, under the URN of its owner.
    Totp,
    /// A passkey, under the identifier of its credential.
    Passkey,
    /// A group of users, under the account's name and its own.
    Group,
    /// A guarded API, under its name.
    Api,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 14] = [
        Self::Account,
        Self::Client,
        Self::Policy,
        Self::PermissionsGroup,
        Self::ResourceGroup,
        Self::Resource,
        Self::RevokedToken,
        Self::Session,
        Self::User,
        Self::UserToken,
        Self::Totp,
        Self::Passkey,
        Self::Group,
        Self::Api,
    ];

    /// Returns the text of the kind in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Client => "client",
            Self::Policy => "policy",
            Self::PermissionsGroup => "permissionsGroup",
            Self::ResourceGroup => "resourceGroup",
            Self::Resource => "resource",
            Self::RevokedToken => "revokedToken",
            Self::Session => "session",
            Self::User => "user",
            Self::UserToken => "userToken",
            Self::Totp => "totp",
            Self::Passkey => "passkey",
            Self::Group => "group",
            Self::Api => "api",
        }
    }

    pub(crate) fn parse(text: &str) -> Result<Self, StoreError> {
        let found = Self::ALL.into_iter().find(|kind| kind.as_str() == text);
        found.ok_or(StoreError::Malformed("a kind of object"))
    }
}

/// An object that an account owns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// The kind of the object.
    pub kind: Kind,
    /// The identifier, unique among all objects of the kind.
    pub id: String,
    /// The account that owns it.
    pub account: AccountName,
    /// The name, unique among the account's objects of the kind.
    pub name: Option<String>,
    /// The revision that created it, which is also its position in lists.
    pub created: Revision,
    /// Its content.
    pub document: String,
    /// The hash of its secret.
    pub secret: Option<Vec<u8>>,
}

/// A change of one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The kind of the object.
    pub kind: Kind,
    /// The identifier of the object.
    pub id: String,
    /// The operation on the object.
    pub act: Act,
}

/// The operation of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Creates an object.
    Create {
        /// The content of the object.
        content: Content,
        /// The hash of its secret, if it has one.
        secret: Option<Vec<u8>>,
    },
    /// Updates an object.
    Update {
        /// The document that the change is based on; the change is refused as stale if the document
        /// has changed since.
        from: String,
        /// The new content.
        content: Content,
        /// The hash of the new secret; none keeps the old one.
        secret: Option<Vec<u8>>,
    },
    /// Deletes an object.
    Delete {
        /// The document that the change is based on, as in an update; none deletes any.
        from: Option<String>,
    },
}

/// The content of an object.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Content {
    /// Its unique name, if it has one.
    pub name: Option<String>,
    /// Its content.
    pub document: String,
    /// The other accounts that it names.
    pub mentions: Vec<AccountName>,
}

impl Act {
    pub(crate) fn content(&self) -> Option<&Content> {
        match self {
            Self::Create { content, .. } | Self::Update { content, .. } => Some(content),
            Self::Delete { .. } => None,
        }
    }
}

impl Change {
    /// Returns whether a resource is created or deleted, which changes the owners of resources.
    pub(crate) fn moves_a_resource(&self) -> bool {
        self.kind == Kind::Resource && !matches!(self.act, Act::Update { .. })
    }

    /// Returns whether such a change may use the reserve of a full disk: a deletion, an update (disabling is
    /// one, and the store cannot tell it from others), a revocation, or a sign-in, without which nobody
    /// could do the rest.
    pub(crate) fn may_use_reserve(&self) -> bool {
        let is_creation = matches!(self.act, Act::Create { .. });
        !is_creation || matches!(self.kind, Kind::RevokedToken | Kind::Session)
    }

    /// Returns the bytes of its documents.
    pub(crate) fn size(&self) -> usize {
        let before = match &self.act {
            Act::Create { .. } => None,
            Act::Update { from, .. } => Some(from),
            Act::Delete { from } => from.as_ref(),
        };
        let after = self.act.content().map(|content| &content.document);
        before.map_or(0, String::len) + after.map_or(0, String::len)
    }
}

pub(crate) struct ObjectRow {
    kind: String,
    id: String,
    account: AccountName,
    name: Option<String>,
    created: Revision,
    document: String,
    secret: Option<Vec<u8>>,
}

from_row!(ObjectRow: kind, id, account as AccountName, name, created as Revision, document, secret);

impl TryFrom<ObjectRow> for Object {
    type Error = StoreError;

    fn try_from(row: ObjectRow) -> Result<Self, StoreError> {
        Ok(Self {
            kind: Kind::parse(&row.kind)?,
            id: row.id,
            account: row.account,
            name: row.name,
            created: row.created,
            document: row.document,
            secret: row.secret,
        })
    }
}

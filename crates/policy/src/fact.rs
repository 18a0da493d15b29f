//! Facts: the state that decisions about an account depend on, in the wire format of replicas.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::id::{AccountName, PolicyId, ResourceGroupId, TokenId};
use crate::permissions::Permissions;
use crate::policy::Policy;
use crate::request::Tags;
use crate::revision::Revision;

/// A part of the state that decisions depend on; `None` if its subject was deleted.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "camelCase")]
pub enum Fact {
    /// The account of the following facts. All earlier facts are void.
    Account {
        /// The name of the account.
        account: AccountName,
        /// The region in its URNs.
        #[serde(rename = "plate")]
        region: String,
    },
    /// All actions of the catalogue.
    Actions {
        /// The names of the actions, each with whether parameters may follow.
        names: HashMap<Box<str>, bool>,
    },
    /// A policy.
    Policy {
        /// Its identifier.
        id: PolicyId,
        /// The policy as written.
        rule: Option<Box<Policy>>,
    },
    /// A permissions group.
    PermissionsGroup {
        /// Its URN.
        urn: String,
        /// Its permissions.
        permissions: Option<Permissions>,
    },
    /// A resource group.
    ResourceGroup {
        /// Its identifier.
        id: ResourceGroupId,
        /// The canonical URNs of its members.
        members: Option<Vec<Box<str>>>,
    },
    /// A resource group with every resource of the account.
    EveryResource {
        /// Its identifier.
        id: ResourceGroupId,
    },
    /// A registered resource.
    Resource {
        /// Its canonical URN.
        urn: Box<str>,
        /// Its tags.
        tags: Option<Tags>,
    },
    /// A service account or a user, if it is not disabled.
    Subject {
        /// Their URN.
        urn: Box<str>,
        /// The URNs that count for the subject: its own, and those of its groups.
        identities: Option<Vec<String>>,
    },
    /// A token that was revoked.
    RevokedToken {
        /// The identifier of the token.
        id: TokenId,
        /// True if the token has not expired.
        counts: bool,
    },
    /// The end of the facts up to a revision of the journal.
    Reached {
        /// The revision.
        revision: Revision,
        /// The first half of the hash of its entry, in hexadecimal: a replica that resumes sends it
        /// back, so that a server whose database has lost the entry can tell.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hash: Option<Box<str>>,
    },
}

/// A fact that cannot be applied.
#[derive(Debug, thiserror::Error)]
#[error("the fact about {what} is malformed: {why}")]
pub struct FactError {
    what: String,
    why: String,
}

impl FactError {
    pub(crate) fn new(what: &impl ToString, why: &impl ToString) -> Self {
        Self { what: what.to_string(), why: why.to_string() }
    }
}

//! Facts: what decisions about an account depend on, as it goes over the wire to a replica.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::permissions::Permissions;
use crate::policy::Policy;
use crate::request::Tags;

/// Something that decisions depend on, as it is now. Where what it is about is gone, it says none.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "camelCase")]
pub enum Fact {
    /// Whose facts follow, from the beginning: what was known before counts no longer.
    Account {
        /// The name of the account.
        account: String,
        /// The region in its URNs.
        #[serde(rename = "plate")]
        region: String,
    },
    /// All actions that there are.
    Actions {
        /// Their names, and whether parameters may follow.
        names: HashMap<Box<str>, bool>,
    },
    /// A policy.
    Policy {
        /// Its identifier.
        id: Uuid,
        /// What it says.
        rule: Option<Box<Policy>>,
    },
    /// A permissions group.
    PermissionsGroup {
        /// Its URN.
        urn: String,
        /// What it permits.
        permissions: Option<Permissions>,
    },
    /// A resource group.
    ResourceGroup {
        /// Its identifier.
        id: Uuid,
        /// The canonical URNs of its members.
        members: Option<Vec<Box<str>>>,
    },
    /// A resource group that holds every resource of the account.
    EveryResource {
        /// Its identifier.
        id: Uuid,
    },
    /// A resource that is registered.
    Resource {
        /// Its canonical URN.
        urn: Box<str>,
        /// Its tags.
        tags: Option<Tags>,
    },
    /// A service account, or a user who is not disabled.
    Subject {
        /// Their URN.
        urn: Box<str>,
        /// The URNs that count for them: their own, and those of their groups.
        identities: Option<Vec<String>>,
    },
    /// A token that was taken back.
    RevokedToken {
        /// What it is called.
        id: Box<str>,
        /// Whether it would not have expired by now.
        counts: bool,
    },
    /// All facts up to a revision of the journal have been said.
    Reached {
        /// Which revision.
        revision: i64,
    },
}

/// A fact that cannot be taken in.
#[derive(Debug, thiserror::Error)]
#[error("{what} cannot be read: {why}")]
pub struct FactError {
    what: String,
    why: String,
}

impl FactError {
    pub(crate) fn new(what: &impl ToString, why: &impl ToString) -> Self {
        Self { what: what.to_string(), why: why.to_string() }
    }
}

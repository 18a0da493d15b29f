//! Passkeys: their documents.

use gatewright_policy::Instant;
use gatewright_store::Kind;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::model::document::Document;

/// What is remembered of a passkey, under the identifier of its credential.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PasskeyDocument {
    /// The URN of whose it is.
    pub(crate) identity: String,
    pub(crate) name: String,
    pub(crate) created_at: Instant,
    /// Its public key, and how often it was used.
    pub(crate) credential: webauthn_rs::prelude::Passkey,
}

/// A passkey.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passkey {
    /// What it is called here.
    pub id: String,
    /// What its owner calls it.
    pub name: String,
    /// When it was created.
    pub created_at: Instant,
    /// When it was last used.
    pub used_at: Option<Instant>,
}

/// Something that a browser must answer.
#[derive(Debug, Clone)]
pub struct Challenge {
    /// What the browser is asked, as the JSON of the standard has it.
    pub options: Value,
    /// What the answer must come with.
    pub state: String,
}

pub(crate) fn subject(id: &str) -> String {
    format!("passkey {id}")
}

/// The user handle of somebody: it says nothing of them.
pub(crate) fn handle(identity: &str) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_URL, identity.as_bytes())
}

impl Document for PasskeyDocument {
    const KIND: Kind = Kind::Passkey;
}

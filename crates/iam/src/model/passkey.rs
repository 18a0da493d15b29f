//! Passkeys: their documents.

use gatewright_policy::{Instant, PasskeyId};
use gatewright_store::Kind;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::model::document::Document;

/// The document of a passkey, under the identifier of its credential.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PasskeyDocument {
    /// The URN of its owner.
    pub(crate) identity: String,
    pub(crate) name: String,
    pub(crate) created_at: Instant,
    /// The public key and the signature counter.
    pub(crate) credential: webauthn_rs::prelude::Passkey,
}

/// A passkey.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passkey {
    /// The identifier of its credential, in hexadecimal digits.
    pub id: PasskeyId,
    /// The display name that its owner chose.
    pub name: String,
    /// The time of its creation.
    pub created_at: Instant,
    /// The time of its last use.
    pub used_at: Option<Instant>,
}

/// A `WebAuthn` challenge for a browser.
#[derive(Debug, Clone)]
pub struct Challenge {
    /// The options of the challenge, as the JSON of the standard.
    pub options: Value,
    /// The sealed state that the response must return.
    pub state: String,
}

pub(crate) fn subject(id: &PasskeyId) -> String {
    format!("passkey {id}")
}

/// Returns the user handle of an identity, which reveals nothing of it.
pub(crate) fn handle(identity: &str) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_URL, identity.as_bytes())
}

impl Document for PasskeyDocument {
    const KIND: Kind = Kind::Passkey;
}

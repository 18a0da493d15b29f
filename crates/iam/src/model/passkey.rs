//! Passkeys: their documents.

use std::time::Duration;

use gatewright_policy::{Instant, PasskeyId};
use gatewright_store::Kind;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::model::document::Document;
use crate::model::secret::sha256;

/// The time for which answered challenges are remembered: longer than they are valid, since the
/// clocks of the nodes differ.
const REMEMBERED: Duration = Duration::from_mins(20);

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
    /// The challenges that were answered lately.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) answered: Vec<AnsweredChallenge>,
}

/// A challenge that was answered.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct AnsweredChallenge {
    /// The hash of its state.
    id: String,
    /// The time of the answer.
    at: Instant,
}

impl PasskeyDocument {
    /// Records that a challenge was answered, given its state; returns whether it is for the first
    /// time. Earlier ones are forgotten by the earliest time that is possible.
    pub(crate) fn record_answer(
        &mut self,
        state: &[u8],
        (now, earliest): (Instant, Instant),
    ) -> bool {
        self.answered.retain(|one| earliest < one.at.saturating_add(REMEMBERED));
        let id = hex::encode(sha256(state));
        let is_first = self.answered.iter().all(|one| one.id != id);
        self.answered.push(AnsweredChallenge { id, at: now });
        is_first
    }
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

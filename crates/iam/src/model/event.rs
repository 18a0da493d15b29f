//! Events of the audit log.

use gatewright_policy::Instant;
use gatewright_store::{Entry, Kind};
use serde_json::Value;

use crate::model::error::IamError;
use crate::model::log::LogFilter;

/// Something that was changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The revision of the account that it made.
    pub revision: i64,
    /// When.
    pub at: Instant,
    /// The URN of who did it.
    pub who: String,
    /// From where.
    pub ip: Option<String>,
    /// What the log of the server calls the request.
    pub query_id: String,
    /// What was changed.
    pub subject: Kind,
    /// Which one.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// What it was; none where it was made.
    pub before: Option<Value>,
    /// What it is from then on; none where it was removed.
    pub after: Option<Value>,
}

impl Event {
    pub(crate) fn read(entry: Entry, has_readable_id: bool) -> Result<Self, IamError> {
        let document = |text: Option<String>| text.map(|text| serde_json::from_str(&text));
        let before: Option<Value> = document(entry.before).transpose()?;
        let after: Option<Value> = document(entry.after).transpose()?;
        let named = after.as_ref().or(before.as_ref());
        let name = named.and_then(|one| one.get("name").or(one.get("login"))?.as_str());
        // An identifier of a session or a token says nothing to anybody.
        let name = match name {
            Some(name) => name.to_owned(),
            None if !has_readable_id => String::new(),
            None => entry.object.clone(),
        };
        Ok(Self {
            revision: entry.revision,
            at: entry.author.at,
            who: entry.author.actor,
            ip: entry.author.ip,
            query_id: entry.author.query_id,
            subject: entry.kind,
            id: entry.object,
            name,
            before,
            after,
        })
    }

    /// The field of what it was and of what it is.
    pub fn field(&self, name: &str) -> (Option<&Value>, Option<&Value>) {
        (
            self.before.as_ref().and_then(|one| one.get(name)),
            self.after.as_ref().and_then(|one| one.get(name)),
        )
    }

    /// What was done, in one word.
    pub fn act(&self) -> &'static str {
        match (&self.before, &self.after) {
            (None, _) => "created",
            (_, None) => "deleted",
            _ => "modified",
        }
    }

    pub(crate) fn fits(&self, filter: &LogFilter) -> bool {
        let what = format!("{} {}", self.subject.as_str(), self.act());
        self.who.contains(&filter.who)
            && what.contains(&filter.what)
            && (self.name.contains(&filter.on) || self.id.contains(&filter.on))
    }
}

/// Some events, the last first.
#[derive(Debug, Clone, Default)]
pub struct Events {
    /// The events.
    pub events: Vec<Event>,
    /// Before which revision to go on; none at the beginning.
    pub older: Option<i64>,
}

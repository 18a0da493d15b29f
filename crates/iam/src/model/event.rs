//! Events of the audit log.

use gatewright_policy::{Instant, Revision};
use gatewright_store::{Entry, Kind};
use serde_json::Value;

use crate::model::document::IdForm;
use crate::model::error::IamError;
use crate::model::log::LogFilter;

/// An event: a change to an object.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The revision of the account that the change created.
    pub revision: Revision,
    /// The time of the change.
    pub at: Instant,
    /// The URN of the principal that made it.
    pub who: String,
    /// The client's IP address, if it is known.
    pub ip: Option<String>,
    /// The query ID of the request.
    pub query_id: String,
    /// The kind of the changed object.
    pub subject: Kind,
    /// The identifier of the object.
    pub id: String,
    /// The display name of the object.
    pub name: String,
    /// The document before the change; none for a creation.
    pub before: Option<Value>,
    /// The document after the change; none for a deletion.
    pub after: Option<Value>,
    /// True if the change gave somebody a right that leads to all others, by the roles and permissions
    /// groups of now.
    pub equal_to_administrator: bool,
}

impl Event {
    pub(crate) fn read(entry: Entry, id_form: IdForm) -> Result<Self, IamError> {
        let document = |text: Option<String>| text.map(|text| serde_json::from_str(&text));
        let before: Option<Value> = document(entry.before).transpose()?;
        let after: Option<Value> = document(entry.after).transpose()?;
        let named = after.as_ref().or(before.as_ref());
        let name = named.and_then(|one| one.get("name").or(one.get("login"))?.as_str());
        let name = match (name, id_form) {
            (Some(name), _) => name.to_owned(),
            (None, IdForm::Readable) => entry.object.clone(),
            (None, IdForm::Hash) => String::new(),
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
            equal_to_administrator: false,
        })
    }

    /// Returns a field of the documents before and after the change.
    pub fn field(&self, name: &str) -> (Option<&Value>, Option<&Value>) {
        (
            self.before.as_ref().and_then(|one| one.get(name)),
            self.after.as_ref().and_then(|one| one.get(name)),
        )
    }

    /// Returns the operation, in one word.
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

/// A page of events, the latest first.
#[derive(Debug, Clone, Default)]
pub struct Events {
    /// The events.
    pub events: Vec<Event>,
    /// The revision before which the next, older page starts; none at the beginning of the log.
    pub older: Option<Revision>,
}

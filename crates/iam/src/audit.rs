//! The audit log: the journal, as people read it.

use gatewright_store::{Entry, Kind};
use serde_json::Value;

use crate::caller::Context;
use crate::error::IamError;
use crate::iam::Iam;
use crate::log::LogFilter;
use crate::rights;

/// So many entries are read at once.
const CHUNK: i64 = 500;

/// A request looks through so many entries at most; the next one goes on from there.
const MOST: i64 = 20_000;

/// Something that was changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The revision of the account that it made.
    pub revision: i64,
    /// When: microseconds since 1970, UTC.
    pub at: i64,
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
    fn read(entry: Entry) -> Result<Self, IamError> {
        let document = |text: Option<String>| text.map(|text| serde_json::from_str(&text));
        let before: Option<Value> = document(entry.before).transpose()?;
        let after: Option<Value> = document(entry.after).transpose()?;
        let named = after.as_ref().or(before.as_ref());
        let name = named.and_then(|one| one.get("name").or(one.get("login"))?.as_str());
        // An identifier of a session or a token says nothing to anybody.
        let nameless = [Kind::Session, Kind::RevokedToken, Kind::UserToken].contains(&entry.kind);
        let name = match name {
            Some(name) => name.to_owned(),
            None if nameless => String::new(),
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

    fn fits(&self, filter: &LogFilter) -> bool {
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

impl Iam {
    /// At most `most` of what was changed in the caller's account before a revision, the last
    /// first. Of the filter, what is the kind of an object and what was done to it, and on what its
    /// name or identifier.
    pub async fn audit(
        &self,
        context: &Context,
        filter: &LogFilter,
        (mut before, most): (i64, usize),
    ) -> Result<Events, IamError> {
        self.demand(context, rights::AUDIT_GET).await?;
        let mut found = Events::default();
        let mut looked = 0;
        while looked < MOST {
            let entries = self.store.journal_back(context.account(), before, CHUNK).await?;
            let Some(oldest) = entries.last().map(|entry| entry.revision) else {
                found.older = None;
                return Ok(found);
            };
            for entry in entries {
                let event = Event::read(entry)?;
                if event.fits(filter) {
                    if found.events.len() == most {
                        found.older = found.events.last().map(|event| event.revision);
                        return Ok(found);
                    }
                    found.events.push(event);
                }
            }
            looked += CHUNK;
            before = oldest;
            found.older = Some(before);
        }
        Ok(found)
    }
}

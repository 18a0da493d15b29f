//! The terms by which lines of logs are found: the values of their fields, compared exactly.

use std::borrow::Cow;
use std::collections::HashSet;

use gatewright_policy::Instant;
use gatewright_store::{Term, TermFilter};

use crate::model::error::{Fault, IamError};
use crate::model::limits::{LOG_TEXT_BYTES, cut};
use crate::model::log::Line;

/// A field of lines. The letter is stored with the terms, so it never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
enum Field {
    Actor = b'a',
    Action = b'w',
    Resource = b'r',
    Outcome = b'o',
    QueryId = b'q',
}

/// The value of a field.
type FieldValue<'a> = (Field, Cow<'a, str>);

/// The outcome of an activity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Allowed; a call had a status below 400.
    Allowed,
    /// Denied; a call had a status from 400 on.
    Denied,
    /// A call was answered with an HTTP status.
    Status(u16),
}

impl Outcome {
    /// Parses `allowed`, `denied` or an HTTP status.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "allowed" => Some(Self::Allowed),
            "denied" => Some(Self::Denied),
            _ => {
                let is_status = text.len() == 3 && text.bytes().all(|b| b.is_ascii_digit());
                let status = text.parse::<u16>().ok().filter(|_| is_status)?;
                (100..1_000).contains(&status).then_some(Self::Status(status))
            }
        }
    }

    fn text(self) -> Cow<'static, str> {
        match self {
            Self::Allowed => "allowed".into(),
            Self::Denied => "denied".into(),
            Self::Status(status) => status.to_string().into(),
        }
    }
}

/// A filter of log lines by time and by exact values; none of a field matches all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LineFilter {
    /// The first instant.
    pub from: Option<Instant>,
    /// The first instant that is too late.
    pub to: Option<Instant>,
    /// The URN of the principal.
    pub actor: Option<String>,
    /// An action, a scope, or a method and a path: all of [`Line::what`] or one of its words. A line
    /// that stands for many decisions names some of their actions and resources.
    pub action: Option<String>,
    /// The URN of a resource, or a route: all of [`Line::on`] or one of its words.
    pub resource: Option<String>,
    /// The outcome, which lines about what was left out do not have.
    pub outcome: Option<Outcome>,
    /// The query ID.
    pub query_id: Option<String>,
}

impl LineFilter {
    fn values(&self) -> Vec<FieldValue<'_>> {
        // Lines hold long texts cut off.
        let text =
            |text: &str| -> Cow<'static, str> { cut(text, LOG_TEXT_BYTES).into_owned().into() };
        let Self { from: _, to: _, actor, action, resource, outcome, query_id } = self;
        let values: [Option<FieldValue<'_>>; 5] = [
            actor.as_deref().map(|urn| (Field::Actor, urn.into())),
            action.as_deref().map(|action| (Field::Action, text(action))),
            resource.as_deref().map(|urn| (Field::Resource, text(urn))),
            outcome.map(|outcome| (Field::Outcome, outcome.text())),
            query_id.as_deref().map(|id| (Field::QueryId, id.into())),
        ];
        values.into_iter().flatten().collect()
    }

    /// Checks that it names a span of time.
    pub(crate) fn check(&self) -> Result<(), IamError> {
        match self.from.zip(self.to) {
            Some((from, to)) if from >= to => {
                Err(IamError::invalid(Fault::Parameter, "\"from\" must be before \"to\""))
            }
            _ => Ok(()),
        }
    }

    /// Returns the terms that each line has.
    pub(crate) fn terms(&self) -> Vec<Term> {
        self.values().iter().map(term).collect()
    }

    pub(crate) fn fits(&self, line: &Line) -> bool {
        let of_line = values(line);
        self.from.is_none_or(|from| line.at >= from)
            && self.to.is_none_or(|to| line.at < to)
            && self.values().iter().all(|value| of_line.contains(value))
    }
}

fn term((field, value): &FieldValue<'_>) -> Term {
    Term::new(*field as u8, value)
}

/// Returns a text and, where it is several, each of its words.
fn whole_and_words(field: Field, text: &str) -> impl Iterator<Item = FieldValue<'_>> {
    let words = text.split_whitespace().filter(move |word| word.len() < text.len());
    std::iter::once(text).chain(words).map(move |text| (field, text.into()))
}

/// Returns all values by which a line is found.
fn values(line: &Line) -> Vec<FieldValue<'_>> {
    let outcome = if line.allowed { Outcome::Allowed } else { Outcome::Denied };
    let status = line.status.map(Outcome::Status);
    let outcomes = [Some(outcome), status].into_iter().flatten().filter(|_| !line.left_out);
    let mut values = vec![
        (Field::Actor, line.who.as_str().into()),
        (Field::QueryId, line.query_id.as_str().into()),
    ];
    values.extend(outcomes.map(|outcome| (Field::Outcome, outcome.text())));
    values.extend(whole_and_words(Field::Action, &line.what));
    values.extend(whole_and_words(Field::Resource, line.on.as_deref().unwrap_or_default()));
    values
}

/// Creates the filter of the terms of some lines.
pub(crate) fn term_filter(lines: &[Line]) -> TermFilter {
    // Most values are those of many lines: a set of them is quicker than their hashes.
    let values: HashSet<FieldValue<'_>> = lines.iter().flat_map(values).collect();
    TermFilter::of(values.iter().map(term))
}

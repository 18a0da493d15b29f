//! Statements: a named text of SQL, the values that are bound to it, and its tracing span.

use std::pin::Pin;

use gatewright_policy::{AccountName, Instant, Revision};
use sqlx::FromRow;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use tracing::field::Empty;
use tracing::instrument::Instrumented;
use tracing::{Instrument, Span};

use crate::object::Kind;

/// A statement that both databases understand.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Statement {
    /// The name in spans and errors.
    pub(crate) name: &'static str,
    pub(crate) text: &'static str,
}

/// A value to bind to a placeholder.
#[derive(Clone, Copy)]
pub(crate) enum Value<'a> {
    /// The name of an account, which the statement's span shows.
    Account(&'a AccountName),
    /// The kind of an object, which the statement's span shows.
    Kind(Kind),
    Text(&'a str),
    OptionalText(Option<&'a str>),
    Int(i64),
    Instant(Instant),
    Revision(Revision),
    Bytes(&'a [u8]),
    OptionalBytes(Option<&'a [u8]>),
}

impl Value<'_> {
    /// Returns whether the value contains a NUL character. PostgreSQL accepts none, so no row
    /// contains one.
    pub(crate) fn has_nul(&self) -> bool {
        match self {
            Self::Account(name) => name.as_str().contains('\0'),
            Self::Text(text) | Self::OptionalText(Some(text)) => text.contains('\0'),
            _ => false,
        }
    }
}

/// A type of rows that can be read from either database.
pub(crate) trait Row:
    for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin
{
}

impl<T> Row for T where T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin
{}

/// Instruments the future of a statement with its span. It is boxed, since it takes kilobytes: the
/// futures of requests would be as large, also of those that are answered from memory.
pub(crate) fn in_span<F: Future>(statement: F, span: Span) -> Pin<Box<Instrumented<F>>> {
    Box::pin(statement.instrument(span))
}

impl Statement {
    /// Opens the span of one execution. Of the values it shows the account and the kind alone: the
    /// others may be secrets.
    pub(crate) fn span(&self, values: &[Value<'_>]) -> Span {
        let span =
            tracing::debug_span!("statement", statement = self.name, kind = Empty, account = Empty);
        if span.is_disabled() {
            return span;
        }
        for value in values {
            match value {
                Value::Account(name) => span.record("account", name.as_str()),
                Value::Kind(kind) => span.record("kind", kind.as_str()),
                _ => continue,
            };
        }
        span
    }
}

/// Binds the values to the query of either database.
macro_rules! bind {
    ($query:expr, $values:expr) => {{
        let mut query = $query;
        for value in $values {
            query = match *value {
                Value::Account(name) => query.bind(name.as_str()),
                Value::Text(text) => query.bind(text),
                Value::Kind(kind) => query.bind(kind.as_str()),
                Value::OptionalText(text) => query.bind(text),
                Value::Int(number) => query.bind(number),
                Value::Revision(revision) => query.bind(revision.number()),
                Value::Instant(instant) => query.bind(instant.micros()),
                Value::Bytes(bytes) => query.bind(bytes),
                Value::OptionalBytes(bytes) => query.bind(bytes),
            };
        }
        query
    }};
}
pub(crate) use bind;

//! Divides the lines of logs into pages: large enough to be few, small enough to be read for one
//! line.

use std::collections::HashMap;

use foldhash::quality::RandomState;
use gatewright_policy::AccountName;
use gatewright_store::{LogPage, PAGE_SPAN};

use super::line::PendingLine;
use crate::model::log::{Line, LogKind};
use crate::model::log_terms::term_filter;

/// The size from which a page takes no more lines, in bytes: some hundred of them.
const FULL: usize = 64 * 1024;

/// The size below which a page is written without its terms, in bytes: it is merged with others
/// later, and read whole until then.
const SMALL: usize = 16 * 1024;

/// The pages that have their terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WithTerms {
    All,
    Large,
}

/// Divides the lines of a log, in their order, into pages.
pub(super) struct Pages {
    account: AccountName,
    kind: String,
    with_terms: WithTerms,
    closed: Vec<LogPage>,
    /// The lines of the open page, and their texts.
    lines: Vec<Line>,
    text: String,
}

impl Pages {
    pub(super) fn new(account: AccountName, kind: String, with_terms: WithTerms) -> Self {
        let (closed, lines, text) = (Vec::new(), Vec::new(), String::new());
        Self { account, kind, with_terms, closed, lines, text }
    }

    /// Adds a line and its text.
    pub(super) fn add(&mut self, line: Line, text: &str) {
        let is_beyond = |first: &Line| line.at.since(first.at).is_some_and(|span| span > PAGE_SPAN);
        if self.text.len() >= FULL || self.lines.first().is_some_and(is_beyond) {
            self.close();
        }
        self.lines.push(line);
        self.text.push_str(text);
        self.text.push('\n');
    }

    fn close(&mut self) {
        let lines = std::mem::take(&mut self.lines);
        let text = std::mem::take(&mut self.text);
        let Some((first, last)) = lines.first().zip(lines.last()) else { return };
        let has_terms = self.with_terms == WithTerms::All || text.len() >= SMALL;
        self.closed.push(LogPage {
            account: self.account.clone(),
            kind: self.kind.clone(),
            first: first.at,
            last: last.at,
            terms: has_terms.then(|| term_filter(&lines)),
            lines: text,
        });
    }

    /// Returns the pages.
    pub(super) fn finish(mut self) -> Vec<LogPage> {
        self.close();
        self.closed
    }
}

/// Groups lines, in their order, into pages of each log of each account.
pub(super) fn pages(lines: Vec<PendingLine>) -> Vec<LogPage> {
    let mut logs: HashMap<(AccountName, LogKind), Pages, RandomState> = HashMap::default();
    for line in lines {
        let log = (line.actor.identity().account().clone(), line.kind);
        let line = line.line();
        let Ok(text) = serde_json::to_string(&line) else { continue };
        let pages = logs.entry(log).or_insert_with_key(|(account, kind)| {
            Pages::new(account.clone(), kind.as_str().to_owned(), WithTerms::Large)
        });
        pages.add(line, &text);
    }
    logs.into_values().flat_map(Pages::finish).collect()
}

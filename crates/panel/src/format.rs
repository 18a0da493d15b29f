//! Formats of instants, URNs and lists in the pages.

use gatewright_iam::Instant;

/// Placeholder of a missing value.
const NONE: &str = "--";

/// Formats an instant to the second, in UTC.
pub(crate) fn second(instant: Instant) -> String {
    let text = instant.to_string();
    text.get(..19).unwrap_or(&text).replace('T', " ")
}

/// Formats an instant to the minute, in UTC.
pub(crate) fn minute(instant: Instant) -> String {
    let text = instant.to_string();
    let minute = text.get(..16).unwrap_or(&text);
    format!("{} UTC", minute.replace('T', " "))
}

/// Formats an instant to the minute, or the placeholder.
pub(crate) fn minute_or_none(instant: Option<Instant>) -> String {
    instant.map_or(NONE.to_owned(), minute)
}

/// Returns the readable part of a URN: the name at its end.
pub(crate) fn short_urn(urn: &str) -> &str {
    urn.strip_prefix("urn:v1:").and_then(|rest| rest.splitn(4, ':').nth(3)).unwrap_or(urn)
}

/// Splits a list of one entry a line; empty lines are none.
pub(crate) fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// Adds an entry to a list of one entry a line, unless it is there already.
pub(crate) fn add_line(list: &mut String, entry: &str) {
    let mut entries = lines(list);
    if !entry.is_empty() && !entries.iter().any(|one| one == entry) {
        entries.push(entry.to_owned());
    }
    *list = entries.join("\n");
}

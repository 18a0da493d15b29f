//! The pages, a module for each part of the menu.

use gatewright_iam::Instant;

pub(crate) mod groups;
pub(crate) mod logs;
pub(crate) mod me;
pub(crate) mod mfa;
pub(crate) mod overview;
pub(crate) mod permissions_groups;
pub(crate) mod policies;
pub(crate) mod resource_groups;
pub(crate) mod resources;
pub(crate) mod service_accounts;
pub(crate) mod sign_in;
pub(crate) mod simulation;
pub(crate) mod tokens;
pub(crate) mod users;

/// Nothing, where the reader may not know it.
fn allowed<T>(
    answer: Result<T, gatewright_iam::IamError>,
) -> Result<Option<T>, gatewright_iam::IamError> {
    match answer {
        Err(gatewright_iam::IamError::Forbidden { .. }) => Ok(None),
        answer => answer.map(Some),
    }
}

/// The part of a URN that people know: what comes last in it.
fn short_urn(urn: &str) -> &str {
    urn.strip_prefix("urn:v1:").and_then(|rest| rest.splitn(4, ':').nth(3)).unwrap_or(urn)
}

/// An instant as people read it: UTC, to the second.
fn instant(instant: Instant) -> String {
    let text = instant.to_string();
    text.get(..19).unwrap_or(&text).replace('T', " ")
}

/// An instant as people read it: UTC, to the minute.
fn format_minute(instant: Instant) -> String {
    let text = instant.to_string();
    let minute = text.get(..16).unwrap_or(&text);
    format!("{} UTC", minute.replace('T', " "))
}

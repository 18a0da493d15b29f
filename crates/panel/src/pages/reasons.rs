//! Reasons of decisions.

use gatewright_iam::Reason;

/// Returns the key of the text of a reason.
pub(super) fn reason_text(reason: Reason) -> &'static str {
    match reason {
        Reason::Root => "reason-root",
        Reason::Allowed => "reason-allowed",
        Reason::PassedOn => "reason-passed-on",
        Reason::OutOfScope => "reason-out-of-scope",
        Reason::WrongType => "reason-wrong-type",
        Reason::Denied => "reason-denied",
        Reason::NotAllowed => "reason-not-allowed",
    }
}

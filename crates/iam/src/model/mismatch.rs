//! The reasons why a precondition of a change does not hold, as clients are told.

/// The reason why a precondition does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// The object has another tag than `If-Match` names.
    #[error("The object has changed since it was read: read it again")]
    Changed,
    /// `If-Match` names weak tags alone, and compares strongly (RFC 9110, section 13.1.1).
    #[error(
        "If-Match holds for no weak tag (W/): send the tag as the object was read with, without W/"
    )]
    WeakTag,
    /// `If-Match` on the creation of an object.
    #[error("What is created has no tag yet: leave If-Match out")]
    Created,
    /// `If-Match`, and there is no object.
    #[error("There is no object yet that If-Match could name")]
    Missing,
    /// `If-None-Match: *`, and there is an object.
    #[error("The object exists already (If-None-Match)")]
    Exists,
    /// The object has a tag that `If-None-Match` names.
    #[error("The object is in the state that If-None-Match excludes")]
    Unchanged,
}

//! Errors of the use cases.

use gatewright_store::{Kind, NoWrites, StoreError};

use crate::model::mismatch::Mismatch;
use crate::model::rate::{JOURNAL, RateLimit};

/// The fault of an invalid input; clients read it from the error's class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// An error without a more precise class.
    Input,
    /// A malformed value.
    Format,
    /// A value that is not accepted.
    Parameter,
    /// A missing value.
    Missing,
    /// A value that is too long.
    TooLong,
    /// A malformed URN of a resource.
    ResourceUrn,
}

/// Too much of one kind that is being done at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many {0} at once")]
pub struct Overload(pub(crate) &'static str);

/// An error of a use case, which has changed nothing.
#[derive(Debug, thiserror::Error)]
pub enum IamError {
    /// The request has no credentials.
    #[error("You must login first")]
    NoCredentials,
    /// The token was not issued here, has expired, is revoked, or its identity no longer exists.
    #[error("This credential is not valid")]
    BadCredential,
    /// The policies, or the scope of the token, do not allow the action.
    #[error("User not granted for this request")]
    Forbidden {
        /// The actions that the policies do not allow.
        by_policy: Vec<String>,
        /// The actions that the scope of the token does not cover.
        by_scope: Vec<String>,
    },
    /// The action is sensitive, and the last authentication in the session is too old.
    #[error("Confirm that it is you")]
    ReauthenticationRequired,
    /// The request is ambiguous or not declared, so no policy was evaluated.
    #[error("{0}")]
    Refused(String),
    /// The object is managed by the server and cannot be changed.
    #[error("{0}")]
    ReadOnly(&'static str),
    /// The input is invalid.
    #[error("{message}")]
    Invalid {
        /// The fault of the input.
        fault: Fault,
        /// The message, with a way to correct the input.
        message: String,
    },
    /// The input is too large as a whole: it must be split.
    #[error("{0}")]
    TooLarge(String),
    /// The object does not exist, or not in this account.
    #[error("The requested object does not exist")]
    NotFound,
    /// The object is not in the state that the request names (`If-Match`, `If-None-Match`).
    #[error("{0}")]
    PreconditionFailed(Mismatch),
    /// Another request is creating something under the same idempotency key.
    #[error("a request with this Idempotency-Key is being processed: try again")]
    KeyInUse,
    /// The idempotency key was used for another request.
    #[error("this Idempotency-Key was used for another request: take a new one")]
    KeyReused,
    /// Another object has the name or the identifier.
    #[error("{message}")]
    Conflict {
        /// The existing object, as the last part of the error's class.
        detail: &'static str,
        /// The message, with a way to resolve the conflict.
        message: String,
    },
    /// The rate of requests of a kind is over its limit.
    #[error("{}: try again in {} s", excess(.0), .0.seconds)]
    RateLimited(RateLimit),
    /// Too much of one kind is being done at once: the client may retry.
    #[error("The server is busy: try again in {seconds} s")]
    Busy {
        /// The cause, for the log.
        #[source]
        cause: Overload,
        /// The time until a retry is worth while, in seconds.
        seconds: u64,
    },
    /// The database cannot be reached, takes no changes, or others change the object all the time: the
    /// client may retry.
    #[error("{}", unavailability(.0))]
    Unavailable(#[source] StoreError),
    /// The server failed: a retry does not help.
    #[error("{}", whose_fault(.0.as_ref()))]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// The time after which a client may repeat a request that the database did not answer, in seconds.
const RETRY_AFTER: u64 = 2;

/// Tells a client what there was too much of.
fn excess(limit: &RateLimit) -> &'static str {
    if limit.name == JOURNAL {
        "The account is changed by too much data"
    } else {
        "Too many requests"
    }
}

/// A state of the program that cannot happen.
#[derive(Debug, thiserror::Error)]
#[error("the program is at fault: {0}")]
struct Impossible(&'static str);

/// A stored document that this program cannot parse.
#[derive(Debug, thiserror::Error)]
#[error("the database holds a document of the kind {} that is malformed", kind.as_str())]
struct MalformedDocument {
    kind: Kind,
    source: serde_json::Error,
}

/// Tells a client why the database was of no use.
fn unavailability(cause: &StoreError) -> &'static str {
    if matches!(cause, StoreError::Stale) {
        return "The object is being changed by others too often: try again";
    }
    match cause.no_writes() {
        None => "The server cannot reach its database: try again",
        Some(NoWrites::NoRoom) => {
            "The server's database has no room, so nothing was changed: try again once its operator has \
             made room"
        }
        Some(NoWrites::ReadOnly) => {
            "The server's database can only be read at the moment, so nothing was changed: try again \
             later"
        }
    }
}

/// Distinguishes a broken database, which its operator must repair, from a fault of the program.
fn whose_fault(cause: &(dyn std::error::Error + Send + Sync + 'static)) -> &'static str {
    let is_broken = match cause.downcast_ref::<StoreError>() {
        Some(error) => matches!(
            error,
            StoreError::Broken { .. } | StoreError::Malformed(_) | StoreError::Journal(_)
        ),
        None => cause.is::<MalformedDocument>(),
    };
    if is_broken {
        "The server's database is broken: its operator must repair it"
    } else {
        "The server failed"
    }
}

impl IamError {
    /// Copies the error of an invalid input; any other becomes one without a more precise fault.
    pub(crate) fn copy(&self) -> Self {
        match self {
            Self::Invalid { fault, message } => Self::invalid(*fault, message.clone()),
            error => Self::invalid(Fault::Input, error.to_string()),
        }
    }

    /// Copies the refusal of a token.
    #[must_use]
    pub fn again(&self) -> Self {
        match self {
            Self::NoCredentials => Self::NoCredentials,
            _ => Self::BadCredential,
        }
    }

    /// Returns the time after which the request may be repeated, in seconds, if that is known.
    pub fn retry_after(&self) -> Option<u64> {
        match self {
            Self::RateLimited(limit) => Some(limit.seconds),
            Self::Busy { seconds, .. } => Some(*seconds),
            Self::Unavailable(_) => Some(RETRY_AFTER),
            _ => None,
        }
    }

    /// Creates the error of an invalid input.
    pub fn invalid(fault: Fault, message: impl Into<String>) -> Self {
        Self::Invalid { fault, message: message.into() }
    }

    /// Creates the error of a state of the program that cannot happen.
    pub(crate) fn impossible(state: &'static str) -> Self {
        Self::internal(Impossible(state))
    }

    /// Creates the error of a stored value that this program never writes.
    pub(crate) fn malformed(value: &'static str) -> Self {
        Self::internal(StoreError::Malformed(value))
    }

    /// Creates the error of a stored document that cannot be parsed.
    pub(crate) fn malformed_document(kind: Kind, source: serde_json::Error) -> Self {
        Self::internal(MalformedDocument { kind, source })
    }

    /// Creates an internal error from its cause.
    pub fn internal(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Internal(Box::new(error))
    }
}

impl From<StoreError> for IamError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Missing => Self::NotFound,
            StoreError::Taken(_) => Self::Conflict {
                detail: "AlreadyExists",
                message: "something of that name exists already".to_owned(),
            },
            StoreError::KeyInUse => Self::KeyInUse,
            StoreError::TooManyKeys(most) => {
                let message = format!(
                    "the account has used {most} values of Idempotency-Key within 24 hours: wait, \
                     or leave it out"
                );
                Self::invalid(Fault::Parameter, message)
            }
            error @ (StoreError::Unavailable { .. }
            | StoreError::Unconfirmed(_)
            | StoreError::InUse { .. }
            | StoreError::LogRemoved { .. }
            | StoreError::LogWithoutDatabase { .. }
            | StoreError::Open { .. }
            | StoreError::OtherLog { .. }
            | StoreError::Replaced { .. }
            | StoreError::SeveralNames { .. }
            | StoreError::Stale
            | StoreError::LostChanges
            | StoreError::NoAnswer
            | StoreError::NoRoom
            | StoreError::Silent(_)) => Self::Unavailable(error),
            error => Self::internal(error),
        }
    }
}

impl From<serde_json::Error> for IamError {
    fn from(error: serde_json::Error) -> Self {
        Self::internal(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::document::Document;
    use crate::model::user::UserDocument;

    #[test]
    fn a_fault_of_the_program_is_not_said_to_be_one_of_the_database() {
        assert_eq!(IamError::impossible("a wrong index").to_string(), "The server failed");
    }

    #[test]
    fn a_stored_document_that_cannot_be_parsed_is_a_broken_database() {
        let error = UserDocument::read("{").unwrap_err();
        assert!(error.to_string().contains("database is broken"), "{error}");
        let error = IamError::malformed("an authenticator without a secret");
        assert!(error.to_string().contains("database is broken"), "{error}");
    }

    #[test]
    fn an_object_that_others_change_all_the_time_is_no_failure_of_the_database() {
        let error = IamError::from(StoreError::Stale);
        assert!(error.to_string().contains("too often: try again"), "{error}");
        assert!(error.retry_after().is_some());
    }
}

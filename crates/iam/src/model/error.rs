//! Why a use case refused.

use gatewright_store::StoreError;

/// What is wrong with an input; clients read it off the error's class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing more precise.
    Input,
    /// It does not have the right form.
    Format,
    /// It has a value that cannot be taken.
    Parameter,
    /// It is missing.
    Missing,
    /// It is too long.
    TooLong,
    /// The URN of a resource is malformed.
    ResourceUrn,
}

/// Why a use case refused. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum IamError {
    /// Nobody said who they are.
    #[error("You must login first")]
    NoCredentials,
    /// The token is not one of ours, has expired, was revoked, or its identity is gone.
    #[error("This credential is not valid")]
    BadCredential,
    /// The policies, or the scope of the token, do not allow it.
    #[error("User not granted for this request")]
    Forbidden {
        /// The actions that the policies refuse.
        by_policy: Vec<String>,
        /// The actions that the token is not meant for.
        by_scope: Vec<String>,
    },
    /// No policy was asked: the request is unclear, or not declared.
    #[error("{0}")]
    Refused(String),
    /// It belongs to the server and cannot be changed.
    #[error("{0}")]
    ReadOnly(&'static str),
    /// The input is wrong.
    #[error("{message}")]
    Invalid {
        /// In which way.
        fault: Fault,
        /// What to do about it.
        message: String,
    },
    /// There is no such thing, or not in this account.
    #[error("The requested object does not exist")]
    NotFound,
    /// Something else has the name or the identifier.
    #[error("{message}")]
    Conflict {
        /// What exists already, as the last part of the error's class.
        detail: &'static str,
        /// What to do about it.
        message: String,
    },
    /// The server cannot know the answer now.
    #[error("The server cannot reach its database: try again")]
    Unavailable(#[source] StoreError),
    /// The server is at fault: trying again does not help.
    #[error("{}", whose_fault(.0.as_ref()))]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Tells a broken database, which its operator must repair, from a fault of the program.
fn whose_fault(cause: &(dyn std::error::Error + Send + Sync + 'static)) -> &'static str {
    match cause.downcast_ref::<StoreError>() {
        Some(StoreError::Broken { .. } | StoreError::Malformed(_) | StoreError::Journal(_)) => {
            "The server's database is broken: its operator must repair it"
        }
        _ => "The server failed",
    }
}

impl IamError {
    /// The same refusal of a token once more.
    #[must_use]
    pub fn again(&self) -> Self {
        match self {
            Self::NoCredentials => Self::NoCredentials,
            _ => Self::BadCredential,
        }
    }

    /// An input that is wrong in the given way.
    pub fn invalid(fault: Fault, message: impl Into<String>) -> Self {
        Self::Invalid { fault, message: message.into() }
    }

    /// A state of the server that cannot happen.
    pub(crate) fn impossible(state: &'static str) -> Self {
        Self::internal(StoreError::Malformed(state))
    }

    /// A fault of the server.
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
            error @ StoreError::Unavailable { .. } => Self::Unavailable(error),
            error => Self::internal(error),
        }
    }
}

impl From<serde_json::Error> for IamError {
    fn from(error: serde_json::Error) -> Self {
        Self::internal(error)
    }
}

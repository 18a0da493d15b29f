//! Errors of pages.

use std::error::Error;

use axum::http::StatusCode;
use axum::http::header::InvalidHeaderValue;
use gatewright_iam::{BodyFailure, IamError, SignInError};
use http_body_util::LengthLimitError;

use crate::pending_form::PendingForm;

/// Error whose page is rendered instead of the requested one.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PageError {
    #[error("nobody is signed in")]
    Unauthenticated,
    #[error("a second factor must be set up first")]
    NotEnrolled,
    /// The re-authentication that a sensitive action has asked for failed.
    #[error(transparent)]
    NotReauthenticated(SignInError),
    /// The form is kept only if the browser says that a page of this panel sent it, as after a
    /// change of session.
    #[error("the CSRF token is missing or wrong")]
    CsrfTokenMismatch { pending: PendingForm },
    /// The form that was kept until a re-authentication cannot be opened.
    #[error("the form was kept for too long, or for somebody else")]
    FormExpired,
    #[error("there is no such page")]
    NoSuchPage,
    #[error("the form is too large")]
    FormTooLarge,
    #[error("the form did not arrive in time")]
    FormTooSlow,
    #[error("the form did not arrive whole")]
    FormCutShort,
    #[error("there is no memory for more forms")]
    TooManyForms,
    #[error(transparent)]
    Iam(#[from] IamError),
    #[error("a template failed")]
    Template(#[from] askama::Error),
    #[error("a header cannot be sent")]
    Header(#[from] InvalidHeaderValue),
    #[error("a picture cannot be drawn: {0}")]
    Drawing(String),
    #[error("a value cannot be written as JSON")]
    Json(#[from] serde_json::Error),
    #[error("the path of the page has no parameter {0}")]
    MissingParameter(&'static str),
}

impl PageError {
    /// Creates the error of a form that could not be received whole.
    pub(crate) fn incomplete_form(error: &(dyn Error + 'static)) -> Self {
        let mut causes = std::iter::successors(Some(error), |error| (*error).source());
        if causes.any(<dyn std::error::Error>::is::<LengthLimitError>) {
            return Self::FormTooLarge;
        }
        match BodyFailure::of(error) {
            BodyFailure::TooSlow => Self::FormTooSlow,
            BodyFailure::NoMemory => Self::TooManyForms,
            BodyFailure::CutShort => Self::FormCutShort,
        }
    }

    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
            Self::CsrfTokenMismatch { .. } | Self::FormExpired | Self::NotEnrolled => {
                StatusCode::FORBIDDEN
            }
            Self::NoSuchPage => StatusCode::NOT_FOUND,
            Self::FormTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::FormTooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::FormCutShort | Self::NotReauthenticated(_) => StatusCode::BAD_REQUEST,
            Self::TooManyForms => StatusCode::SERVICE_UNAVAILABLE,
            Self::Template(_)
            | Self::Header(_)
            | Self::Drawing(_)
            | Self::Json(_)
            | Self::MissingParameter(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Iam(error) => match error {
                IamError::NoCredentials | IamError::BadCredential => StatusCode::UNAUTHORIZED,
                IamError::Forbidden { .. }
                | IamError::ReauthenticationRequired
                | IamError::ReadOnly(_)
                | IamError::Refused(_) => StatusCode::FORBIDDEN,
                IamError::Invalid { .. } => StatusCode::BAD_REQUEST,
                IamError::RateLimited(_) => StatusCode::TOO_MANY_REQUESTS,
                IamError::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
                IamError::NotFound => StatusCode::NOT_FOUND,
                IamError::Conflict { .. } | IamError::KeyInUse => StatusCode::CONFLICT,
                IamError::KeyReused => StatusCode::UNPROCESSABLE_ENTITY,
                IamError::PreconditionFailed(_) => StatusCode::PRECONDITION_FAILED,
                IamError::Busy { .. } | IamError::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
                IamError::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
            },
        }
    }

    /// Returns the message of an invalid input; none for other errors.
    pub(crate) fn validation_message(&self) -> Option<String> {
        match self {
            Self::Iam(
                error @ (IamError::Invalid { .. }
                | IamError::TooLarge(_)
                | IamError::Conflict { .. }),
            ) => Some(error.to_string()),
            _ => None,
        }
    }

    /// Returns the seconds after which the request may be repeated, if that is known.
    pub(crate) fn retry_after(&self) -> Option<u64> {
        match self {
            Self::TooManyForms => Some(BodyFailure::RETRY_AFTER),
            Self::Iam(error) => error.retry_after(),
            _ => None,
        }
    }

    /// Returns the actions that the person lacks.
    pub(crate) fn missing_actions(&self) -> Vec<String> {
        match self {
            Self::Iam(IamError::Forbidden { by_policy, by_scope }) => {
                by_policy.iter().chain(by_scope).cloned().collect()
            }
            _ => Vec::new(),
        }
    }
}

/// Converts a denial to none: parts of a page are left out if the reader has no permission for
/// them.
pub(crate) fn none_if_forbidden<T>(result: Result<T, IamError>) -> Result<Option<T>, IamError> {
    match result {
        Err(IamError::Forbidden { .. }) => Ok(None),
        result => result.map(Some),
    }
}

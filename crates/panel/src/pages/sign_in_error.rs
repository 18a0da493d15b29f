//! Messages for failed authentication.

use axum::http::StatusCode;
use gatewright_iam::{IamError, SignInError};

use crate::error::PageError;
use crate::form::InputError;
use crate::request::RequestContext;

/// Returns the message of a failed sign-in; other errors have pages of their own.
pub(super) fn sign_in_error(
    request: &RequestContext,
    error: SignInError,
) -> Result<InputError, PageError> {
    let say = |key| request.texts.say(key);
    let mut retry_after = None;
    let (status, message) = match error {
        // The form keeps the login, for another try.
        SignInError::Failed(IamError::Busy { seconds, .. }) => {
            retry_after = Some(seconds);
            (StatusCode::SERVICE_UNAVAILABLE, say("sign-in-busy"))
        }
        SignInError::Failed(error) => return Err(error.into()),
        SignInError::Wrong => (StatusCode::UNAUTHORIZED, say("sign-in-wrong")),
        SignInError::WrongCode => (StatusCode::UNAUTHORIZED, say("code-wrong")),
        SignInError::NeedsPasskey => (StatusCode::UNAUTHORIZED, say("passkey-needed")),
        SignInError::WrongPasskey => (StatusCode::UNAUTHORIZED, say("passkey-wrong")),
        SignInError::Disabled => (StatusCode::FORBIDDEN, say("sign-in-disabled")),
        SignInError::TooMany { seconds } => {
            retry_after = Some(seconds);
            (StatusCode::TOO_MANY_REQUESTS, request.texts.count("sign-in-too-many", seconds))
        }
    };
    Ok(InputError { status, message, retry_after })
}

/// Returns the message of a failed proof of identity by somebody who is signed in.
pub(super) fn password_error(
    request: &RequestContext,
    error: SignInError,
) -> Result<InputError, PageError> {
    let error = match error {
        SignInError::Wrong => return Ok(bad_request(request.texts.say("password-wrong"))),
        error @ SignInError::Failed(IamError::Busy { .. }) => sign_in_error(request, error)?,
        SignInError::Failed(error) => InputError::of(error)?,
        error => sign_in_error(request, error)?,
    };
    let retry_after = error.retry_after;
    Ok(InputError { retry_after, ..bad_request(error.message) })
}

/// Creates an error of a form that no use case returns.
pub(super) fn bad_request(message: String) -> InputError {
    InputError { status: StatusCode::BAD_REQUEST, message, retry_after: None }
}

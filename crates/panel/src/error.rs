//! Why a page cannot be shown, and what is shown instead.

use askama::Template;
use axum::http::StatusCode;
use gatewright_iam::IamError;

use crate::fields::encoded;
use crate::layout::{Layout, Section};
use crate::pages::sign_in;
use crate::request::RequestContext;
use crate::response::{HandlerResult, PageResponse};

/// Why a page cannot be shown.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PageError {
    #[error("nobody is signed in")]
    Unauthenticated,
    /// What was typed is kept only where the browser says that a page of ours sent it, as one of an
    /// earlier session does.
    #[error("the form is not one of ours")]
    CsrfTokenMismatch { kept: Vec<(String, String)> },
    #[error("there is no such page")]
    NoSuchPage,
    #[error("the form is too large")]
    FormTooLarge,
    #[error(transparent)]
    Iam(#[from] IamError),
    #[error("a template failed")]
    Template(#[from] askama::Error),
}

/// A page that says what went wrong, and where to go on.
#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage {
    layout: Layout,
    title: &'static str,
    text: &'static str,
    /// What exactly, where that is known.
    detail: Option<String>,
    /// The actions that the person may not do.
    missing: Vec<String>,
}

impl PageError {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
            Self::CsrfTokenMismatch { .. } => StatusCode::FORBIDDEN,
            Self::NoSuchPage => StatusCode::NOT_FOUND,
            Self::FormTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Template(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Iam(error) => match error {
                IamError::NoCredentials | IamError::BadCredential => StatusCode::UNAUTHORIZED,
                IamError::Forbidden { .. } | IamError::ReadOnly(_) | IamError::Refused(_) => {
                    StatusCode::FORBIDDEN
                }
                IamError::Invalid { .. } => StatusCode::BAD_REQUEST,
                IamError::NotFound => StatusCode::NOT_FOUND,
                IamError::Conflict { .. } => StatusCode::CONFLICT,
                IamError::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
                IamError::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
            },
        }
    }

    /// What is wrong with what was typed, if that is what is wrong.
    pub(crate) fn validation_message(&self) -> Option<String> {
        match self {
            Self::Iam(error @ (IamError::Invalid { .. } | IamError::Conflict { .. })) => {
                Some(error.to_string())
            }
            _ => None,
        }
    }

    /// What is shown instead of the page.
    pub(crate) fn answer(&self, request: &RequestContext) -> HandlerResult {
        let status = self.status();
        if status.is_server_error() {
            tracing::error!(query_id = %request.query_id, cause = ?self, "failed");
        }
        let (title, text) = match (self, status) {
            (Self::Unauthenticated, _) | (_, StatusCode::UNAUTHORIZED) => {
                return ask_to_sign_in(request);
            }
            (Self::CsrfTokenMismatch { kept }, _) if !kept.is_empty() => {
                return match request.session {
                    Some(_) => sign_in::resume(request, kept.clone()),
                    None => sign_in::keeping(request, kept.clone()),
                };
            }
            (Self::CsrfTokenMismatch { .. }, _) => ("foreign-form-title", "foreign-form-text"),
            (Self::FormTooLarge, _) => ("too-large-title", "too-large-text"),
            (Self::Iam(IamError::ReadOnly(_)), _) => ("read-only-title", "read-only-text"),
            (_, StatusCode::FORBIDDEN) => ("forbidden-title", "forbidden-text"),
            (_, StatusCode::NOT_FOUND) => ("not-found-title", "not-found-text"),
            (_, StatusCode::SERVICE_UNAVAILABLE) => ("unavailable-title", "unavailable-text"),
            (_, StatusCode::INTERNAL_SERVER_ERROR) => ("failed-title", "failed-text"),
            _ => ("refused-title", "refused-text"),
        };
        let missing = match self {
            Self::Iam(IamError::Forbidden { by_policy, by_scope }) => {
                by_policy.iter().chain(by_scope).cloned().collect()
            }
            _ => Vec::new(),
        };
        let layout = request.layout(Section::None);
        let detail = self.validation_message();
        let page = ErrorPage { layout, title, text, detail, missing };
        PageResponse::render(&page).map(|answer| answer.with_status(status))
    }
}

/// What was typed is kept, and sent again once the person has signed in.
fn ask_to_sign_in(request: &RequestContext) -> HandlerResult {
    let kept = request.form.to_keep();
    if kept.is_empty() {
        return Ok(PageResponse::redirect(format!("/sign-in?next={}", encoded(&request.target))));
    }
    sign_in::keeping(request, kept)
}

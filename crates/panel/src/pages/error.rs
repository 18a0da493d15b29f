//! Page of an error.

use askama::Template;
use axum::http::StatusCode;
use gatewright_iam::IamError;

use crate::error::PageError;
use crate::layout::{Layout, Section};
use crate::request::RequestContext;
use crate::response::{HandlerResult, PageResponse};

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage {
    layout: Layout,
    title: &'static str,
    text: &'static str,
    /// Message of the use case, if it may be displayed.
    detail: Option<String>,
    /// Actions that the user lacks.
    missing: Vec<String>,
}

/// Renders the page of an error, with a link to go on.
pub(crate) fn show(request: &RequestContext, error: &PageError) -> HandlerResult {
    let (title, text) = texts(error);
    let page = ErrorPage {
        layout: request.layout(Section::None),
        title,
        text,
        detail: error.validation_message(),
        missing: error.missing_actions(),
    };
    let response = PageResponse::render(&page)?.with_status(error.status());
    Ok(response.with_retry_after(error.retry_after()))
}

/// Returns the keys of the title and the text of an error.
fn texts(error: &PageError) -> (&'static str, &'static str) {
    match (error, error.status()) {
        (PageError::CsrfTokenMismatch { .. }, _) => ("foreign-form-title", "foreign-form-text"),
        (PageError::FormExpired, _) => ("form-expired-title", "form-expired-text"),
        (PageError::FormTooLarge, _) => ("too-large-title", "too-large-text"),
        (PageError::FormTooSlow | PageError::FormCutShort, _) => {
            ("cut-short-title", "cut-short-text")
        }
        (PageError::TooManyForms, _) => ("busy-title", "busy-text"),
        (PageError::Iam(IamError::ReadOnly(_)), _) => ("read-only-title", "read-only-text"),
        (_, StatusCode::FORBIDDEN) => ("forbidden-title", "forbidden-text"),
        (_, StatusCode::NOT_FOUND) => ("not-found-title", "not-found-text"),
        (_, StatusCode::TOO_MANY_REQUESTS) => ("rate-limited-title", "rate-limited-text"),
        (_, StatusCode::SERVICE_UNAVAILABLE) => ("unavailable-title", "unavailable-text"),
        (_, StatusCode::INTERNAL_SERVER_ERROR) => ("failed-title", "failed-text"),
        _ => ("refused-title", "refused-text"),
    }
}

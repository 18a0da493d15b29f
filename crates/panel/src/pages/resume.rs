//! Page that submits a pending form once the user confirms.

use askama::Template;
use axum::http::StatusCode;

use crate::layout::{Layout, Section};
use crate::pending_form::PendingForm;
use crate::request::RequestContext;
use crate::response::{HandlerResult, PageResponse};

#[derive(Template)]
#[template(path = "resume.html")]
struct ResumePage {
    layout: Layout,
    /// Path that the form is submitted to.
    next: String,
    pending: PendingForm,
}

/// Renders the page for a user who is signed in and submitted a form of an earlier session.
pub(crate) fn show(request: &RequestContext, pending: PendingForm) -> HandlerResult {
    let page = render(request.layout(Section::None), request.target.clone(), pending)?;
    Ok(page.with_status(StatusCode::FORBIDDEN))
}

/// Renders the page with a layout of the session that has just begun.
pub(super) fn render(layout: Layout, next: String, pending: PendingForm) -> HandlerResult {
    PageResponse::render(&ResumePage { layout, next, pending })
}

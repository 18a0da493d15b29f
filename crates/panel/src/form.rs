//! Forms that are rendered again with their values when the input is refused.

use axum::http::StatusCode;

use crate::error::PageError;
use crate::layout::{Banner, Layout, Section};
use crate::request::RequestContext;
use crate::response::HandlerResult;

/// Form of a page: the values of its fields, and the other content of its page.
pub(crate) trait Form: Sized {
    /// Entry of the menu that the page belongs to.
    const SECTION: Section;

    /// Renders the page with the values.
    async fn render(self, request: &RequestContext, layout: Layout) -> HandlerResult;

    /// Renders the page as it is.
    async fn show(self, request: &RequestContext) -> HandlerResult {
        self.render(request, request.layout(Self::SECTION)).await
    }

    /// Renders the page with the flash message of the previous operation.
    async fn show_with_flash(self, request: &RequestContext) -> HandlerResult {
        self.render(request, request.layout_with_flash(Self::SECTION)).await
    }

    /// Renders the page again, with the values and the error of the input.
    async fn reject(self, request: &RequestContext, error: InputError) -> HandlerResult {
        let layout = request.layout(Self::SECTION).with(Banner::danger(error.message));
        let page = self.render(request, layout).await?.with_status(error.status);
        Ok(page.with_retry_after(error.retry_after))
    }
}

/// Error of the input of a form.
#[derive(Debug)]
pub(crate) struct InputError {
    pub(crate) status: StatusCode,
    pub(crate) message: String,
    /// The seconds after which the form may be submitted again, if that is known.
    pub(crate) retry_after: Option<u64>,
}

impl InputError {
    /// Distinguishes an error of the input, which the form displays, from all others, which have
    /// pages of their own.
    pub(crate) fn of(error: impl Into<PageError>) -> Result<Self, PageError> {
        let error = error.into();
        match error.validation_message() {
            Some(message) => Ok(Self { status: error.status(), message, retry_after: None }),
            None => Err(error),
        }
    }
}

//! The demand for a second factor: the form that sets it, and the page of those who have none yet.

use std::sync::Arc;

use askama::Template;
use gatewright_iam::{Fault, IamError, SecondFactor, SessionAccess};

use crate::layout::{Layout, Section};
use crate::request::RequestContext;
use crate::response::{HandlerResult, PageResponse};
use crate::route::Route;

/// Path of the page of those who must set up a second factor before anything else.
pub(crate) const PATH: &str = "/me/second-factor";

pub(super) fn routes() -> Vec<Route> {
    vec![Route::page(PATH, show).enrolling(), Route::form("/account/second-factor", set)]
}

#[derive(Template)]
#[template(path = "second_factor/second_factor.html")]
struct EnrolmentPage {
    layout: Layout,
    has_passkeys: bool,
}

async fn show(request: Arc<RequestContext>) -> HandlerResult {
    // Nothing is demanded of this person, or it was done.
    if request.session()?.access == SessionAccess::Full {
        return PageResponse::redirect("/me");
    }
    let has_passkeys = request.iam.has_passkeys();
    PageResponse::render(&EnrolmentPage { layout: request.layout(Section::Me), has_passkeys })
}

async fn set(request: Arc<RequestContext>) -> HandlerResult {
    let (input, flash) = match request.form.get("second-factor") {
        "required" => (Ok(SecondFactor::Required), "flash-second-factor-required"),
        "optional" => (Ok(SecondFactor::Optional), "flash-second-factor-optional"),
        _ => (Err(IamError::invalid(Fault::Missing, "\"second-factor\" is missing")), ""),
    };
    request.iam.set_second_factor(&request.context()?, input).await?;
    PageResponse::redirect(format!("/users?flash={flash}"))
}

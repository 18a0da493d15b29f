//! Simulation of decisions, with their reasons.

mod form;
mod outcome;

use std::sync::Arc;

use askama::Template;
pub(super) use form::SimulationForm;

use crate::form::{Form, InputError};
use crate::format::second;
use crate::layout::{Layout, Section};
use crate::request::RequestContext;
use crate::response::{HandlerResult, PageResponse};
use crate::route::Route;

pub(super) fn routes() -> Vec<Route> {
    vec![Route::page("/policies/try", show)]
}

#[derive(Template)]
#[template(path = "simulation/page.html")]
struct SimulationPage {
    layout: Layout,
    simulation: SimulationForm,
}

impl Form for SimulationForm {
    const SECTION: Section = Section::Policies;

    async fn render(self, _: &RequestContext, layout: Layout) -> HandlerResult {
        PageResponse::render(&SimulationPage { layout, simulation: self })
    }
}

async fn show(request: Arc<RequestContext>) -> HandlerResult {
    let mut form = SimulationForm::read(&request.query);
    if form.is_empty() {
        form.at = second(request.now).replace(' ', "T") + "Z";
        return form.show(&request).await;
    }
    match form.run(&request, None).await {
        Ok(()) => form.show(&request).await,
        Err(error) => form.reject(&request, InputError::of(error)?).await,
    }
}

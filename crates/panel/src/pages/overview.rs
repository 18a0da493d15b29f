//! First page: activity, and findings to review.

mod activity;
mod findings;

use std::sync::Arc;

use activity::{Activity, Period, activity};
use askama::Template;
use findings::{Finding, policy_findings, unused_clients};

use crate::layout::{Layout, Section};
use crate::request::RequestContext;
use crate::response::{HandlerResult, PageResponse};
use crate::route::Route;

pub(super) fn routes() -> Vec<Route> {
    vec![Route::page("/", show)]
}

#[derive(Template)]
#[template(path = "overview.html")]
struct OverviewPage {
    layout: Layout,
    period: Period,
    /// Tokens and decisions; none if the reader has no permission.
    activity: Option<Activity>,
    /// Unused service accounts; none if the reader has no permission.
    unused: Option<Finding>,
    /// Findings about policies; none if the reader has no permission.
    policies: Option<Vec<Finding>>,
}

async fn show(request: Arc<RequestContext>) -> HandlerResult {
    let context = request.context()?;
    let period = Period::parse(request.query.get("of"));
    PageResponse::render(&OverviewPage {
        layout: request.layout_with_flash(Section::Overview),
        period,
        activity: activity(&request, &context, period).await?,
        unused: unused_clients(&request, &context).await?,
        policies: policy_findings(&request, &context).await?,
    })
}

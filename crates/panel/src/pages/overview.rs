//! First page: activity, and what somebody should look at.

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
    /// Tokens and decisions; none where the reader may not know.
    activity: Option<Activity>,
    /// Unused service accounts; none where the reader may not know.
    unused: Option<Finding>,
    /// Findings about policies; none where the reader may not know.
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

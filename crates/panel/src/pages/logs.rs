//! Logs: changes, calls and decisions.

mod download;
mod entries;
mod log;
mod page;
mod row;

use std::sync::Arc;

use log::Log;

use crate::request::RequestContext;
use crate::response::{HandlerResult, PageResponse};
use crate::route::Route;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::page("/logs", first),
        Route::page("/logs/audit", |request| page::show(request, Log::Audit)),
        Route::page("/logs/activity", |request| page::show(request, Log::Activity)),
        Route::page("/logs/decisions", |request| page::show(request, Log::Decisions)),
        Route::page("/logs/audit/download", |request| download::show(request, Log::Audit)),
        Route::page("/logs/activity/download", |request| download::show(request, Log::Activity)),
        Route::page("/logs/decisions/download", |request| download::show(request, Log::Decisions)),
    ]
}

/// Redirects to the first of the logs.
async fn first(_: Arc<RequestContext>) -> HandlerResult {
    PageResponse::redirect(Log::Audit.path())
}

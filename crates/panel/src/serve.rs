//! Router of the panel.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::header::ACCEPT;
use axum::http::{Method, Response};
use axum::routing::{MethodRouter, get, post};
use tower::ServiceExt;

use crate::assets;
use crate::dispatch::dispatch;
use crate::pages::routes;
use crate::panel::Panel;
use crate::route::Route;

/// Serves requests for the panel's pages, and passes all others to `rest`.
pub fn router(panel: Arc<Panel>, rest: Router) -> Router {
    let router = routes().into_iter().fold(Router::new(), |router, route| {
        let path = route.path();
        router.route(path, method_router(route))
    });
    router
        .route("/assets/{build}/{name}", get(asset))
        .fallback(move |state, request| no_page(state, request, rest.clone()))
        .with_state(panel)
}

async fn asset(Path((_, name)): Path<(String, String)>) -> Response<Body> {
    assets::serve(&name)
}

fn method_router(route: Route) -> MethodRouter<Arc<Panel>> {
    let is_form = *route.method() == Method::POST;
    let route = Arc::new(route);
    let handler = move |State(panel): State<Arc<Panel>>, request: Request| {
        let route = Arc::clone(&route);
        async move { dispatch(&panel, request, Some(&route)).await }
    };
    if is_form { post(handler) } else { get(handler) }
}

/// Answers a path without a page: browsers get an error page, everything else is passed to `rest`.
/// Paths of the API do not arrive here: the dispatcher has sent them to the API.
async fn no_page(
    State(panel): State<Arc<Panel>>,
    request: Request,
    rest: Router,
) -> Response<Body> {
    let accept = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok());
    let is_person = accept.is_some_and(|accept| accept.contains("text/html"));
    if request.method() == Method::GET && is_person {
        return dispatch(&panel, request, None).await;
    }
    match rest.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

//! From a request to its page.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{FromRequestParts, Path, RawPathParams, Request, State};
use axum::http::header::{ACCEPT, ACCEPT_LANGUAGE, USER_AGENT};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, Response, StatusCode};
use axum::routing::{MethodRouter, get, post};
use gatewright_iam::{Call, Iam, IamError, Session, SessionToken};
use tower::ServiceExt;

use crate::assets;
use crate::cookies::{self, Cookies};
use crate::error::PageError;
use crate::fields::Fields;
use crate::pages::{
    groups, logs, me, mfa, overview, permissions_groups, policies, resource_groups, resources,
    service_accounts, sign_in, simulation, tokens, users,
};
use crate::request::RequestContext;
use crate::response::{HandlerResult, PageResponse};
use crate::text::{Catalogues, Texts, TextsError};

/// No form may be longer.
const MAX_FORM: usize = 2 << 20;

/// How the panel is reached.
pub struct Options {
    /// Where a request comes from, be it through proxies.
    pub address_of: Box<AddressOf>,
}

type AddressOf = dyn Fn(&Parts) -> Option<IpAddr> + Send + Sync;

/// The panel: its pages, and what they need.
pub struct Panel {
    iam: Arc<Iam>,
    options: Options,
    catalogues: Catalogues,
    cookies: Cookies,
    assets: Arc<str>,
}

impl Panel {
    /// A panel on these use cases.
    pub fn new(iam: Arc<Iam>, options: Options) -> Result<Self, TextsError> {
        let cookies = Cookies::of(&iam.settings().public_url);
        let catalogues = Catalogues::load()?;
        Ok(Self { iam, options, catalogues, cookies, assets: assets::folder().into() })
    }
}

/// Answers requests for the panel's pages, and leaves all others to `rest`.
pub fn router(panel: Arc<Panel>, rest: Router) -> Router {
    Router::new()
        .route("/", show(overview::show))
        .route("/sign-in", show(sign_in::show).merge(take(sign_in::sign_in)))
        .route("/sign-in/code", take(sign_in::confirm))
        .route("/sign-in/passkey", take(sign_in::by_passkey))
        .route("/sign-out", take(sign_in::sign_out))
        .route("/service-accounts", show(service_accounts::list))
        .route(
            "/service-accounts/create",
            show(service_accounts::create_form).merge(take(service_accounts::create)),
        )
        .route("/service-accounts/{id}", show(service_accounts::details))
        .route(
            "/service-accounts/{id}/edit",
            show(service_accounts::edit_form).merge(take(service_accounts::edit)),
        )
        .route(
            "/service-accounts/{id}/delete",
            show(service_accounts::delete_form).merge(take(service_accounts::delete)),
        )
        .route("/service-accounts/{id}/detach", take(service_accounts::detach))
        .route("/service-accounts/{id}/attach", take(service_accounts::attach))
        .route("/policies", show(policies::list))
        .route("/policies/create", show(policies::create_form).merge(take(policies::create)))
        .route("/policies/try", show(simulation::show))
        .route("/policies/{id}", show(policies::details).merge(take(policies::edit)))
        .route("/policies/{id}/delete", show(policies::delete_form).merge(take(policies::delete)))
        .route("/resource-groups", show(resource_groups::list))
        .route(
            "/resource-groups/create",
            show(resource_groups::create_form).merge(take(resource_groups::create)),
        )
        .route(
            "/resource-groups/{id}",
            show(resource_groups::details).merge(take(resource_groups::edit)),
        )
        .route("/resource-groups/{id}/delete", take(resource_groups::delete))
        .route("/permissions-groups", show(permissions_groups::list))
        .route(
            "/permissions-groups/create",
            show(permissions_groups::create_form).merge(take(permissions_groups::create)),
        )
        .route(
            "/permissions-groups/{urn}",
            show(permissions_groups::details).merge(take(permissions_groups::edit)),
        )
        .route("/permissions-groups/{urn}/delete", take(permissions_groups::delete))
        .route("/resources", show(resources::list))
        .route("/resources/create", show(resources::create_form).merge(take(resources::create)))
        .route("/resources/{urn}", show(resources::details))
        .route("/resources/{urn}/delete", take(resources::delete))
        .route("/resources/{urn}/tags", take(resources::add_tag))
        .route("/resources/{urn}/tags/remove", take(resources::remove_tag))
        .route("/tags", show(resources::tags))
        .route("/users", show(users::list))
        .route("/users/create", show(users::create_form).merge(take(users::create)))
        .route("/users/{login}", show(users::details).merge(take(users::edit)))
        .route("/users/{login}/enable", take(users::enable))
        .route("/users/{login}/disable", take(users::disable))
        .route("/users/{login}/delete", take(users::delete))
        .route("/users/{login}/tokens", show(tokens::list))
        .route(
            "/users/{login}/tokens/create",
            show(tokens::create_form).merge(take(tokens::create)),
        )
        .route("/users/{login}/tokens/{name}", show(tokens::details).merge(take(tokens::edit)))
        .route("/users/{login}/tokens/{name}/delete", take(tokens::delete))
        .route("/logs", show(logs::first))
        .route("/logs/audit", show(logs::audit))
        .route("/logs/activity", show(logs::activity))
        .route("/logs/decisions", show(logs::decisions))
        .route("/logs/audit/download", show(logs::audit_file))
        .route("/logs/activity/download", show(logs::activity_file))
        .route("/logs/decisions/download", show(logs::decisions_file))
        .route("/groups", show(groups::list))
        .route("/groups/create", show(groups::create_form).merge(take(groups::create)))
        .route("/groups/{name}", show(groups::details).merge(take(groups::edit)))
        .route("/groups/{name}/delete", take(groups::delete))
        .route("/me", show(me::show))
        .route("/me/password", take(me::change_password))
        .route("/me/totp", show(mfa::totp_form).merge(take(mfa::confirm_totp)))
        .route("/me/totp/remove", take(mfa::remove_totp))
        .route("/me/passkeys/create", show(mfa::passkey_form).merge(take(mfa::add_passkey)))
        .route("/me/passkeys/{id}/delete", take(mfa::remove_passkey))
        .route("/users/{login}/reset", take(users::reset_mfa))
        .route("/me/sessions/{id}/end", take(me::end_session))
        .route("/assets/{build}/{name}", get(asset))
        .fallback(move |state, request| otherwise(state, request, rest.clone()))
        .with_state(panel)
}

async fn asset(Path((_, name)): Path<(String, String)>) -> Response<Body> {
    assets::serve(&name)
}

/// A page that is read.
fn show<F, A>(handler: F) -> MethodRouter<Arc<Panel>>
where
    F: Fn(Arc<RequestContext>) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = HandlerResult> + Send + 'static,
{
    get(move |State(panel): State<Arc<Panel>>, request: Request| async move {
        panel.answer(request, handler).await
    })
}

/// A form that is sent.
fn take<F, A>(handler: F) -> MethodRouter<Arc<Panel>>
where
    F: Fn(Arc<RequestContext>) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = HandlerResult> + Send + 'static,
{
    post(move |State(panel): State<Arc<Panel>>, request: Request| async move {
        panel.answer(request, handler).await
    })
}

/// Answers what is no page: a person who is lost with a page, and all else by `rest`. What is the
/// API's is not sent here: the dispatcher asks the API for its paths.
async fn otherwise(
    State(panel): State<Arc<Panel>>,
    request: Request,
    rest: Router,
) -> Response<Body> {
    let accept = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok());
    let is_person = accept.is_some_and(|accept| accept.contains("text/html"));
    if request.method() == Method::GET && is_person {
        return panel.answer(request, |_| async { Err(PageError::NoSuchPage) }).await;
    }
    match rest.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

impl Panel {
    async fn answer<F, A>(&self, request: Request, handler: F) -> Response<Body>
    where
        F: Fn(Arc<RequestContext>) -> A,
        A: Future<Output = HandlerResult>,
    {
        let (mut parts, body) = request.into_parts();
        let (method, path) = (parts.method.clone(), parts.uri.path().to_owned());
        let (mut request, is_new) = match self.request(&mut parts).await {
            Ok(request) => request,
            Err(error) => {
                tracing::error!(cause = ?error, "failed");
                let answer = PageResponse::redirect("/");
                return answer.with_status(StatusCode::INTERNAL_SERVER_ERROR).into_response();
            }
        };
        let session = self.session(&request).await.map(|session| request.session = session);
        let form = read(&parts, body, &request).await.map(|form| request.form = form);
        let read = form.and(session);
        let request = Arc::new(request);
        let answered = match read {
            Ok(()) => handler(Arc::clone(&request)).await,
            Err(error) => Err(error),
        };
        let answered = answered.or_else(|error| error.answer(&request));
        let mut answer: PageResponse = answered.unwrap_or_else(|error| {
            tracing::error!(query_id = %request.query_id, cause = ?error, "failed");
            PageResponse::redirect("/").with_status(StatusCode::INTERNAL_SERVER_ERROR)
        });
        if is_new {
            answer = answer.with_cookie(self.cookies.set(self.cookies.form, &request.form_cookie));
        }
        let status = answer.status();
        // Who watches a log is no news in it every other second.
        if let (Ok(context), false) = (request.context(), request.query.get("live") == "1") {
            let (what, status) = (format!("{method} {path}"), status.as_u16());
            let user_agent = Some(request.user_agent.as_str());
            self.iam.record(&context, Call { what, route: "panel", status, user_agent });
        }
        tracing::info!(query_id = %request.query_id, %method, path, %status);
        let labels = [("route", "panel".to_owned()), ("status", status.as_u16().to_string())];
        metrics::counter!("gatewright_http_requests_total", &labels).increment(1);
        let mut response = answer.into_response();
        if let Ok(value) = HeaderValue::try_from(request.query_id.to_string()) {
            response.headers_mut().insert("x-ovh-queryid", value);
        }
        response
    }

    /// The request as pages see it, but for who is signed in and what was sent; and whether the
    /// browser has no form cookie yet.
    async fn request(&self, parts: &mut Parts) -> Result<(RequestContext, bool), IamError> {
        let parameters = RawPathParams::from_request_parts(parts, &()).await;
        let parameters =
            parameters.map(|all| all.iter().map(|(_, value)| value.to_owned()).collect());
        let header = |name| parts.headers.get(name).and_then(|value| value.to_str().ok());
        let cookie = |name| cookies::read(&parts.headers, name).map(str::to_owned);
        let form_cookie = cookie(self.cookies.form);
        let is_new = form_cookie.is_none();
        let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
        let request = RequestContext {
            iam: Arc::clone(&self.iam),
            texts: self.texts(header(ACCEPT_LANGUAGE)),
            target: target.to_owned(),
            parameters: parameters.unwrap_or_default(),
            query: Fields::parse(parts.uri.query().unwrap_or_default().as_bytes()),
            form: Fields::default(),
            user_agent: header(USER_AGENT).unwrap_or_default().to_owned(),
            ip: (self.options.address_of)(parts),
            query_id: self.iam.new_query_id(),
            now: self.iam.now(),
            session: None,
            cookies: self.cookies,
            form_cookie: form_cookie.map_or_else(|| self.iam.new_nonce(), Ok)?,
            session_cookie: cookie(self.cookies.session),
            assets: Arc::clone(&self.assets),
        };
        Ok((request, is_new))
    }

    fn texts(&self, accepted: Option<&str>) -> Texts {
        self.catalogues.choose(accepted.unwrap_or_default())
    }

    async fn session(&self, request: &RequestContext) -> Result<Option<Session>, PageError> {
        let Some(token) = request.session_cookie.as_deref().and_then(SessionToken::parse) else {
            return Ok(None);
        };
        match self.iam.session(&token, request.now).await {
            Ok(session) => Ok(Some(session)),
            Err(IamError::BadCredential) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// The form that was sent, which must be one of ours.
async fn read(parts: &Parts, body: Body, request: &RequestContext) -> Result<Fields, PageError> {
    if parts.method != Method::POST {
        return Ok(Fields::default());
    }
    let site = parts.headers.get("sec-fetch-site").and_then(|value| value.to_str().ok());
    if site.is_some_and(|site| site != "same-origin" && site != "none") {
        return Err(PageError::CsrfTokenMismatch { kept: Vec::new() });
    }
    let body = axum::body::to_bytes(body, MAX_FORM).await.map_err(|_| PageError::FormTooLarge)?;
    let form = Fields::parse(&body);
    if request.has_csrf_token(&form) {
        return Ok(form);
    }
    let ours = site == Some("same-origin") && !parts.uri.path().starts_with("/sign-");
    Err(PageError::CsrfTokenMismatch { kept: if ours { form.to_keep() } else { Vec::new() } })
}

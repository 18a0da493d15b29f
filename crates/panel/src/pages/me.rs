//! Page of the person who is signed in: password, second factors and sessions.

use std::sync::Arc;

use askama::Template;
use gatewright_iam::{
    Passkey, PasskeyId, PrincipalKind, Session, SessionId, SessionToken, TotpStatus,
};

use super::sign_in_error::{bad_request, password_error};
use crate::form::Form;
use crate::format::{minute, minute_or_none};
use crate::layout::{Layout, Section};
use crate::request::RequestContext;
use crate::response::{HandlerResult, PageResponse};
use crate::route::Route;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::page("/me", show),
        Route::form("/me/password", change_password),
        Route::form("/me/sessions/{id}/end", end_session).revokes(),
    ]
}

#[derive(Template)]
#[template(path = "me.html")]
struct MePage {
    layout: Layout,
    name: String,
    is_owner: bool,
    urn: String,
    sessions: Vec<Row>,
    totp: TotpStatus,
    has_passkeys: bool,
    passkeys: Vec<PasskeyRow>,
}

struct PasskeyRow {
    id: PasskeyId,
    name: String,
    created: String,
    used: String,
}

impl From<Passkey> for PasskeyRow {
    fn from(one: Passkey) -> Self {
        Self {
            id: one.id,
            name: one.name,
            created: minute(one.created_at),
            used: minute_or_none(one.used_at),
        }
    }
}

struct Row {
    id: SessionId,
    /// `true` for the session of the request.
    current: bool,
    began: String,
    used: String,
    user_agent: String,
    ip: String,
}

/// Forms of the page. Their fields are secrets, which are not rendered again.
pub(super) struct PersonForms;

impl Form for PersonForms {
    const SECTION: Section = Section::Me;

    async fn render(self, request: &RequestContext, layout: Layout) -> HandlerResult {
        let context = request.context()?;
        let current = &request.session()?.id;
        let row = |session: Session| Row {
            current: session.id == *current,
            id: session.id,
            began: minute(session.created_at),
            used: session.used_at.map(minute).unwrap_or_default(),
            user_agent: session.user_agent,
            ip: session.ip.unwrap_or_default(),
        };
        let sessions = request.iam.sessions(&context).await?;
        let passkeys = request.iam.passkeys(&context).await?;
        PageResponse::render(&MePage {
            name: layout.who.clone().unwrap_or_default(),
            is_owner: context.principal.kind == PrincipalKind::Root,
            urn: context.principal.identity.urn().to_owned(),
            sessions: sessions.into_iter().map(row).collect(),
            totp: request.iam.totp_status(&context).await?,
            has_passkeys: request.iam.has_passkeys(),
            passkeys: passkeys.into_iter().map(PasskeyRow::from).collect(),
            layout,
        })
    }
}

async fn show(request: Arc<RequestContext>) -> HandlerResult {
    PersonForms.show_with_flash(&request).await
}

async fn change_password(request: Arc<RequestContext>) -> HandlerResult {
    let context = request.context()?;
    let form = &request.form;
    let (old, new) = (form.secret("password-old"), form.secret("password-new"));
    if new != form.secret("password-again") {
        let error = bad_request(request.texts.say("password-differs"));
        return PersonForms.reject(&request, error).await;
    }
    let current = &request.session()?.id;
    match request.iam.change_password(&context, (old, new), current).await {
        Ok(()) => {
            let response = PageResponse::redirect("/me?flash=flash-password")?;
            // The browser was known by the password that is no more.
            let cookie = request.cookies.session.as_ref();
            let Some(token) = cookie.and_then(|cookie| SessionToken::parse(cookie.reveal())) else {
                return Ok(response);
            };
            let device = request.iam.remember_device(&token, &request.origin()).await?;
            Ok(response.with_cookie(request.cookie_settings.set_device(&device)?))
        }
        Err(error) => PersonForms.reject(&request, password_error(&request, error)?).await,
    }
}

async fn end_session(request: Arc<RequestContext>) -> HandlerResult {
    request.iam.end_session(&request.context()?, &SessionId::new(request.parameter("id")?)).await?;
    PageResponse::redirect("/me?flash=flash-session-ended")
}

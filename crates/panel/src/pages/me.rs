//! What a person may do about themselves: their password and their sessions.

use std::sync::Arc;

use askama::Template;
use gatewright_iam::{MfaMethods, Passkey, PrincipalKind, Secret, Session, SignInError};

use super::{format_minute, sign_in};
use crate::error::PageError;
use crate::layout::{Banner, Layout, Section};
use crate::request::RequestContext;
use crate::response::{HandlerResult, PageResponse};

#[derive(Template)]
#[template(path = "me.html")]
struct MePage {
    layout: Layout,
    name: String,
    is_owner: bool,
    urn: String,
    sessions: Vec<Row>,
    mfa: MfaMethods,
    has_passkeys: bool,
    passkeys: Vec<PasskeyRow>,
}

struct PasskeyRow {
    id: String,
    name: String,
    created: String,
    used: String,
}

struct Row {
    id: String,
    /// Whether it is the one that the page was asked for in.
    current: bool,
    began: String,
    used: String,
    user_agent: String,
    ip: String,
}

pub(super) async fn page(request: &RequestContext, layout: Layout) -> HandlerResult {
    let context = request.context()?;
    let current = request.session()?.id.as_str();
    let row = |session: Session| Row {
        current: session.id == current,
        id: session.id,
        began: format_minute(session.created_at),
        used: session.used_at.map(format_minute).unwrap_or_default(),
        user_agent: session.user_agent,
        ip: session.ip.unwrap_or_default(),
    };
    let sessions = request.iam.sessions(&context).await?;
    let passkeys = request.iam.passkeys(&context).await?;
    let passkey_row = |one: Passkey| PasskeyRow {
        id: one.id,
        name: one.name,
        created: format_minute(one.created_at),
        used: one.used_at.map_or("--".to_owned(), format_minute),
    };
    PageResponse::render(&MePage {
        name: layout.who.clone().unwrap_or_default(),
        is_owner: context.principal.kind == PrincipalKind::Root,
        urn: context.principal.identity.urn().to_owned(),
        sessions: sessions.into_iter().map(row).collect(),
        mfa: request.iam.factors(&context).await?,
        has_passkeys: request.iam.has_passkeys(),
        passkeys: passkeys.into_iter().map(passkey_row).collect(),
        layout,
    })
}

pub(crate) async fn show(request: Arc<RequestContext>) -> HandlerResult {
    page(&request, request.layout_with_flash(Section::Me)).await
}

pub(crate) async fn change_password(request: Arc<RequestContext>) -> HandlerResult {
    let context = request.context()?;
    let form = &request.form;
    let secret = |name| Secret::from(form.exact(name).to_owned());
    let passwords = (secret("password-old"), secret("password-new"));
    let text = if passwords.1 == secret("password-again") {
        let kept = &request.session()?.id;
        match request.iam.change_password(&context, passwords, kept).await {
            Ok(()) => return Ok(PageResponse::redirect("/me?told=told-password")),
            Err(error) => refused(&request, error)?,
        }
    } else {
        request.texts.say("password-differs")
    };
    let mut layout = request.layout(Section::Me);
    layout.banner = Some(Banner::danger(text));
    let answer = page(&request, layout).await?;
    Ok(answer.with_status(axum::http::StatusCode::BAD_REQUEST))
}

/// Why it was not done, as people read it; other failures are pages of their own.
pub(super) fn refused(request: &RequestContext, error: SignInError) -> Result<String, PageError> {
    match error {
        SignInError::Wrong => Ok(request.texts.say("password-wrong")),
        SignInError::Failed(error) => {
            let error = PageError::from(error);
            error.validation_message().ok_or(error)
        }
        error => sign_in::reason(request, error).map(|(_, text)| text),
    }
}

pub(crate) async fn end_session(request: Arc<RequestContext>) -> HandlerResult {
    request.iam.end_session(&request.context()?, request.parameter(0)).await?;
    Ok(PageResponse::redirect("/me?told=told-session-ended"))
}

//! What a person may do about themselves: their password and their sessions.

use std::sync::Arc;

use askama::Template;
use gatewright_iam::{MfaMethods, Passkey, PrincipalKind, Secret, Session, SignInError};

use super::{moment, sign_in};
use crate::answer::{Answer, Answered};
use crate::frame::{Banner, Frame, Section};
use crate::refusal::Refusal;
use crate::visit::Visit;

#[derive(Template)]
#[template(path = "me.html")]
struct MePage {
    frame: Frame,
    name: String,
    is_owner: bool,
    urn: String,
    sessions: Vec<Row>,
    factors: MfaMethods,
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

pub(super) async fn page(visit: &Visit, frame: Frame) -> Answered {
    let context = visit.context()?;
    let current = visit.session()?.id.as_str();
    let row = |session: Session| Row {
        current: session.id == current,
        id: session.id,
        began: moment(session.created_at),
        used: session.used_at.map(moment).unwrap_or_default(),
        user_agent: session.user_agent,
        ip: session.ip.unwrap_or_default(),
    };
    let sessions = visit.iam.sessions(&context).await?;
    let passkeys = visit.iam.passkeys(&context).await?;
    let passkey_row = |one: Passkey| PasskeyRow {
        id: one.id,
        name: one.name,
        created: moment(one.created_at),
        used: one.used_at.map_or("--".to_owned(), moment),
    };
    Answer::page(&MePage {
        name: frame.who.clone().unwrap_or_default(),
        is_owner: context.principal.kind == PrincipalKind::Root,
        urn: context.principal.identity.urn().to_owned(),
        sessions: sessions.into_iter().map(row).collect(),
        factors: visit.iam.factors(&context).await?,
        has_passkeys: visit.iam.has_passkeys(),
        passkeys: passkeys.into_iter().map(passkey_row).collect(),
        frame,
    })
}

pub(crate) async fn show(visit: Arc<Visit>) -> Answered {
    page(&visit, visit.told(Section::Me)).await
}

pub(crate) async fn change_password(visit: Arc<Visit>) -> Answered {
    let context = visit.context()?;
    let form = &visit.form;
    let secret = |name| Secret::from(form.exact(name).to_owned());
    let passwords = (secret("password-old"), secret("password-new"));
    let text = if passwords.1 == secret("password-again") {
        let kept = &visit.session()?.id;
        match visit.iam.change_password(&context, passwords, kept).await {
            Ok(()) => return Ok(Answer::go("/me?told=told-password")),
            Err(error) => refused(&visit, error)?,
        }
    } else {
        visit.texts.say("password-differs")
    };
    let mut frame = visit.frame(Section::Me);
    frame.banner = Some(Banner::danger(text));
    let answer = page(&visit, frame).await?;
    Ok(answer.with_status(axum::http::StatusCode::BAD_REQUEST))
}

/// Why it was not done, as people read it; other failures are pages of their own.
pub(super) fn refused(visit: &Visit, error: SignInError) -> Result<String, Refusal> {
    match error {
        SignInError::Wrong => Ok(visit.texts.say("password-wrong")),
        SignInError::Failed(error) => {
            let refusal = Refusal::from(error);
            refusal.about_input().ok_or(refusal)
        }
        error => sign_in::reason(visit, error).map(|(_, text)| text),
    }
}

pub(crate) async fn end_session(visit: Arc<Visit>) -> Answered {
    visit.iam.end_session(&visit.context()?, visit.parameter(0)).await?;
    Ok(Answer::go("/me?told=told-session-ended"))
}

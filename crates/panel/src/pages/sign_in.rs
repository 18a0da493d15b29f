//! Signing in and out.

use std::sync::Arc;

use askama::Template;
use axum::http::StatusCode;
use gatewright_iam::{Attempt, SignInError};

use crate::answer::{Answer, Answered};
use crate::frame::{Banner, Frame, Section};
use crate::visit::Visit;

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage {
    frame: Frame,
    login: String,
    /// Where to go on.
    next: String,
    /// A form that was sent without a session, to be sent again.
    kept: Vec<(String, String)>,
}

#[derive(Template)]
#[template(path = "resume.html")]
struct ResumePage {
    frame: Frame,
    next: String,
    kept: Vec<(String, String)>,
}

/// A path of the panel; anything else leads to the first page.
fn inside(next: &str) -> &str {
    let elsewhere =
        next.starts_with("//") || next.contains('\\') || next.contains(char::is_control);
    if next.starts_with('/') && !elsewhere { next } else { "/" }
}

pub(crate) async fn show(visit: Arc<Visit>) -> Answered {
    let next = inside(visit.query.get("next")).to_owned();
    if visit.session.is_some() {
        return Ok(Answer::go(next));
    }
    let frame = visit.frame(Section::None);
    Answer::page(&SignInPage { frame, login: String::new(), next, kept: Vec::new() })
}

/// The page for whoever sent a form after their session had ended.
pub(crate) fn keeping(visit: &Visit, kept: Vec<(String, String)>) -> Answered {
    let mut frame = visit.frame(Section::None);
    let text = visit.texts.say("session-ended");
    frame.banner = Some(Banner { kind: "warning", title: "banner-warning", text });
    let page = SignInPage { frame, login: String::new(), next: visit.target.clone(), kept };
    Answer::page(&page).map(|answer| answer.with_status(StatusCode::UNAUTHORIZED))
}

pub(crate) async fn sign_in(visit: Arc<Visit>) -> Answered {
    let form = &visit.form;
    let next = inside(form.get("next")).to_owned();
    let names = form.all("kept-name").map(str::to_owned);
    let kept: Vec<(String, String)> =
        names.zip(form.all("kept-value").map(str::to_owned)).collect();
    let attempt = Attempt {
        login: form.get("login").to_owned(),
        password: form.exact("password").to_owned().into(),
        user_agent: visit.user_agent.clone(),
        ip: visit.ip,
        query_id: Arc::clone(&visit.query_id),
        now: visit.now,
    };
    let (status, text) = match visit.iam.sign_in(attempt).await {
        Ok(token) => {
            let token = token.reveal();
            let cookie = visit.cookies.set(visit.cookies.session, token.reveal());
            let answer = if kept.is_empty() {
                Answer::go(next)
            } else {
                let frame = visit.frame_for(Section::None, Some(token.reveal()));
                Answer::page(&ResumePage { frame, next, kept })?
            };
            return Ok(answer.with_cookie(cookie));
        }
        Err(SignInError::Failed(error)) => return Err(error.into()),
        Err(SignInError::Wrong) => (StatusCode::UNAUTHORIZED, visit.texts.say("sign-in-wrong")),
        Err(SignInError::Disabled) => (StatusCode::FORBIDDEN, visit.texts.say("sign-in-disabled")),
        Err(SignInError::TooMany { seconds }) => {
            let seconds = usize::try_from(seconds).unwrap_or(1);
            (StatusCode::TOO_MANY_REQUESTS, visit.texts.count("sign-in-too-many", seconds))
        }
    };
    let mut frame = visit.frame(Section::None);
    frame.banner = Some(Banner::danger(text));
    let page = SignInPage { frame, login: form.get("login").to_owned(), next, kept };
    Answer::page(&page).map(|answer| answer.with_status(status))
}

pub(crate) async fn sign_out(visit: Arc<Visit>) -> Answered {
    if let Some(session) = &visit.session {
        visit.iam.end_session(&visit.context()?, &session.id).await?;
    }
    Ok(Answer::go("/sign-in").with_cookie(visit.cookies.clear(visit.cookies.session)))
}

#[cfg(test)]
mod tests {
    use super::inside;

    #[test]
    fn nobody_is_sent_elsewhere_after_signing_in() {
        assert_eq!(inside("/policies?search=a"), "/policies?search=a");
        for elsewhere in ["", "https://evil.example", "//evil.example", "/\\evil.example", "/\nx"] {
            assert_eq!(inside(elsewhere), "/", "{elsewhere}");
        }
    }
}

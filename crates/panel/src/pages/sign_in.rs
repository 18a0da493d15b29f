//! Signing in and out.

use std::sync::Arc;

use askama::Template;
use axum::http::StatusCode;
use gatewright_iam::{Attempt, Challenge, IamError, SessionToken, SignInError, SignedIn};

use crate::answer::{Answer, Answered};
use crate::frame::{Banner, Frame, Section};
use crate::refusal::Refusal;
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
    passkey: Option<Challenge>,
}

#[derive(Template)]
#[template(path = "sign_in_code.html")]
struct CodePage {
    frame: Frame,
    next: String,
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
    let passkey = passkey(&visit)?;
    Answer::page(&SignInPage { frame, login: String::new(), next, kept: Vec::new(), passkey })
}

/// What a browser is asked that signs in by a passkey, where it can.
fn passkey(visit: &Visit) -> Result<Option<Challenge>, Refusal> {
    if !visit.iam.has_passkeys() {
        return Ok(None);
    }
    Ok(Some(visit.iam.begin_sign_in(visit.now)?))
}

/// The page for whoever sent a form of an earlier session: nothing is done before they say so.
pub(crate) fn resume(visit: &Visit, kept: Vec<(String, String)>) -> Answered {
    let frame = visit.frame(Section::None);
    let page = ResumePage { frame, next: visit.target.clone(), kept };
    Answer::page(&page).map(|answer| answer.with_status(StatusCode::FORBIDDEN))
}

/// The page for whoever sent a form after their session had ended.
pub(crate) fn keeping(visit: &Visit, kept: Vec<(String, String)>) -> Answered {
    let mut frame = visit.frame(Section::None);
    let text = visit.texts.say("session-ended");
    frame.banner = Some(Banner { kind: "warning", title: "banner-warning", text });
    let next = visit.target.clone();
    let page = SignInPage { frame, login: String::new(), next, kept, passkey: passkey(visit)? };
    Answer::page(&page).map(|answer| answer.with_status(StatusCode::UNAUTHORIZED))
}

/// Where to go on, and what to send there.
fn onward(visit: &Visit) -> (String, Vec<(String, String)>) {
    let form = &visit.form;
    let names = form.all("kept-name").map(str::to_owned);
    let kept = names.zip(form.all("kept-value").map(str::to_owned)).collect();
    (inside(form.get("next")).to_owned(), kept)
}

/// Why nobody was signed in, as people read it; other failures are pages of their own.
pub(super) fn reason(visit: &Visit, error: SignInError) -> Result<(StatusCode, String), Refusal> {
    let say = |key| visit.texts.say(key);
    Ok(match error {
        SignInError::Failed(error) => return Err(error.into()),
        SignInError::Wrong => (StatusCode::UNAUTHORIZED, say("sign-in-wrong")),
        SignInError::WrongCode => (StatusCode::UNAUTHORIZED, say("code-wrong")),
        SignInError::WrongPasskey => (StatusCode::UNAUTHORIZED, say("passkey-wrong")),
        SignInError::Disabled => (StatusCode::FORBIDDEN, say("sign-in-disabled")),
        SignInError::TooMany { seconds } => {
            let seconds = usize::try_from(seconds).unwrap_or(1);
            (StatusCode::TOO_MANY_REQUESTS, visit.texts.count("sign-in-too-many", seconds))
        }
    })
}

/// The way on for somebody who is signed in.
fn welcome(visit: &Visit, token: &SessionToken) -> Answered {
    let (next, kept) = onward(visit);
    let token = token.reveal();
    let cookie = visit.cookies.set(visit.cookies.session, token.reveal());
    let answer = if kept.is_empty() {
        Answer::go(next)
    } else {
        let frame = visit.frame_for(Section::None, Some(token.reveal()));
        Answer::page(&ResumePage { frame, next, kept })?
    };
    Ok(answer.with_cookie(cookie))
}

/// The page again, for somebody who is not signed in.
fn again(visit: &Visit, error: SignInError) -> Answered {
    let (status, text) = reason(visit, error)?;
    let (next, kept) = onward(visit);
    let mut frame = visit.frame(Section::None);
    frame.banner = Some(Banner::danger(text));
    let login = visit.form.get("login").to_owned();
    let page = SignInPage { frame, login, next, kept, passkey: passkey(visit)? };
    Answer::page(&page).map(|answer| answer.with_status(status))
}

pub(crate) async fn sign_in(visit: Arc<Visit>) -> Answered {
    let attempt = Attempt {
        login: visit.form.get("login").to_owned(),
        password: visit.form.exact("password").to_owned().into(),
        origin: visit.origin(),
    };
    match visit.iam.sign_in(attempt).await {
        Ok(SignedIn::Whole(token)) => welcome(&visit, &token),
        Ok(SignedIn::NeedsCode(token)) => {
            let (next, kept) = onward(&visit);
            let token = token.reveal();
            let frame = visit.frame_for(Section::None, Some(token.reveal()));
            let cookie = visit.cookies.set(visit.cookies.session, token.reveal());
            Ok(Answer::page(&CodePage { frame, next, kept })?.with_cookie(cookie))
        }
        Err(error) => again(&visit, error),
    }
}

/// The code that follows a password.
pub(crate) async fn confirm(visit: Arc<Visit>) -> Answered {
    let token = visit.session_cookie.as_deref().and_then(SessionToken::parse);
    let token = token.ok_or(Refusal::SignInFirst)?;
    let code = visit.form.get("code");
    match visit.iam.confirm_sign_in(&token, code, &visit.origin()).await {
        Ok(token) => welcome(&visit, &token),
        Err(error @ (SignInError::WrongCode | SignInError::TooMany { .. })) => {
            let (status, text) = reason(&visit, error)?;
            let (next, kept) = onward(&visit);
            let mut frame = visit.frame(Section::None);
            frame.banner = Some(Banner::danger(text));
            let page = Answer::page(&CodePage { frame, next, kept })?;
            Ok(page.with_status(status))
        }
        // Whoever took too long begins anew, and keeps what was typed.
        Err(SignInError::Failed(IamError::BadCredential)) => again(&visit, SignInError::WrongCode),
        Err(error) => again(&visit, error),
    }
}

pub(crate) async fn by_passkey(visit: Arc<Visit>) -> Answered {
    let form = &visit.form;
    let answer = (form.exact("state"), form.exact("credential"));
    match visit.iam.sign_in_by_passkey(answer, &visit.origin()).await {
        Ok(token) => welcome(&visit, &token),
        Err(error) => again(&visit, error),
    }
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

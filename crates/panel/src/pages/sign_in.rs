//! Signing in and out.

use std::sync::Arc;

use askama::Template;
use axum::http::StatusCode;
use gatewright_iam::{Attempt, Challenge, IamError, SessionToken, SignInError, SignedIn};

use crate::error::PageError;
use crate::layout::{Banner, Layout, Section};
use crate::request::RequestContext;
use crate::response::{HandlerResult, PageResponse};

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage {
    layout: Layout,
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
    layout: Layout,
    next: String,
    kept: Vec<(String, String)>,
}

#[derive(Template)]
#[template(path = "resume.html")]
struct ResumePage {
    layout: Layout,
    next: String,
    kept: Vec<(String, String)>,
}

/// A path of the panel; anything else leads to the first page.
fn inside(next: &str) -> &str {
    let elsewhere =
        next.starts_with("//") || next.contains('\\') || next.contains(char::is_control);
    if next.starts_with('/') && !elsewhere { next } else { "/" }
}

pub(crate) async fn show(request: Arc<RequestContext>) -> HandlerResult {
    let next = inside(request.query.get("next")).to_owned();
    if request.session.is_some() {
        return Ok(PageResponse::redirect(next));
    }
    let layout = request.layout(Section::None);
    let passkey = passkey(&request)?;
    PageResponse::render(&SignInPage {
        layout,
        login: String::new(),
        next,
        kept: Vec::new(),
        passkey,
    })
}

/// What a browser is asked that signs in by a passkey, where it can.
fn passkey(request: &RequestContext) -> Result<Option<Challenge>, PageError> {
    if !request.iam.has_passkeys() {
        return Ok(None);
    }
    Ok(Some(request.iam.begin_sign_in(request.now)?))
}

/// The page for whoever sent a form of an earlier session: nothing is done before they say so.
pub(crate) fn resume(request: &RequestContext, kept: Vec<(String, String)>) -> HandlerResult {
    let layout = request.layout(Section::None);
    let page = ResumePage { layout, next: request.target.clone(), kept };
    PageResponse::render(&page).map(|answer| answer.with_status(StatusCode::FORBIDDEN))
}

/// The page for whoever sent a form after their session had ended.
pub(crate) fn keeping(request: &RequestContext, kept: Vec<(String, String)>) -> HandlerResult {
    let mut layout = request.layout(Section::None);
    let text = request.texts.say("session-ended");
    layout.banner = Some(Banner { kind: "warning", title: "banner-warning", text });
    let next = request.target.clone();
    let page = SignInPage { layout, login: String::new(), next, kept, passkey: passkey(request)? };
    PageResponse::render(&page).map(|answer| answer.with_status(StatusCode::UNAUTHORIZED))
}

/// Where to go on, and what to send there.
fn onward(request: &RequestContext) -> (String, Vec<(String, String)>) {
    let form = &request.form;
    let names = form.all("kept-name").map(str::to_owned);
    let kept = names.zip(form.all("kept-value").map(str::to_owned)).collect();
    (inside(form.get("next")).to_owned(), kept)
}

/// Why nobody was signed in, as people read it; other failures are pages of their own.
pub(super) fn reason(
    request: &RequestContext,
    error: SignInError,
) -> Result<(StatusCode, String), PageError> {
    let say = |key| request.texts.say(key);
    Ok(match error {
        SignInError::Failed(error) => return Err(error.into()),
        SignInError::Wrong => (StatusCode::UNAUTHORIZED, say("sign-in-wrong")),
        SignInError::WrongCode => (StatusCode::UNAUTHORIZED, say("code-wrong")),
        SignInError::WrongPasskey => (StatusCode::UNAUTHORIZED, say("passkey-wrong")),
        SignInError::Disabled => (StatusCode::FORBIDDEN, say("sign-in-disabled")),
        SignInError::TooMany { seconds } => {
            let seconds = usize::try_from(seconds).unwrap_or(1);
            (StatusCode::TOO_MANY_REQUESTS, request.texts.count("sign-in-too-many", seconds))
        }
    })
}

/// The way on for somebody who is signed in.
fn welcome(request: &RequestContext, token: &SessionToken) -> HandlerResult {
    let (next, kept) = onward(request);
    let token = token.reveal();
    let cookie = request.cookies.set(request.cookies.session, token.reveal());
    let answer = if kept.is_empty() {
        PageResponse::redirect(next)
    } else {
        let layout = request.layout_for(Section::None, Some(token.reveal()));
        PageResponse::render(&ResumePage { layout, next, kept })?
    };
    Ok(answer.with_cookie(cookie))
}

/// The page again, for somebody who is not signed in.
fn again(request: &RequestContext, error: SignInError) -> HandlerResult {
    let (status, text) = reason(request, error)?;
    let (next, kept) = onward(request);
    let mut layout = request.layout(Section::None);
    layout.banner = Some(Banner::danger(text));
    let login = request.form.get("login").to_owned();
    let page = SignInPage { layout, login, next, kept, passkey: passkey(request)? };
    PageResponse::render(&page).map(|answer| answer.with_status(status))
}

pub(crate) async fn sign_in(request: Arc<RequestContext>) -> HandlerResult {
    let attempt = Attempt {
        login: request.form.get("login").to_owned(),
        password: request.form.exact("password").to_owned().into(),
        origin: request.origin(),
    };
    match request.iam.sign_in(attempt).await {
        Ok(SignedIn::Whole(token)) => welcome(&request, &token),
        Ok(SignedIn::NeedsCode(token)) => {
            let (next, kept) = onward(&request);
            let token = token.reveal();
            let layout = request.layout_for(Section::None, Some(token.reveal()));
            let cookie = request.cookies.set(request.cookies.session, token.reveal());
            Ok(PageResponse::render(&CodePage { layout, next, kept })?.with_cookie(cookie))
        }
        Err(error) => again(&request, error),
    }
}

/// The code that follows a password.
pub(crate) async fn confirm(request: Arc<RequestContext>) -> HandlerResult {
    let token = request.session_cookie.as_deref().and_then(SessionToken::parse);
    let token = token.ok_or(PageError::Unauthenticated)?;
    let code = request.form.get("code");
    match request.iam.confirm_sign_in(&token, code, &request.origin()).await {
        Ok(token) => welcome(&request, &token),
        Err(error @ (SignInError::WrongCode | SignInError::TooMany { .. })) => {
            let (status, text) = reason(&request, error)?;
            let (next, kept) = onward(&request);
            let mut layout = request.layout(Section::None);
            layout.banner = Some(Banner::danger(text));
            let page = PageResponse::render(&CodePage { layout, next, kept })?;
            Ok(page.with_status(status))
        }
        // Whoever took too long begins anew, and keeps what was typed.
        Err(SignInError::Failed(IamError::BadCredential)) => {
            again(&request, SignInError::WrongCode)
        }
        Err(error) => again(&request, error),
    }
}

pub(crate) async fn by_passkey(request: Arc<RequestContext>) -> HandlerResult {
    let form = &request.form;
    let answer = (form.exact("state"), form.exact("credential"));
    match request.iam.sign_in_by_passkey(answer, &request.origin()).await {
        Ok(token) => welcome(&request, &token),
        Err(error) => again(&request, error),
    }
}

pub(crate) async fn sign_out(request: Arc<RequestContext>) -> HandlerResult {
    if let Some(session) = &request.session {
        request.iam.end_session(&request.context()?, &session.id).await?;
    }
    Ok(PageResponse::redirect("/sign-in")
        .with_cookie(request.cookies.clear(request.cookies.session)))
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

//! Sign-in and sign-out.

use std::sync::Arc;

use askama::Template;
use axum::http::StatusCode;
use gatewright_iam::{Attempt, Challenge, IamError, SessionToken, SignInError, SignedIn};

use super::resume;
use super::sign_in_error::sign_in_error;
use crate::error::PageError;
use crate::form::Form;
use crate::layout::{Banner, Layout, Section};
use crate::pending_form::PendingForm;
use crate::request::RequestContext;
use crate::response::{HandlerResult, PageResponse};
use crate::route::Route;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::page("/sign-in", show).public(),
        Route::form("/sign-in", sign_in).public(),
        Route::form("/sign-in/code", confirm).public(),
        Route::form("/sign-in/passkey", sign_in_by_passkey).public(),
        Route::form("/sign-out", sign_out).public(),
    ]
}

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage {
    layout: Layout,
    form: SignInForm,
    /// Challenge for a passkey, if the installation supports passkeys.
    passkey: Option<Challenge>,
}

#[derive(Template)]
#[template(path = "sign_in_code.html")]
struct CodePage {
    layout: Layout,
    form: CodeForm,
}

/// Form of a login and a password. The password is not rendered again.
struct SignInForm {
    login: String,
    /// Path to go to after signing in.
    next: String,
    pending: PendingForm,
}

/// Form of a code that follows a password.
struct CodeForm {
    next: String,
    pending: PendingForm,
}

impl SignInForm {
    fn read(request: &RequestContext) -> Self {
        let CodeForm { next, pending } = CodeForm::read(request);
        Self { login: request.form.get("login").to_owned(), next, pending }
    }
}

impl Form for SignInForm {
    const SECTION: Section = Section::None;

    async fn render(self, request: &RequestContext, layout: Layout) -> HandlerResult {
        let passkey = passkey_challenge(request)?;
        PageResponse::render(&SignInPage { layout, form: self, passkey })
    }
}

impl CodeForm {
    fn read(request: &RequestContext) -> Self {
        let next = local_path(request.form.get("next")).to_owned();
        Self { next, pending: PendingForm::read(&request.form) }
    }
}

impl Form for CodeForm {
    const SECTION: Section = Section::None;

    async fn render(self, _: &RequestContext, layout: Layout) -> HandlerResult {
        PageResponse::render(&CodePage { layout, form: self })
    }
}

/// Returns a path of the panel; the first page instead of any other target, which prevents open
/// redirects.
fn local_path(next: &str) -> &str {
    let is_elsewhere =
        next.starts_with("//") || next.contains('\\') || next.contains(char::is_control);
    if next.starts_with('/') && !is_elsewhere { next } else { "/" }
}

fn passkey_challenge(request: &RequestContext) -> Result<Option<Challenge>, PageError> {
    if !request.iam.has_passkeys() {
        return Ok(None);
    }
    Ok(Some(request.iam.begin_sign_in(request.now)?))
}

async fn show(request: Arc<RequestContext>) -> HandlerResult {
    let next = local_path(request.query.get("next")).to_owned();
    if request.session.is_some() {
        return PageResponse::redirect(next);
    }
    let form = SignInForm { login: String::new(), next, pending: PendingForm::default() };
    form.show(&request).await
}

/// Renders the sign-in page for somebody who submitted a form after their session had ended.
pub(crate) async fn show_after_session_end(
    request: &RequestContext,
    pending: PendingForm,
) -> HandlerResult {
    let banner = Banner::warning(request.texts.say("session-ended"));
    let layout = request.layout(Section::None).with(banner);
    let form = SignInForm { login: String::new(), next: request.target.clone(), pending };
    Ok(form.render(request, layout).await?.with_status(StatusCode::UNAUTHORIZED))
}

/// Sets the session cookie and the one of the known device, and redirects to the requested page.
async fn start_session(request: &RequestContext, token: &SessionToken) -> HandlerResult {
    let CodeForm { next, pending } = CodeForm::read(request);
    let device = request.iam.remember_device(token, &request.origin()).await?;
    let token = token.reveal();
    let response = if pending.is_empty() {
        PageResponse::redirect(next)?
    } else {
        resume::render(request.layout_for(Section::None, Some(&token)), next, pending)?
    };
    let response = response.with_cookie(request.cookie_settings.set_device(&device)?);
    Ok(response.with_cookie(request.cookie_settings.set_session(&token)?))
}

/// Renders the sign-in page again.
async fn reject(request: &RequestContext, error: SignInError) -> HandlerResult {
    SignInForm::read(request).reject(request, sign_in_error(request, error)?).await
}

async fn sign_in(request: Arc<RequestContext>) -> HandlerResult {
    let attempt = Attempt {
        login: request.form.get("login").to_owned(),
        password: request.form.secret("password"),
        origin: request.origin(),
    };
    match request.iam.sign_in(attempt).await {
        Ok(SignedIn::Whole(token)) => start_session(&request, &token).await,
        Ok(SignedIn::NeedsCode(token)) => {
            let token = token.reveal();
            let layout = request.layout_for(Section::None, Some(&token));
            let page = CodeForm::read(&request).render(&request, layout).await?;
            Ok(page.with_cookie(request.cookie_settings.set_session(&token)?))
        }
        Err(error) => reject(&request, error).await,
    }
}

/// Checks the code that follows a password.
async fn confirm(request: Arc<RequestContext>) -> HandlerResult {
    let cookie = request.cookies.session.as_ref();
    let token = cookie.and_then(|cookie| SessionToken::parse(cookie.reveal()));
    let token = token.ok_or(PageError::Unauthenticated)?;
    let code = request.form.get("code");
    match request.iam.confirm_sign_in(&token, code, &request.origin()).await {
        Ok(token) => start_session(&request, &token).await,
        Err(error @ (SignInError::WrongCode | SignInError::TooMany { .. })) => {
            CodeForm::read(&request).reject(&request, sign_in_error(&request, error)?).await
        }
        // A sign-in that took too long starts again, and keeps the pending form.
        Err(SignInError::Failed(IamError::BadCredential)) => {
            reject(&request, SignInError::WrongCode).await
        }
        Err(error) => reject(&request, error).await,
    }
}

async fn sign_in_by_passkey(request: Arc<RequestContext>) -> HandlerResult {
    let form = &request.form;
    let response = (form.untrimmed("state"), form.untrimmed("credential"));
    match request.iam.sign_in_by_passkey(response, &request.origin()).await {
        Ok(token) => start_session(&request, &token).await,
        Err(error) => reject(&request, error).await,
    }
}

/// Ends the session, if there is one, and removes its cookie.
async fn sign_out(request: Arc<RequestContext>) -> HandlerResult {
    if let Some(session) = &request.session {
        request.iam.end_session(&request.context()?, &session.id).await?;
    }
    let cookie = request.cookie_settings.remove_session()?;
    Ok(PageResponse::redirect("/sign-in")?.with_cookie(cookie))
}

#[cfg(test)]
mod tests {
    use super::local_path;

    #[test]
    fn nobody_is_sent_elsewhere_after_signing_in() {
        assert_eq!(local_path("/policies?search=a"), "/policies?search=a");
        for elsewhere in ["", "https://evil.example", "//evil.example", "/\\evil.example", "/\nx"] {
            assert_eq!(local_path(elsewhere), "/", "{elsewhere}");
        }
    }
}

//! Second factors of the person who is signed in: authenticators (TOTP) and passkeys.

use std::sync::Arc;

use askama::Template;
use gatewright_iam::{Challenge, NewTotp, PasskeyId, Secret};
use qrcode::QrCode;
use qrcode::render::svg;

use super::me::PersonForms;
use super::sign_in_error::password_error;
use crate::error::PageError;
use crate::form::Form;
use crate::layout::{Layout, Section};
use crate::request::RequestContext;
use crate::response::{HandlerResult, PageResponse};
use crate::route::Route;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::page("/me/totp", totp_form).enrolling(),
        Route::form("/me/totp", confirm_totp).enrolling(),
        Route::form("/me/totp/remove", remove_totp).revokes(),
        Route::page("/me/passkeys/create", passkey_form).enrolling(),
        Route::form("/me/passkeys/create", add_passkey).enrolling(),
        Route::form("/me/passkeys/{id}/delete", remove_passkey).revokes(),
    ]
}

#[derive(Template)]
#[template(path = "second_factor/totp.html")]
struct TotpPage {
    layout: Layout,
    totp: NewTotp,
    /// QR code of the secret, as SVG.
    qr_code: String,
}

#[derive(Template)]
#[template(path = "second_factor/codes.html")]
struct CodesPage {
    layout: Layout,
    codes: Vec<Secret>,
}

#[derive(Template)]
#[template(path = "second_factor/passkey.html")]
struct PasskeyPage {
    layout: Layout,
    challenge: Challenge,
    name: String,
}

/// Form that proves a new TOTP secret. Once it was scanned, the secret stays until it is outdated: the
/// codes of another would not fit.
struct TotpForm {
    /// The sealed state of the secret that the form showed before; none at first.
    state: Option<String>,
}

impl Form for TotpForm {
    const SECTION: Section = Section::Me;

    async fn render(self, request: &RequestContext, layout: Layout) -> HandlerResult {
        let context = request.context()?;
        let shown = match self.state {
            None => None,
            Some(state) => request.iam.unconfirmed_totp(&context, &state).await?,
        };
        let totp = shown.map_or_else(|| request.iam.new_totp(&context), Ok)?;
        let qr_code = qr_code(&totp.url)?;
        PageResponse::render(&TotpPage { layout, totp, qr_code })
    }
}

/// Form that registers a passkey.
struct PasskeyForm {
    name: String,
}

impl Form for PasskeyForm {
    const SECTION: Section = Section::Me;

    async fn render(self, request: &RequestContext, layout: Layout) -> HandlerResult {
        let challenge = request.iam.begin_passkey(&request.context()?)?;
        PageResponse::render(&PasskeyPage { layout, challenge, name: self.name })
    }
}

/// Draws a secret URL as SVG, without the XML declaration, which may not be inside HTML.
fn qr_code(url: &Secret) -> Result<String, PageError> {
    let code = QrCode::new(url.reveal().as_bytes());
    let code = code.map_err(|error| PageError::Drawing(error.to_string()))?;
    let picture = code.render::<svg::Color<'_>>().min_dimensions(200, 200).build();
    let svg = picture.find("<svg").and_then(|start| picture.get(start..));
    svg.map(str::to_owned).ok_or_else(|| PageError::Drawing("no SVG".to_owned()))
}

async fn totp_form(request: Arc<RequestContext>) -> HandlerResult {
    TotpForm { state: None }.show(&request).await
}

async fn confirm_totp(request: Arc<RequestContext>) -> HandlerResult {
    let context = request.context()?;
    let form = &request.form;
    let proof = (form.untrimmed("state"), form.get("code"));
    match request.iam.confirm_totp(&context, form.secret("password"), proof).await {
        Ok(codes) => {
            PageResponse::render(&CodesPage { layout: request.layout(Section::Me), codes })
        }
        Err(error) => {
            let form = TotpForm { state: Some(form.untrimmed("state").to_owned()) };
            form.reject(&request, password_error(&request, error)?).await
        }
    }
}

async fn remove_totp(request: Arc<RequestContext>) -> HandlerResult {
    let password = request.form.secret("password");
    match request.iam.remove_totp(&request.context()?, password).await {
        Ok(()) => PageResponse::redirect("/me?flash=flash-totp-removed"),
        Err(error) => PersonForms.reject(&request, password_error(&request, error)?).await,
    }
}

async fn passkey_form(request: Arc<RequestContext>) -> HandlerResult {
    PasskeyForm { name: String::new() }.show(&request).await
}

async fn add_passkey(request: Arc<RequestContext>) -> HandlerResult {
    let context = request.context()?;
    let form = &request.form;
    let (name, password) = (form.get("name"), form.secret("password"));
    let created = (form.untrimmed("state"), form.untrimmed("credential"));
    match request.iam.add_passkey(&context, password, name, created).await {
        Ok(()) => PageResponse::redirect("/me?flash=flash-passkey-added"),
        Err(error) => {
            let form = PasskeyForm { name: name.to_owned() };
            form.reject(&request, password_error(&request, error)?).await
        }
    }
}

async fn remove_passkey(request: Arc<RequestContext>) -> HandlerResult {
    let (id, password) =
        (PasskeyId::new(request.parameter("id")?), request.form.secret("password"));
    match request.iam.remove_passkey(&request.context()?, password, &id).await {
        Ok(()) => PageResponse::redirect("/me?flash=flash-passkey-removed"),
        Err(error) => PersonForms.reject(&request, password_error(&request, error)?).await,
    }
}

//! What a person proves a second time with who they are: passkeys, and codes of an authenticator.

use std::sync::Arc;

use askama::Template;
use axum::http::StatusCode;
use gatewright_iam::{Challenge, NewTotp, Secret};
use qrcode::QrCode;
use qrcode::render::svg;

use super::me::refused;
use crate::layout::{Banner, Layout, Section};
use crate::request::RequestContext;
use crate::response::{HandlerResult, PageResponse};

const SECTION: Section = Section::Me;

#[derive(Template)]
#[template(path = "mfa/totp.html")]
struct TotpPage {
    layout: Layout,
    totp: NewTotp,
    /// The secret as a picture; empty where it cannot be drawn.
    picture: String,
}

#[derive(Template)]
#[template(path = "mfa/codes.html")]
struct CodesPage {
    layout: Layout,
    codes: Vec<Secret>,
}

#[derive(Template)]
#[template(path = "mfa/passkey.html")]
struct PasskeyPage {
    layout: Layout,
    challenge: Challenge,
    name: String,
}

fn password(request: &RequestContext) -> Secret {
    request.form.exact("password").to_owned().into()
}

/// Returns a layout with an error banner.
fn layout_with_error(request: &RequestContext, text: String) -> Layout {
    let mut layout = request.layout(SECTION);
    layout.banner = Some(Banner::danger(text));
    layout
}

fn totp_page(request: &RequestContext, layout: Layout) -> HandlerResult {
    let totp = request.iam.new_totp(&request.context()?)?;
    let code = QrCode::new(totp.url.reveal().as_bytes());
    let picture = code.map(|code| code.render::<svg::Color<'_>>().min_dimensions(200, 200).build());
    // A page holds no declaration of a document in its midst.
    let picture = picture.unwrap_or_default();
    let picture = picture.find("<svg").and_then(|place| picture.get(place..)).unwrap_or_default();
    PageResponse::render(&TotpPage { layout, picture: picture.to_owned(), totp })
}

pub(crate) async fn totp_form(request: Arc<RequestContext>) -> HandlerResult {
    request.session()?;
    totp_page(&request, request.layout(SECTION))
}

pub(crate) async fn confirm_totp(request: Arc<RequestContext>) -> HandlerResult {
    let context = request.context()?;
    let form = &request.form;
    let proof = (form.exact("state"), form.get("code"));
    match request.iam.confirm_totp(&context, password(&request), proof).await {
        Ok(codes) => PageResponse::render(&CodesPage { layout: request.layout(SECTION), codes }),
        Err(error) => {
            let text = refused(&request, error)?;
            let page = totp_page(&request, layout_with_error(&request, text))?;
            Ok(page.with_status(StatusCode::BAD_REQUEST))
        }
    }
}

pub(crate) async fn remove_totp(request: Arc<RequestContext>) -> HandlerResult {
    match request.iam.remove_totp(&request.context()?, password(&request)).await {
        Ok(()) => Ok(PageResponse::redirect("/me?told=told-totp-removed")),
        Err(error) => {
            let text = refused(&request, error)?;
            let page = super::me::page(&request, layout_with_error(&request, text)).await?;
            Ok(page.with_status(StatusCode::BAD_REQUEST))
        }
    }
}

fn passkey_page(request: &RequestContext, layout: Layout) -> HandlerResult {
    let challenge = request.iam.begin_passkey(&request.context()?)?;
    let name = request.form.get("name").to_owned();
    PageResponse::render(&PasskeyPage { layout, challenge, name })
}

pub(crate) async fn passkey_form(request: Arc<RequestContext>) -> HandlerResult {
    passkey_page(&request, request.layout(SECTION))
}

pub(crate) async fn add_passkey(request: Arc<RequestContext>) -> HandlerResult {
    let context = request.context()?;
    let form = &request.form;
    let made = (form.exact("state"), form.exact("credential"));
    match request.iam.add_passkey(&context, password(&request), form.get("name"), made).await {
        Ok(()) => Ok(PageResponse::redirect("/me?told=told-passkey-added")),
        Err(error) => {
            let text = refused(&request, error)?;
            let page = passkey_page(&request, layout_with_error(&request, text))?;
            Ok(page.with_status(StatusCode::BAD_REQUEST))
        }
    }
}

pub(crate) async fn remove_passkey(request: Arc<RequestContext>) -> HandlerResult {
    request.iam.remove_passkey(&request.context()?, request.parameter(0)).await?;
    Ok(PageResponse::redirect("/me?told=told-passkey-removed"))
}

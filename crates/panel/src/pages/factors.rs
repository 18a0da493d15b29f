//! What a person proves a second time with who they are: passkeys, and codes of an authenticator.

use std::sync::Arc;

use askama::Template;
use axum::http::StatusCode;
use gatewright_iam::{Challenge, NewTotp, Secret};
use qrcode::QrCode;
use qrcode::render::svg;

use super::me::refused;
use crate::answer::{Answer, Answered};
use crate::frame::{Banner, Frame, Section};
use crate::visit::Visit;

const SECTION: Section = Section::Me;

#[derive(Template)]
#[template(path = "factors/totp.html")]
struct TotpPage {
    frame: Frame,
    totp: NewTotp,
    /// The secret as a picture; empty where it cannot be drawn.
    picture: String,
}

#[derive(Template)]
#[template(path = "factors/codes.html")]
struct CodesPage {
    frame: Frame,
    codes: Vec<Secret>,
}

#[derive(Template)]
#[template(path = "factors/passkey.html")]
struct PasskeyPage {
    frame: Frame,
    challenge: Challenge,
    name: String,
}

fn password(visit: &Visit) -> Secret {
    visit.form.exact("password").to_owned().into()
}

/// A frame that says why it was not done.
fn frame_with(visit: &Visit, text: String) -> Frame {
    let mut frame = visit.frame(SECTION);
    frame.banner = Some(Banner::danger(text));
    frame
}

fn totp_page(visit: &Visit, frame: Frame) -> Answered {
    let totp = visit.iam.new_totp(&visit.context()?)?;
    let code = QrCode::new(totp.url.reveal().as_bytes());
    let picture = code.map(|code| code.render::<svg::Color<'_>>().min_dimensions(200, 200).build());
    // A page holds no declaration of a document in its midst.
    let picture = picture.unwrap_or_default();
    let picture = picture.find("<svg").and_then(|place| picture.get(place..)).unwrap_or_default();
    Answer::page(&TotpPage { frame, picture: picture.to_owned(), totp })
}

pub(crate) async fn ask_totp(visit: Arc<Visit>) -> Answered {
    visit.session()?;
    totp_page(&visit, visit.frame(SECTION))
}

pub(crate) async fn confirm_totp(visit: Arc<Visit>) -> Answered {
    let context = visit.context()?;
    let form = &visit.form;
    let proof = (form.exact("state"), form.get("code"));
    match visit.iam.confirm_totp(&context, password(&visit), proof).await {
        Ok(codes) => Answer::page(&CodesPage { frame: visit.frame(SECTION), codes }),
        Err(error) => {
            let text = refused(&visit, error)?;
            let page = totp_page(&visit, frame_with(&visit, text))?;
            Ok(page.with_status(StatusCode::BAD_REQUEST))
        }
    }
}

pub(crate) async fn remove_totp(visit: Arc<Visit>) -> Answered {
    match visit.iam.remove_totp(&visit.context()?, password(&visit)).await {
        Ok(()) => Ok(Answer::go("/me?told=told-totp-removed")),
        Err(error) => {
            let text = refused(&visit, error)?;
            let page = super::me::page(&visit, frame_with(&visit, text)).await?;
            Ok(page.with_status(StatusCode::BAD_REQUEST))
        }
    }
}

fn passkey_page(visit: &Visit, frame: Frame) -> Answered {
    let challenge = visit.iam.begin_passkey(&visit.context()?)?;
    let name = visit.form.get("name").to_owned();
    Answer::page(&PasskeyPage { frame, challenge, name })
}

pub(crate) async fn ask_passkey(visit: Arc<Visit>) -> Answered {
    passkey_page(&visit, visit.frame(SECTION))
}

pub(crate) async fn add_passkey(visit: Arc<Visit>) -> Answered {
    let context = visit.context()?;
    let form = &visit.form;
    let made = (form.exact("state"), form.exact("credential"));
    match visit.iam.add_passkey(&context, password(&visit), form.get("name"), made).await {
        Ok(()) => Ok(Answer::go("/me?told=told-passkey-added")),
        Err(error) => {
            let text = refused(&visit, error)?;
            let page = passkey_page(&visit, frame_with(&visit, text))?;
            Ok(page.with_status(StatusCode::BAD_REQUEST))
        }
    }
}

pub(crate) async fn remove_passkey(visit: Arc<Visit>) -> Answered {
    visit.iam.remove_passkey(&visit.context()?, visit.parameter(0)).await?;
    Ok(Answer::go("/me?told=told-passkey-removed"))
}

//! Page that asks for re-authentication before a sensitive action, and sends the form of that action
//! once more with it. The form is kept whole, sealed, in a hidden field.

use askama::Template;
use axum::http::StatusCode;
use gatewright_iam::{IamError, Reauthentication, SignInError};

use super::sign_in_error::password_error;
use crate::error::PageError;
use crate::fields::Fields;
use crate::form::Form;
use crate::layout::{Layout, Section};
use crate::request::RequestContext;
use crate::response::{HandlerResult, PageResponse};

/// Name of the field with the sealed form.
const KEPT: &str = "kept-form";

#[derive(Template)]
#[template(path = "confirm.html")]
struct ConfirmPage {
    layout: Layout,
    /// Name that password managers know the person by.
    name: String,
    /// Path that the form is submitted to.
    target: String,
    kept: String,
    has_totp: bool,
}

struct ConfirmForm;

impl Form for ConfirmForm {
    const SECTION: Section = Section::None;

    async fn render(self, request: &RequestContext, layout: Layout) -> HandlerResult {
        let context = request.context()?;
        PageResponse::render(&ConfirmPage {
            name: layout.who.clone().unwrap_or_default(),
            target: request.target.clone(),
            kept: request.iam.seal_form(&context, &request.target, &request.form.to_form())?,
            has_totp: request.iam.totp_status(&context).await?.has_totp,
            layout,
        })
    }
}

/// Asks for re-authentication, and keeps the form.
pub(crate) async fn show(request: &RequestContext) -> HandlerResult {
    Ok(ConfirmForm.show(request).await?.with_status(StatusCode::FORBIDDEN))
}

/// Asks again after a wrong password or code.
pub(crate) async fn reject(request: &RequestContext, error: SignInError) -> HandlerResult {
    ConfirmForm.reject(request, password_error(request, error)?).await
}

/// Restores the form that was kept, and authenticates the person by what came with it. Whether that
/// is needed decides the use case, which asks again without it.
pub(crate) async fn reauthenticate(request: &mut RequestContext) -> Result<(), PageError> {
    let Some(kept) = request.form.all(KEPT).next() else { return Ok(()) };
    let context = request.context()?;
    let kept = request.iam.open_form(&context, &request.target, kept);
    let kept = kept.ok_or(PageError::FormExpired)?;
    let (password, code) = (request.form.secret("password"), request.form.secret("code"));
    request.form = Fields::parse(kept.reveal().as_bytes());
    let reauthentication = match (password.reveal(), code.reveal()) {
        ("", "") => return Ok(()),
        ("", _) => Reauthentication::Code(code),
        _ => Reauthentication::Password(password),
    };
    match request.iam.reauthenticate(&context, reauthentication).await {
        Ok(session) => {
            request.session = Some(session);
            Ok(())
        }
        // Others than these are no fault of the person.
        Err(SignInError::Failed(error)) if !matches!(error, IamError::Busy { .. }) => {
            Err(error.into())
        }
        Err(error) => Err(PageError::NotReauthenticated(error)),
    }
}

//! Personal access tokens of a user.

use std::sync::Arc;

use askama::Template;
use gatewright_iam::{
    Expiry, Fault, IamError, Instant, Login, Secret, UserToken, UserTokenEdit, UserTokenInput,
};

use crate::error::PageError;
use crate::fields::encoded;
use crate::form::{Form, InputError};
use crate::format::{minute, minute_or_none};
use crate::layout::{Layout, Section};
use crate::request::RequestContext;
use crate::response::{HandlerResult, PageResponse};
use crate::route::Route;

/// Days until a new token expires, unless the form says otherwise.
const DEFAULT_DAYS: &str = "90";

const SECONDS_PER_DAY: i64 = 86_400;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::page("/users/{login}/tokens", list),
        Route::page("/users/{login}/tokens/create", create_form),
        Route::form("/users/{login}/tokens/create", create),
        Route::page("/users/{login}/tokens/{name}", details),
        Route::form("/users/{login}/tokens/{name}", edit),
        Route::form("/users/{login}/tokens/{name}/delete", delete).revokes(),
    ]
}

#[derive(Template)]
#[template(path = "tokens/list.html")]
struct ListPage {
    layout: Layout,
    login: Login,
    rows: Vec<Row>,
}

struct Row {
    name: String,
    path: String,
    description: String,
    created: String,
    expires: String,
    used: String,
    expired: bool,
}

#[derive(Template)]
#[template(path = "tokens/form.html")]
struct FormPage {
    layout: Layout,
    login: Login,
    /// Path of the token to change; none to create one.
    path: Option<String>,
    form: TokenForm,
}

#[derive(Template)]
#[template(path = "tokens/created.html")]
struct CreatedPage {
    layout: Layout,
    login: Login,
    name: String,
    secret: Secret,
}

/// Form of a token.
struct TokenForm {
    target: Target,
    name: String,
    description: String,
    /// Number of days, or date and time, as typed; empty for no expiry.
    expiry: String,
}

/// Token that a form edits.
enum Target {
    New,
    Existing,
}

impl TokenForm {
    fn read(request: &RequestContext, target: Target, name: &str) -> Self {
        Self {
            target,
            name: name.to_owned(),
            description: request.form.get("description").to_owned(),
            expiry: request.form.get("expiry").to_owned(),
        }
    }
}

impl Form for TokenForm {
    const SECTION: Section = Section::Users;

    async fn render(self, request: &RequestContext, layout: Layout) -> HandlerResult {
        let login = Login::new(request.parameter("login")?);
        let path = match self.target {
            Target::New => None,
            Target::Existing => {
                Some(format!("{}/{}", list_path(&login), encoded(request.parameter("name")?)))
            }
        };
        PageResponse::render(&FormPage { layout, login, path, form: self })
    }
}

fn list_path(login: &Login) -> String {
    format!("/users/{}/tokens", encoded(login.as_str()))
}

/// Parses an expiry: a number of days, a date and time, or nothing.
fn parse_expiry(text: &str) -> Result<Expiry, IamError> {
    if text.is_empty() {
        return Ok(Expiry::Never);
    }
    let message = "the expiry must be a number of days, or a date and time such as \
                   2027-12-31T23:59:59Z";
    let malformed = || IamError::invalid(Fault::Format, message);
    if let Ok(days) = text.parse::<i64>() {
        return days.checked_mul(SECONDS_PER_DAY).map(Expiry::In).ok_or_else(malformed);
    }
    Instant::parse(text).map(Expiry::At).ok_or_else(malformed)
}

async fn list(request: Arc<RequestContext>) -> HandlerResult {
    let login = Login::new(request.parameter("login")?);
    let tokens = request.iam.user_tokens(&request.context()?, &login).await?;
    let row = |one: UserToken| Row {
        path: format!("{}/{}", list_path(&login), encoded(&one.name)),
        expired: one.is_expired(request.now),
        name: one.name,
        description: one.description,
        created: minute(one.created_at),
        expires: minute_or_none(one.expires),
        used: minute_or_none(one.used_at),
    };
    let rows = tokens.into_iter().map(row).collect();
    let layout = request.layout_with_flash(TokenForm::SECTION);
    PageResponse::render(&ListPage { layout, login, rows })
}

async fn create_form(request: Arc<RequestContext>) -> HandlerResult {
    let (name, description) = (String::new(), String::new());
    let expiry = DEFAULT_DAYS.to_owned();
    TokenForm { target: Target::New, name, description, expiry }.show(&request).await
}

async fn create(request: Arc<RequestContext>) -> HandlerResult {
    let context = request.context()?;
    let login = Login::new(request.parameter("login")?);
    let form = TokenForm::read(&request, Target::New, request.form.get("name"));
    let (name, description) = (form.name.clone(), form.description.clone());
    let input = parse_expiry(&form.expiry);
    let input = input.map(|expiry| UserTokenInput { name, description, expiry });
    match request.iam.create_user_token(&context, &login, input).await {
        Ok((token, secret)) => {
            let layout = request.layout(TokenForm::SECTION);
            PageResponse::render(&CreatedPage { layout, login, name: token.name, secret })
        }
        Err(error) => form.reject(&request, InputError::of(error)?).await,
    }
}

async fn details(request: Arc<RequestContext>) -> HandlerResult {
    let (login, name) = names(&request)?;
    let token = request.iam.user_token(&request.context()?, &login, name).await?;
    let form = TokenForm {
        target: Target::Existing,
        name: token.name,
        description: token.description,
        expiry: token.expires.map(|at| at.to_string()).unwrap_or_default(),
    };
    form.show_with_flash(&request).await
}

async fn edit(request: Arc<RequestContext>) -> HandlerResult {
    let context = request.context()?;
    let (login, name) = names(&request)?;
    let form = TokenForm::read(&request, Target::Existing, name);
    // An unchanged expiry may be in the past.
    let is_untouched = form.expiry == request.form.get("expiry-before");
    let expiry = if is_untouched { Ok(None) } else { parse_expiry(&form.expiry).map(Some) };
    let description = Some(form.description.clone());
    let edit = expiry.map(|expiry| UserTokenEdit { description, expiry });
    match request.iam.edit_user_token(&context, &login, name, edit).await {
        Ok(_) => PageResponse::redirect(format!("{}?flash=flash-edited", list_path(&login))),
        Err(error) => form.reject(&request, InputError::of(error)?).await,
    }
}

async fn delete(request: Arc<RequestContext>) -> HandlerResult {
    let (login, name) = names(&request)?;
    request.iam.delete_user_token(&request.context()?, &login, name).await?;
    PageResponse::redirect(format!("{}?flash=flash-token-deleted", list_path(&login)))
}

/// Returns the login and the name of the token that the path names.
fn names(request: &RequestContext) -> Result<(Login, &str), PageError> {
    Ok((Login::new(request.parameter("login")?), request.parameter("name")?))
}

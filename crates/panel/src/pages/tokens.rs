//! Personal access tokens of a user.

use std::sync::Arc;

use askama::Template;
use gatewright_iam::{
    Expiry, Fault, IamError, Instant, Secret, UserToken, UserTokenEdit, UserTokenInput,
};

use super::format_minute;
use crate::fields::encoded;
use crate::layout::{Layout, Section};
use crate::request::RequestContext;
use crate::response::{HandlerResult, PageResponse};

const SECTION: Section = Section::Users;

#[derive(Template)]
#[template(path = "tokens/list.html")]
struct ListPage {
    layout: Layout,
    login: String,
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
    login: String,
    /// The token that is changed; none when one is made.
    path: Option<String>,
    name: String,
    description: String,
    expiry: String,
}

#[derive(Template)]
#[template(path = "tokens/created.html")]
struct CreatedPage {
    layout: Layout,
    login: String,
    name: String,
    secret: Secret,
}

fn tokens_of(login: &str) -> String {
    format!("/users/{}/tokens", encoded(login))
}

pub(crate) async fn list(request: Arc<RequestContext>) -> HandlerResult {
    let login = request.parameter(0);
    let tokens = request.iam.user_tokens(&request.context()?, login).await?;
    let row = |one: UserToken| Row {
        expired: one.is_expired(request.now),
        path: format!("{}/{}", tokens_of(login), encoded(&one.name)),
        name: one.name,
        description: one.description,
        created: format_minute(one.created_at),
        expires: one.expires.map_or("--".to_owned(), format_minute),
        used: one.used_at.map_or("--".to_owned(), format_minute),
    };
    let rows = tokens.into_iter().map(row).collect();
    PageResponse::render(&ListPage {
        layout: request.layout_with_flash(SECTION),
        login: login.to_owned(),
        rows,
    })
}

/// When the token ends, as it was typed: a date and time, a number of days, or nothing.
fn expiry(text: &str) -> Result<Expiry, IamError> {
    if text.is_empty() {
        return Ok(Expiry::Never);
    }
    if let Ok(days) = text.parse::<i64>() {
        return Ok(Expiry::In(days.saturating_mul(86_400)));
    }
    Instant::parse(text).map(Expiry::At).ok_or_else(|| {
        let message = "the expiry must be a number of days, or a date and time such as \
                       2027-12-31T23:59:59Z";
        IamError::invalid(Fault::Format, message)
    })
}

pub(crate) async fn create_form(request: Arc<RequestContext>) -> HandlerResult {
    request.session()?;
    let (name, description) = (String::new(), String::new());
    let (layout, login) = (request.layout(SECTION), request.parameter(0).to_owned());
    let expiry = "90".to_owned();
    PageResponse::render(&FormPage { layout, login, path: None, name, description, expiry })
}

pub(crate) async fn create(request: Arc<RequestContext>) -> HandlerResult {
    let context = request.context()?;
    let login = request.parameter(0).to_owned();
    let text = |name| request.form.get(name).to_owned();
    let (name, description, until) = (text("name"), text("description"), text("expiry"));
    let input = expiry(&until).map(|expiry| UserTokenInput {
        name: name.clone(),
        description: description.clone(),
        expiry,
    });
    match request.iam.create_user_token(&context, &login, input).await {
        Ok((token, secret)) => {
            let layout = request.layout(SECTION);
            PageResponse::render(&CreatedPage { layout, login, name: token.name, secret })
        }
        Err(error) => request.again(error.into(), SECTION, |layout| {
            let expiry = until;
            PageResponse::render(&FormPage { layout, login, path: None, name, description, expiry })
        }),
    }
}

pub(crate) async fn details(request: Arc<RequestContext>) -> HandlerResult {
    let (login, name) = (request.parameter(0), request.parameter(1));
    let token = request.iam.user_token(&request.context()?, login, name).await?;
    PageResponse::render(&FormPage {
        layout: request.layout_with_flash(SECTION),
        login: login.to_owned(),
        path: Some(format!("{}/{}", tokens_of(login), encoded(name))),
        name: token.name,
        description: token.description,
        expiry: token.expires.map(|at| at.to_string()).unwrap_or_default(),
    })
}

pub(crate) async fn edit(request: Arc<RequestContext>) -> HandlerResult {
    let context = request.context()?;
    let (login, name) = (request.parameter(0).to_owned(), request.parameter(1).to_owned());
    let path = format!("{}/{}", tokens_of(&login), encoded(&name));
    let description = request.form.get("description").to_owned();
    let until = request.form.get("expiry").to_owned();
    // An expiry that was not touched may well be over.
    let kept = until == request.form.get("expiry-before");
    let edit = if kept { Ok(None) } else { expiry(&until).map(Some) };
    let edit = edit.map(|expiry| UserTokenEdit { description: Some(description.clone()), expiry });
    match request.iam.edit_user_token(&context, &login, &name, edit).await {
        Ok(_) => Ok(PageResponse::redirect(format!("{}?told=told-edited", tokens_of(&login)))),
        Err(error) => request.again(error.into(), SECTION, |layout| {
            let (path, expiry) = (Some(path), until);
            PageResponse::render(&FormPage { layout, login, path, name, description, expiry })
        }),
    }
}

pub(crate) async fn delete(request: Arc<RequestContext>) -> HandlerResult {
    let (login, name) = (request.parameter(0), request.parameter(1));
    request.iam.delete_user_token(&request.context()?, login, name).await?;
    Ok(PageResponse::redirect(format!("{}?told=told-token-deleted", tokens_of(login))))
}

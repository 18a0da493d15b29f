//! Personal access tokens of a user.

use std::sync::Arc;

use askama::Template;
use gatewright_iam::{
    Expiry, Fault, IamError, Secret, UserToken, UserTokenEdit, UserTokenInput, clock,
};

use super::moment;
use crate::answer::{Answer, Answered};
use crate::fields::encoded;
use crate::frame::{Frame, Section};
use crate::visit::Visit;

const SECTION: Section = Section::Users;

#[derive(Template)]
#[template(path = "tokens/list.html")]
struct ListPage {
    frame: Frame,
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
    frame: Frame,
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
    frame: Frame,
    login: String,
    name: String,
    secret: Secret,
}

fn tokens_of(login: &str) -> String {
    format!("/users/{}/tokens", encoded(login))
}

pub(crate) async fn list(visit: Arc<Visit>) -> Answered {
    let login = visit.parameter(0);
    let tokens = visit.iam.user_tokens(&visit.context()?, login).await?;
    let row = |one: UserToken| Row {
        path: format!("{}/{}", tokens_of(login), encoded(&one.name)),
        name: one.name,
        description: one.description,
        created: moment(one.created_at),
        expires: one.expires.map_or("--".to_owned(), moment),
        used: one.used_at.map_or("--".to_owned(), moment),
        expired: one.expires.is_some_and(|expires| expires <= visit.now),
    };
    let rows = tokens.into_iter().map(row).collect();
    Answer::page(&ListPage { frame: visit.told(SECTION), login: login.to_owned(), rows })
}

/// When the token ends, as it was typed: a date and time, a number of days, or nothing.
fn expiry(text: &str) -> Result<Expiry, IamError> {
    if text.is_empty() {
        return Ok(Expiry::Never);
    }
    if let Ok(days) = text.parse::<i64>() {
        return Ok(Expiry::In(days.saturating_mul(86_400)));
    }
    clock::parse(text).map(Expiry::At).ok_or_else(|| {
        let message = "the expiry must be a number of days, or a date and time such as \
                       2027-12-31T23:59:59Z";
        IamError::invalid(Fault::Format, message)
    })
}

pub(crate) async fn ask_create(visit: Arc<Visit>) -> Answered {
    visit.session()?;
    let (name, description) = (String::new(), String::new());
    let (frame, login) = (visit.frame(SECTION), visit.parameter(0).to_owned());
    let expiry = "90".to_owned();
    Answer::page(&FormPage { frame, login, path: None, name, description, expiry })
}

pub(crate) async fn create(visit: Arc<Visit>) -> Answered {
    let context = visit.context()?;
    let login = visit.parameter(0).to_owned();
    let text = |name| visit.form.get(name).to_owned();
    let (name, description, until) = (text("name"), text("description"), text("expiry"));
    let input = expiry(&until).map(|expiry| UserTokenInput {
        name: name.clone(),
        description: description.clone(),
        expiry,
    });
    match visit.iam.create_user_token(&context, &login, input).await {
        Ok((token, secret)) => {
            let frame = visit.frame(SECTION);
            Answer::page(&CreatedPage { frame, login, name: token.name, secret })
        }
        Err(error) => visit.again(error.into(), SECTION, |frame| {
            let expiry = until;
            Answer::page(&FormPage { frame, login, path: None, name, description, expiry })
        }),
    }
}

pub(crate) async fn details(visit: Arc<Visit>) -> Answered {
    let (login, name) = (visit.parameter(0), visit.parameter(1));
    let token = visit.iam.user_token(&visit.context()?, login, name).await?;
    Answer::page(&FormPage {
        frame: visit.told(SECTION),
        login: login.to_owned(),
        path: Some(format!("{}/{}", tokens_of(login), encoded(name))),
        name: token.name,
        description: token.description,
        expiry: token.expires.map(clock::text).unwrap_or_default(),
    })
}

pub(crate) async fn edit(visit: Arc<Visit>) -> Answered {
    let context = visit.context()?;
    let (login, name) = (visit.parameter(0).to_owned(), visit.parameter(1).to_owned());
    let path = format!("{}/{}", tokens_of(&login), encoded(&name));
    let description = visit.form.get("description").to_owned();
    let until = visit.form.get("expiry").to_owned();
    // An expiry that was not touched may well be over.
    let kept = until == visit.form.get("expiry-before");
    let edit = if kept { Ok(None) } else { expiry(&until).map(Some) };
    let edit = edit.map(|expiry| UserTokenEdit { description: Some(description.clone()), expiry });
    match visit.iam.edit_user_token(&context, &login, &name, edit).await {
        Ok(_) => Ok(Answer::go(format!("{}?told=told-edited", tokens_of(&login)))),
        Err(error) => visit.again(error.into(), SECTION, |frame| {
            let (path, expiry) = (Some(path), until);
            Answer::page(&FormPage { frame, login, path, name, description, expiry })
        }),
    }
}

pub(crate) async fn delete(visit: Arc<Visit>) -> Answered {
    let (login, name) = (visit.parameter(0), visit.parameter(1));
    visit.iam.delete_user_token(&visit.context()?, login, name).await?;
    Ok(Answer::go(format!("{}?told=told-token-deleted", tokens_of(login))))
}

//! Local users.

use std::sync::Arc;

use askama::Template;
use gatewright_iam::{Group, IamError, Secret, User, UserEdit, UserInput, UserKind};

use super::groups::role_text;
use super::moment;
use crate::answer::{Answer, Answered};
use crate::fields::encoded;
use crate::frame::{Frame, Section};
use crate::page::{Cut, Wanted};
use crate::refusal::Refusal;
use crate::visit::Visit;

const SECTION: Section = Section::Users;

const COLUMNS: [&str; 2] = ["login", "created"];

#[derive(Template)]
#[template(path = "users/list.html")]
struct ListPage {
    frame: Frame,
    account: String,
    table: Cut<Row>,
}

struct Row {
    login: String,
    description: String,
    groups: String,
    created: String,
    /// When the password was last changed.
    password: String,
    enabled: bool,
}

#[derive(Template)]
#[template(path = "users/form.html")]
struct FormPage {
    frame: Frame,
    is_new: bool,
    login: String,
    urn: String,
    email: String,
    description: String,
    groups: Vec<Choice>,
    enabled: bool,
}

/// A group that a user may be in.
struct Choice {
    name: String,
    role: &'static str,
    chosen: bool,
}

pub(crate) async fn list(visit: Arc<Visit>) -> Answered {
    let context = visit.context()?;
    let wanted = Wanted::read(&visit.query, &COLUMNS);
    let mut users = visit.iam.users(&context).await?;
    users.retain(|one| {
        let email = one.email.as_deref().unwrap_or_default();
        wanted.fits(&[&one.login, &one.description, email])
    });
    if wanted.sort == "login" {
        users.sort_by_cached_key(|one| one.login.to_lowercase());
    }
    let row = |one: User| Row {
        login: one.login,
        description: one.description,
        groups: one.groups.join(", "),
        created: moment(one.created_at),
        password: one.password_changed_at.map_or("--".to_owned(), moment),
        enabled: one.enabled,
    };
    Answer::page(&ListPage {
        frame: visit.told(SECTION),
        account: context.account().to_owned(),
        table: wanted.cut(users).map(row),
    })
}

/// The groups to choose from; only the chosen ones where the reader may not know the others.
async fn choices(visit: &Visit, chosen: &[String]) -> Result<Vec<Choice>, Refusal> {
    let choice = |group: Group| Choice {
        chosen: chosen.contains(&group.name),
        role: role_text(group.role),
        name: group.name,
    };
    match visit.iam.groups(&visit.context()?).await {
        Ok(groups) => Ok(groups.into_iter().map(choice).collect()),
        Err(IamError::Forbidden { .. }) => {
            let known =
                |name: &String| Choice { name: name.clone(), role: "role-unknown", chosen: true };
            Ok(chosen.iter().map(known).collect())
        }
        Err(error) => Err(error.into()),
    }
}

pub(crate) async fn ask_create(visit: Arc<Visit>) -> Answered {
    let groups = choices(&visit, &["DEFAULT".to_owned()]).await?;
    Answer::page(&FormPage {
        frame: visit.frame(SECTION),
        is_new: true,
        login: String::new(),
        urn: String::new(),
        email: String::new(),
        description: String::new(),
        groups,
        enabled: true,
    })
}

pub(crate) async fn create(visit: Arc<Visit>) -> Answered {
    let context = visit.context()?;
    let form = &visit.form;
    let chosen: Vec<String> = form.all("group").map(str::to_owned).collect();
    let (login, email) = (form.get("login").to_owned(), form.get("email").to_owned());
    let description = form.get("description").to_owned();
    let input = UserInput {
        login: login.clone(),
        password: Some(Secret::from(form.exact("password").to_owned())),
        email: Some(email.clone()),
        description: description.clone(),
        groups: chosen.clone(),
        kind: UserKind::User,
    };
    match visit.iam.create_user(&context, Ok(input)).await {
        Ok(user) => Ok(Answer::go(format!("{}?told=told-user-created", path(&user.login)))),
        Err(error) => {
            let groups = choices(&visit, &chosen).await?;
            visit.again(error.into(), SECTION, |frame| {
                let (is_new, enabled, urn) = (true, true, String::new());
                let page =
                    FormPage { frame, is_new, login, urn, email, description, groups, enabled };
                Answer::page(&page)
            })
        }
    }
}

pub(crate) async fn details(visit: Arc<Visit>) -> Answered {
    let user = visit.iam.user(&visit.context()?, visit.parameter(0)).await?;
    let groups = choices(&visit, &user.groups).await?;
    Answer::page(&FormPage {
        frame: visit.told(SECTION),
        is_new: false,
        login: user.login,
        urn: user.urn,
        email: user.email.unwrap_or_default(),
        description: user.description,
        groups,
        enabled: user.enabled,
    })
}

pub(crate) async fn edit(visit: Arc<Visit>) -> Answered {
    let context = visit.context()?;
    let form = &visit.form;
    let login = visit.parameter(0);
    let chosen: Vec<String> = form.all("group").map(str::to_owned).collect();
    let (email, description) = (form.get("email").to_owned(), form.get("description").to_owned());
    let edit = UserEdit {
        email: Some(email.clone()),
        description: Some(description.clone()),
        groups: Some(chosen.clone()),
    };
    match visit.iam.edit_user(&context, login, Ok(edit)).await {
        Ok(_) => Ok(Answer::go(format!("{}?told=told-edited", path(login)))),
        Err(error) => {
            let refusal = Refusal::from(error);
            if refusal.about_input().is_none() {
                return Err(refusal);
            }
            let User { login, urn, enabled, .. } = visit.iam.user(&context, login).await?;
            let groups = choices(&visit, &chosen).await?;
            visit.again(refusal, SECTION, |frame| {
                let is_new = false;
                let page =
                    FormPage { frame, is_new, login, urn, email, description, groups, enabled };
                Answer::page(&page)
            })
        }
    }
}

pub(crate) async fn enable(visit: Arc<Visit>) -> Answered {
    let login = visit.parameter(0);
    visit.iam.enable_user(&visit.context()?, login, true).await?;
    Ok(Answer::go(format!("{}?told=told-user-enabled", path(login))))
}

pub(crate) async fn disable(visit: Arc<Visit>) -> Answered {
    let login = visit.parameter(0);
    visit.iam.enable_user(&visit.context()?, login, false).await?;
    Ok(Answer::go(format!("{}?told=told-user-disabled", path(login))))
}

pub(crate) async fn reset_mfa(visit: Arc<Visit>) -> Answered {
    let login = visit.parameter(0);
    visit.iam.reset_mfa(&visit.context()?, login).await?;
    Ok(Answer::go(format!("{}?told=told-factors-reset", path(login))))
}

pub(crate) async fn delete(visit: Arc<Visit>) -> Answered {
    visit.iam.delete_user(&visit.context()?, visit.parameter(0)).await?;
    Ok(Answer::go("/users?told=told-user-deleted"))
}

fn path(login: &str) -> String {
    format!("/users/{}", encoded(login))
}

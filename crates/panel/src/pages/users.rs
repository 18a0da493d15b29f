//! Local users.

use std::sync::Arc;

use askama::Template;
use gatewright_iam::{Group, IamError, Secret, User, UserEdit, UserInput, UserKind};

use super::format_minute;
use super::groups::role_text;
use crate::error::PageError;
use crate::fields::encoded;
use crate::layout::{Layout, Section};
use crate::request::RequestContext;
use crate::response::{HandlerResult, PageResponse};
use crate::table::{TablePage, TableQuery};

const SECTION: Section = Section::Users;

const COLUMNS: [&str; 2] = ["login", "created"];

#[derive(Template)]
#[template(path = "users/list.html")]
struct ListPage {
    layout: Layout,
    account: String,
    table: TablePage<Row>,
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
    layout: Layout,
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

pub(crate) async fn list(request: Arc<RequestContext>) -> HandlerResult {
    let context = request.context()?;
    let query = TableQuery::parse(&request.query, &COLUMNS);
    let mut users = request.iam.users(&context).await?;
    users.retain(|one| {
        let email = one.email.as_deref().unwrap_or_default();
        query.matches(&[&one.login, &one.description, email])
    });
    if query.sort == "login" {
        users.sort_by_cached_key(|one| one.login.to_lowercase());
    }
    let row = |one: User| Row {
        login: one.login,
        description: one.description,
        groups: one.groups.join(", "),
        created: format_minute(one.created_at),
        password: one.password_changed_at.map_or("--".to_owned(), format_minute),
        enabled: one.enabled,
    };
    PageResponse::render(&ListPage {
        layout: request.layout_with_flash(SECTION),
        account: context.account().to_owned(),
        table: query.paginate(users).map(row),
    })
}

/// The groups to choose from; only the chosen ones where the reader may not know the others.
async fn choices(request: &RequestContext, chosen: &[String]) -> Result<Vec<Choice>, PageError> {
    let choice = |group: Group| Choice {
        chosen: chosen.contains(&group.name),
        role: role_text(group.role),
        name: group.name,
    };
    match request.iam.groups(&request.context()?).await {
        Ok(groups) => Ok(groups.into_iter().map(choice).collect()),
        Err(IamError::Forbidden { .. }) => {
            let known =
                |name: &String| Choice { name: name.clone(), role: "role-unknown", chosen: true };
            Ok(chosen.iter().map(known).collect())
        }
        Err(error) => Err(error.into()),
    }
}

pub(crate) async fn create_form(request: Arc<RequestContext>) -> HandlerResult {
    let groups = choices(&request, &["DEFAULT".to_owned()]).await?;
    PageResponse::render(&FormPage {
        layout: request.layout(SECTION),
        is_new: true,
        login: String::new(),
        urn: String::new(),
        email: String::new(),
        description: String::new(),
        groups,
        enabled: true,
    })
}

pub(crate) async fn create(request: Arc<RequestContext>) -> HandlerResult {
    let context = request.context()?;
    let form = &request.form;
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
    match request.iam.create_user(&context, Ok(input)).await {
        Ok(user) => {
            Ok(PageResponse::redirect(format!("{}?told=told-user-created", path(&user.login))))
        }
        Err(error) => {
            let groups = choices(&request, &chosen).await?;
            request.again(error.into(), SECTION, |layout| {
                let (is_new, enabled, urn) = (true, true, String::new());
                let page =
                    FormPage { layout, is_new, login, urn, email, description, groups, enabled };
                PageResponse::render(&page)
            })
        }
    }
}

pub(crate) async fn details(request: Arc<RequestContext>) -> HandlerResult {
    let user = request.iam.user(&request.context()?, request.parameter(0)).await?;
    let groups = choices(&request, &user.groups).await?;
    PageResponse::render(&FormPage {
        layout: request.layout_with_flash(SECTION),
        is_new: false,
        login: user.login,
        urn: user.urn,
        email: user.email.unwrap_or_default(),
        description: user.description,
        groups,
        enabled: user.enabled,
    })
}

pub(crate) async fn edit(request: Arc<RequestContext>) -> HandlerResult {
    let context = request.context()?;
    let form = &request.form;
    let login = request.parameter(0);
    let chosen: Vec<String> = form.all("group").map(str::to_owned).collect();
    let (email, description) = (form.get("email").to_owned(), form.get("description").to_owned());
    let edit = UserEdit {
        email: Some(email.clone()),
        description: Some(description.clone()),
        groups: Some(chosen.clone()),
    };
    match request.iam.edit_user(&context, login, Ok(edit)).await {
        Ok(_) => Ok(PageResponse::redirect(format!("{}?told=told-edited", path(login)))),
        Err(error) => {
            let error = PageError::from(error);
            if error.validation_message().is_none() {
                return Err(error);
            }
            let User { login, urn, enabled, .. } = request.iam.user(&context, login).await?;
            let groups = choices(&request, &chosen).await?;
            request.again(error, SECTION, |layout| {
                let is_new = false;
                let page =
                    FormPage { layout, is_new, login, urn, email, description, groups, enabled };
                PageResponse::render(&page)
            })
        }
    }
}

pub(crate) async fn enable(request: Arc<RequestContext>) -> HandlerResult {
    let login = request.parameter(0);
    request.iam.enable_user(&request.context()?, login, true).await?;
    Ok(PageResponse::redirect(format!("{}?told=told-user-enabled", path(login))))
}

pub(crate) async fn disable(request: Arc<RequestContext>) -> HandlerResult {
    let login = request.parameter(0);
    request.iam.enable_user(&request.context()?, login, false).await?;
    Ok(PageResponse::redirect(format!("{}?told=told-user-disabled", path(login))))
}

pub(crate) async fn reset_mfa(request: Arc<RequestContext>) -> HandlerResult {
    let login = request.parameter(0);
    request.iam.reset_mfa(&request.context()?, login).await?;
    Ok(PageResponse::redirect(format!("{}?told=told-factors-reset", path(login))))
}

pub(crate) async fn delete(request: Arc<RequestContext>) -> HandlerResult {
    request.iam.delete_user(&request.context()?, request.parameter(0)).await?;
    Ok(PageResponse::redirect("/users?told=told-user-deleted"))
}

fn path(login: &str) -> String {
    format!("/users/{}", encoded(login))
}

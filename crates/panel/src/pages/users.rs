//! Local users.

use std::sync::Arc;

use askama::Template;
use gatewright_iam::{
    AccountName, Group, GroupName, Login, SecondFactor, User, UserEdit, UserInput, UserKind,
};

use super::roles::role_text;
use crate::error::{PageError, none_if_forbidden};
use crate::fields::encoded;
use crate::form::{Form, InputError};
use crate::format::{minute, minute_or_none};
use crate::layout::{Layout, Section};
use crate::request::RequestContext;
use crate::response::{HandlerResult, PageResponse};
use crate::route::Route;
use crate::table::{TablePage, TableQuery};

const COLUMNS: [&str; 2] = ["login", "created"];

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::page("/users", list),
        Route::page("/users/create", create_form),
        Route::form("/users/create", create),
        Route::page("/users/{login}", details),
        Route::form("/users/{login}", edit),
        Route::form("/users/{login}/enable", enable),
        Route::form("/users/{login}/disable", disable).revokes(),
        Route::form("/users/{login}/reset", reset_second_factors),
        Route::form("/users/{login}/delete", delete).revokes(),
    ]
}

#[derive(Template)]
#[template(path = "users/list.html")]
struct ListPage {
    layout: Layout,
    account: AccountName,
    table: TablePage<Row>,
    /// The demand for a second factor of the people of the account, if the reader may read it.
    second_factor: Option<SecondFactor>,
}

struct Row {
    login: Login,
    description: String,
    groups: String,
    created: String,
    /// Time of the last change of the password.
    password: String,
    enabled: bool,
}

impl From<User> for Row {
    fn from(one: User) -> Self {
        Self {
            login: one.login,
            description: one.description,
            groups: one.groups.join(", "),
            created: minute(one.created_at),
            password: minute_or_none(one.password_changed_at),
            enabled: one.enabled,
        }
    }
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

/// Group that a user may be in.
struct Choice {
    name: GroupName,
    role: &'static str,
    chosen: bool,
}

/// Form of a user.
struct UserForm {
    target: Target,
    email: String,
    description: String,
    groups: Vec<GroupName>,
}

/// User that a form edits.
enum Target {
    New { login: String },
    Existing { login: Login, urn: String, enabled: bool },
}

impl UserForm {
    fn read(request: &RequestContext, target: Target) -> Self {
        Self {
            target,
            email: request.form.get("email").to_owned(),
            description: request.form.get("description").to_owned(),
            groups: request.form.all("group").map(GroupName::new).collect(),
        }
    }

    fn of(user: User) -> Self {
        let User { login, urn, enabled, .. } = user;
        Self {
            target: Target::Existing { login, urn, enabled },
            email: user.email.unwrap_or_default(),
            description: user.description,
            groups: user.groups,
        }
    }
}

impl Form for UserForm {
    const SECTION: Section = Section::Users;

    async fn render(self, request: &RequestContext, layout: Layout) -> HandlerResult {
        let groups = choices(request, &self.groups).await?;
        let Self { target, email, description, .. } = self;
        PageResponse::render(&match target {
            Target::New { login } => {
                let (is_new, enabled, urn) = (true, true, String::new());
                FormPage { layout, is_new, login, urn, email, description, groups, enabled }
            }
            Target::Existing { login, urn, enabled } => {
                let (is_new, login) = (false, login.to_string());
                FormPage { layout, is_new, login, urn, email, description, groups, enabled }
            }
        })
    }
}

/// Returns the groups to choose from; only the chosen ones if the reader has no permission for the
/// others.
async fn choices(request: &RequestContext, chosen: &[GroupName]) -> Result<Vec<Choice>, PageError> {
    let choice = |group: Group| Choice {
        chosen: chosen.contains(&group.name),
        role: role_text(group.role),
        name: group.name,
    };
    let unknown =
        |name: &GroupName| Choice { name: name.clone(), role: "role-unknown", chosen: true };
    let groups = none_if_forbidden(request.iam.groups(&request.context()?).await)?;
    Ok(match groups {
        Some(groups) => groups.into_iter().map(choice).collect(),
        None => chosen.iter().map(unknown).collect(),
    })
}

async fn list(request: Arc<RequestContext>) -> HandlerResult {
    let context = request.context()?;
    let query = TableQuery::parse(&request.query, &COLUMNS);
    let mut users = request.iam.users(&context).await?;
    users.retain(|one| {
        let email = one.email.as_deref().unwrap_or_default();
        query.matches(&[one.login.as_str(), &one.description, email])
    });
    if query.sort == "login" {
        users.sort_by_cached_key(|one| one.login.as_str().to_lowercase());
    }
    let profile = none_if_forbidden(request.iam.me(&context).await)?;
    PageResponse::render(&ListPage {
        second_factor: profile.map(|profile| profile.second_factor),
        layout: request.layout_with_flash(UserForm::SECTION),
        account: context.account().clone(),
        table: query.paginate(users).map(Row::from),
    })
}

async fn create_form(request: Arc<RequestContext>) -> HandlerResult {
    let form = UserForm {
        target: Target::New { login: String::new() },
        email: String::new(),
        description: String::new(),
        groups: vec![GroupName::new(Group::UNPRIVILEGED)],
    };
    form.show(&request).await
}

async fn create(request: Arc<RequestContext>) -> HandlerResult {
    let context = request.context()?;
    let login = request.form.get("login").to_owned();
    let form = UserForm::read(&request, Target::New { login: login.clone() });
    let input = UserInput {
        login,
        password: Some(request.form.secret("password")),
        email: Some(form.email.clone()),
        description: form.description.clone(),
        groups: form.groups.clone(),
        kind: UserKind::User,
    };
    match request.iam.create_user(&context, Ok(input)).await {
        Ok(user) => redirect_to(&user.login, "flash-user-created"),
        Err(error) => form.reject(&request, InputError::of(error)?).await,
    }
}

async fn details(request: Arc<RequestContext>) -> HandlerResult {
    let user =
        request.iam.user(&request.context()?, &Login::new(request.parameter("login")?)).await?;
    UserForm::of(user).show_with_flash(&request).await
}

async fn edit(request: Arc<RequestContext>) -> HandlerResult {
    let context = request.context()?;
    let login = &Login::new(request.parameter("login")?);
    let edit = UserEdit {
        email: Some(request.form.get("email").to_owned()),
        description: Some(request.form.get("description").to_owned()),
        groups: Some(request.form.all("group").map(GroupName::new).collect()),
    };
    match request.iam.edit_user(&context, login, Ok(edit)).await {
        Ok(_) => redirect_to(login, "flash-edited"),
        Err(error) => {
            let error = InputError::of(error)?;
            let User { login, urn, enabled, .. } = request.iam.user(&context, login).await?;
            let form = UserForm::read(&request, Target::Existing { login, urn, enabled });
            form.reject(&request, error).await
        }
    }
}

async fn enable(request: Arc<RequestContext>) -> HandlerResult {
    let login = &Login::new(request.parameter("login")?);
    request.iam.enable_user(&request.context()?, login).await?;
    redirect_to(login, "flash-user-enabled")
}

async fn disable(request: Arc<RequestContext>) -> HandlerResult {
    let login = &Login::new(request.parameter("login")?);
    request.iam.disable_user(&request.context()?, login).await?;
    redirect_to(login, "flash-user-disabled")
}

async fn reset_second_factors(request: Arc<RequestContext>) -> HandlerResult {
    let login = &Login::new(request.parameter("login")?);
    request.iam.reset_second_factors(&request.context()?, login).await?;
    redirect_to(login, "flash-factors-reset")
}

async fn delete(request: Arc<RequestContext>) -> HandlerResult {
    request.iam.delete_user(&request.context()?, &Login::new(request.parameter("login")?)).await?;
    PageResponse::redirect("/users?flash=flash-user-deleted")
}

/// Redirects to the page of a user, with a flash message.
fn redirect_to(login: &Login, flash: &str) -> HandlerResult {
    PageResponse::redirect(format!("/users/{}?flash={flash}", encoded(login.as_str())))
}

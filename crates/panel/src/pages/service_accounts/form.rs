//! Form that creates or changes a service account.

use std::sync::Arc;

use askama::Template;
use gatewright_iam::{Client, ClientEdit, ClientId, ClientInput, Flow, Secret};

use super::naming::client_path;
use crate::form::{Form, InputError};
use crate::layout::{Layout, Section};
use crate::request::RequestContext;
use crate::response::{HandlerResult, PageResponse};

#[derive(Template)]
#[template(path = "service_accounts/form.html")]
struct FormPage {
    layout: Layout,
    form: ClientForm,
}

#[derive(Template)]
#[template(path = "service_accounts/created.html")]
struct CreatedPage {
    layout: Layout,
    client: Client,
    secret: Secret,
}

/// Form of a service account.
struct ClientForm {
    /// Identifier of the service account to change; none to create one.
    id: Option<ClientId>,
    name: String,
    description: String,
}

impl ClientForm {
    fn read(request: &RequestContext, id: Option<&ClientId>) -> Self {
        Self {
            id: id.cloned(),
            name: request.form.get("name").to_owned(),
            description: request.form.get("description").to_owned(),
        }
    }
}

impl Form for ClientForm {
    const SECTION: Section = Section::ServiceAccounts;

    async fn render(self, _: &RequestContext, layout: Layout) -> HandlerResult {
        PageResponse::render(&FormPage { layout, form: self })
    }
}

pub(super) async fn create_form(request: Arc<RequestContext>) -> HandlerResult {
    ClientForm::read(&request, None).show(&request).await
}

pub(super) async fn create(request: Arc<RequestContext>) -> HandlerResult {
    let form = ClientForm::read(&request, None);
    let input = ClientInput {
        name: form.name.clone(),
        description: form.description.clone(),
        flow: Flow::ClientCredentials,
        callback_urls: Vec::new(),
    };
    match request.iam.create_client(&request.context()?, Ok(input)).await {
        Ok((client, secret)) => {
            let layout = request.layout(ClientForm::SECTION);
            PageResponse::render(&CreatedPage { layout, client, secret })
        }
        Err(error) => form.reject(&request, InputError::of(error)?).await,
    }
}

pub(super) async fn edit_form(request: Arc<RequestContext>) -> HandlerResult {
    let client =
        request.iam.client(&request.context()?, &ClientId::new(request.parameter("id")?)).await?;
    let Client { id, name, description, .. } = client;
    ClientForm { id: Some(id), name, description }.show(&request).await
}

pub(super) async fn edit(request: Arc<RequestContext>) -> HandlerResult {
    let id = &ClientId::new(request.parameter("id")?);
    let form = ClientForm::read(&request, Some(id));
    let edit = ClientEdit {
        name: Some(form.name.clone()),
        description: Some(form.description.clone()),
        callback_urls: None,
    };
    match request.iam.edit_client(&request.context()?, id, Ok(edit)).await {
        Ok(_) => PageResponse::redirect(format!("{}?flash=flash-edited", client_path(id))),
        Err(error) => form.reject(&request, InputError::of(error)?).await,
    }
}

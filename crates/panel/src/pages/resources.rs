//! Resources and their tags.

mod list;
mod tags;

use std::sync::Arc;

use askama::Template;
use gatewright_iam::{AccountName, NewResource, Resource, ResourceUrn, is_system_tag};

use crate::fields::encoded;
use crate::form::{Form, InputError};
use crate::format::lines;
use crate::layout::{Layout, Section};
use crate::request::RequestContext;
use crate::response::{HandlerResult, PageResponse};
use crate::route::Route;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::page("/resources", list::show),
        Route::page("/resources/create", create_form),
        Route::form("/resources/create", create),
        Route::page("/resources/{urn}", details),
        Route::form("/resources/{urn}/delete", delete).revokes(),
        Route::form("/resources/{urn}/tags", add_tag),
        Route::form("/resources/{urn}/tags/remove", remove_tag).revokes(),
        Route::page("/tags", tags::show),
    ]
}

#[derive(Template)]
#[template(path = "resources/details.html")]
struct DetailsPage {
    layout: Layout,
    path: String,
    urn: String,
    name: String,
    resource_type: String,
    owner: AccountName,
    tags: Vec<TagRow>,
    key: String,
    value: String,
}

struct TagRow {
    key: String,
    value: String,
    system: bool,
}

#[derive(Template)]
#[template(path = "resources/create.html")]
struct CreatePage {
    layout: Layout,
    form: ResourceForm,
}

/// Form of a new resource.
struct ResourceForm {
    urn: String,
    name: String,
    /// Tags, one per line: `key=value`.
    tags: String,
}

impl Form for ResourceForm {
    const SECTION: Section = Section::Resources;

    async fn render(self, _: &RequestContext, layout: Layout) -> HandlerResult {
        PageResponse::render(&CreatePage { layout, form: self })
    }
}

/// Form that adds a tag to a resource.
struct TagForm {
    resource: Resource,
    key: String,
    value: String,
}

impl Form for TagForm {
    const SECTION: Section = Section::Resources;

    async fn render(self, _: &RequestContext, layout: Layout) -> HandlerResult {
        let Self { resource, key, value } = self;
        let tags = resource.tags.into_iter();
        let row =
            |(key, value): (String, String)| TagRow { system: is_system_tag(&key), key, value };
        PageResponse::render(&DetailsPage {
            layout,
            path: resource_path(resource.urn.urn()),
            urn: resource.urn.urn().to_owned(),
            name: resource.display_name,
            resource_type: resource.urn.resource_type().to_owned(),
            owner: resource.owner,
            tags: tags.map(row).collect(),
            key,
            value,
        })
    }
}

fn resource_path(urn: &str) -> String {
    format!("/resources/{}", encoded(urn))
}

async fn details(request: Arc<RequestContext>) -> HandlerResult {
    let resource = request.iam.resource(&request.context()?, request.parameter("urn")?).await?;
    let (key, value) = (String::new(), String::new());
    TagForm { resource, key, value }.show_with_flash(&request).await
}

async fn add_tag(request: Arc<RequestContext>) -> HandlerResult {
    let (context, urn) = (request.context()?, request.parameter("urn")?);
    let (key, value) = (request.form.get("key").to_owned(), request.form.get("value").to_owned());
    match request.iam.add_tag(&context, urn, Ok((key.clone(), value.clone()))).await {
        Ok(_) => redirect_to(urn),
        Err(error) => {
            let error = InputError::of(error)?;
            let resource = request.iam.resource(&context, urn).await?;
            TagForm { resource, key, value }.reject(&request, error).await
        }
    }
}

async fn remove_tag(request: Arc<RequestContext>) -> HandlerResult {
    let urn = request.parameter("urn")?;
    request.iam.remove_tag(&request.context()?, urn, request.form.get("key")).await?;
    redirect_to(urn)
}

fn redirect_to(urn: &str) -> HandlerResult {
    PageResponse::redirect(format!("{}?flash=flash-edited", resource_path(urn)))
}

async fn create_form(request: Arc<RequestContext>) -> HandlerResult {
    let urn = ResourceUrn::prefix(request.iam.settings().region);
    ResourceForm { urn, name: String::new(), tags: String::new() }.show(&request).await
}

async fn create(request: Arc<RequestContext>) -> HandlerResult {
    let context = request.context()?;
    let text = |name| request.form.get(name).to_owned();
    let form = ResourceForm { urn: text("urn"), name: text("name"), tags: text("tags") };
    let pairs = lines(&form.tags).into_iter().map(|line| match line.split_once(['=', ':']) {
        Some((key, value)) => (key.trim().to_owned(), value.trim().to_owned()),
        None => (line, String::new()),
    });
    let input = NewResource {
        urn: form.urn.clone(),
        display_name: Some(form.name.clone()).filter(|name| !name.is_empty()),
        owner: None,
        tags: pairs.collect(),
    };
    match request.iam.create_resource(&context, Ok(input)).await {
        Ok(_) => PageResponse::redirect("/resources?flash=flash-resource-created"),
        Err(error) => form.reject(&request, InputError::of(error)?).await,
    }
}

async fn delete(request: Arc<RequestContext>) -> HandlerResult {
    request.iam.delete_resource(&request.context()?, request.parameter("urn")?).await?;
    PageResponse::redirect("/resources?flash=flash-resource-deleted")
}

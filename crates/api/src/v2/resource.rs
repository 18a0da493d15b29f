//! `/iam/resource`: resources and their tags.

use std::collections::BTreeMap;

use gatewright_iam::{
    AnyKeys, Context, Fault, IamError, Input, ResourceFilter, check_keys, parse_json, rights,
};

use crate::body::Body;
use crate::error::ApiError;
use crate::operation::{Operation, Parameter};
use crate::request::Request;
use crate::respond::{Json, JsonPage, NoContent};
use crate::tagged::{Shows, Tagged};
use crate::wire::{NewResource, Resource, ResourceEdit, Tag, TagFilter};

const RESOURCES: &str = "/iam/resource";
const RESOURCE: &str = "/iam/resource/{resourceURN}";

const FILTER: &[Parameter] = &[
    Parameter::texts("resourceName"),
    Parameter::texts("resourceType"),
    Parameter::texts("resourceURN"),
    Parameter::text("tags"),
];

/// Declares the operations.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get(RESOURCES, "List resources").query(FILTER).handle(list),
        Operation::post(RESOURCES, "Register a resource")
            .requires(&[rights::RESOURCE_CREATE])
            .creates()
            .conflicts()
            .extension()
            .handle(create),
        Operation::get(RESOURCE, "Read a resource").handle(get),
        Operation::put(RESOURCE, "Replace a resource's tags")
            .requires(&[rights::RESOURCE_EDIT])
            .handle(put),
        Operation::delete(RESOURCE, "Delete a resource")
            .requires(&[rights::RESOURCE_DELETE])
            .extension()
            .handle(delete),
        Operation::post("/iam/resource/{resourceURN}/tag", "Tag a resource")
            .requires(&[rights::TAG_ADD])
            .handle(add_tag),
        Operation::delete("/iam/resource/{resourceURN}/tag/{key}", "Remove a tag")
            .requires(&[rights::TAG_REMOVE])
            .handle(remove_tag),
    ]
}

fn filter(request: &Request) -> Input<ResourceFilter> {
    let tags = match request.query.first("tags") {
        None | Some("") => BTreeMap::new(),
        Some(text) => {
            check_keys(text.as_bytes(), AnyKeys)?;
            let tags: BTreeMap<String, Vec<TagFilter>> = parse_json(text).map_err(|error| {
                let message = format!(
                    "\"tags\" must be JSON like {{\"env\":[{{\"operator\":\"EQ\",\
                         \"value\":\"production\"}}]}}: {error}"
                );
                IamError::invalid(Fault::Format, message)
            })?;
            let wired = |filters: Vec<TagFilter>| filters.into_iter().map(Into::into).collect();
            tags.into_iter().map(|(key, filters)| (key, wired(filters))).collect()
        }
    };
    Ok(ResourceFilter {
        names: request.query.all("resourceName"),
        resource_types: request.query.all("resourceType"),
        urns: request.query.all("resourceURN"),
        tags,
    })
}

async fn list(context: Context, request: Request) -> Result<JsonPage<Resource>, ApiError> {
    let (filter, wanted) = (filter(&request), request.page("resource"));
    let page = request.iam.resources(&context, filter, wanted).await?;
    Ok(JsonPage::of(page, Resource::from))
}

async fn get(context: Context, request: Request) -> Result<Tagged<Resource>, ApiError> {
    let resource = request.iam.resource(&context, request.parameter(0)?).await?;
    Tagged::of(&request, &resource.tag.clone(), Shows::Object, &resource.into())
}

async fn create(
    context: Context,
    request: Request,
    Body(input): Body<NewResource>,
) -> Result<Json<Resource>, ApiError> {
    let input = input.and_then(|new| new.read(request.iam.settings().region));
    let resource = request.iam.create_resource(&context, input).await?;
    Ok(Json(resource.into()))
}

async fn put(
    context: Context,
    request: Request,
    Body(edit): Body<ResourceEdit>,
) -> Result<Json<Resource>, ApiError> {
    let tags = edit.map(|edit| edit.tags);
    let resource = request.iam.set_tags(&context, request.parameter(0)?, tags).await?;
    Ok(Json(resource.into()))
}

async fn delete(context: Context, request: Request) -> Result<NoContent, ApiError> {
    request.iam.delete_resource(&context, request.parameter(0)?).await?;
    Ok(NoContent)
}

async fn add_tag(
    context: Context,
    request: Request,
    Body(tag): Body<Tag>,
) -> Result<NoContent, ApiError> {
    let tag = tag.map(|tag| (tag.key, tag.value));
    request.iam.add_tag(&context, request.parameter(0)?, tag).await?;
    Ok(NoContent)
}

async fn remove_tag(context: Context, request: Request) -> Result<NoContent, ApiError> {
    request.iam.remove_tag(&context, request.parameter(0)?, request.parameter(1)?).await?;
    Ok(NoContent)
}

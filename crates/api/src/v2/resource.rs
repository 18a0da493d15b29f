//! `/iam/resource`: resources and their tags.

use std::collections::BTreeMap;

use gatewright_iam::{Context, Fault, IamError, Input, ResourceFilter};
use serde::Deserialize;

use crate::error::ApiError;
use crate::request::{Request, list as page};
use crate::response::Response;
use crate::wire::{NewResource, Resource, Tag, TagFilter};

fn filter(request: &Request) -> Input<ResourceFilter> {
    let tags = match request.query.first("tags") {
        None | Some("") => BTreeMap::new(),
        Some(text) => {
            let tags: BTreeMap<String, Vec<TagFilter>> =
                serde_json::from_str(text).map_err(|error| {
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
        kinds: request.query.all("resourceType"),
        urns: request.query.all("resourceURN"),
        tags,
    })
}

pub(crate) async fn list(context: Context, request: Request) -> Result<Response, ApiError> {
    let (filter, wanted) = (filter(&request), request.page("resource"));
    Ok(page(request.iam.resources(&context, filter, wanted).await?, Resource::from))
}

pub(crate) async fn get(context: Context, request: Request) -> Result<Response, ApiError> {
    let resource = request.iam.resource(&context, request.parameter(0)).await?;
    Ok(Response::json(&Resource::from(resource)))
}

pub(crate) async fn create(context: Context, request: Request) -> Result<Response, ApiError> {
    let input =
        request.json::<NewResource>().and_then(|new| new.read(request.iam.settings().region));
    let resource = request.iam.create_resource(&context, input).await?;
    Ok(Response::json(&Resource::from(resource)))
}

/// All that is read of the body: clients send whole resources back.
#[derive(Deserialize)]
struct Tags {
    #[serde(default)]
    tags: Option<BTreeMap<String, String>>,
}

pub(crate) async fn put(context: Context, request: Request) -> Result<Response, ApiError> {
    let tags = request.json::<Tags>().map(|body| body.tags);
    let resource = request.iam.set_tags(&context, request.parameter(0), tags).await?;
    Ok(Response::json(&Resource::from(resource)))
}

pub(crate) async fn delete(context: Context, request: Request) -> Result<Response, ApiError> {
    request.iam.delete_resource(&context, request.parameter(0)).await?;
    Ok(Response::no_content())
}

pub(crate) async fn add_tag(context: Context, request: Request) -> Result<Response, ApiError> {
    let tag = request.json::<Tag>().map(|tag| (tag.key, tag.value));
    request.iam.add_tag(&context, request.parameter(0), tag).await?;
    Ok(Response::no_content())
}

pub(crate) async fn remove_tag(context: Context, request: Request) -> Result<Response, ApiError> {
    request.iam.remove_tag(&context, request.parameter(0), request.parameter(1)).await?;
    Ok(Response::no_content())
}

//! `/iam/resource`: resources and their tags.

use std::collections::BTreeMap;

use gatewright_iam::{Context, Fault, IamError, Input, ResourceFilter};
use serde::Deserialize;

use crate::answer::Answer;
use crate::error::ApiError;
use crate::request::{Visit, list as page};
use crate::wire::{NewResource, Resource, Tag, TagFilter};

fn filter(visit: &Visit) -> Input<ResourceFilter> {
    let tags = match visit.query.first("tags") {
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
        names: visit.query.all("resourceName"),
        kinds: visit.query.all("resourceType"),
        urns: visit.query.all("resourceURN"),
        tags,
    })
}

pub(crate) async fn list(context: Context, visit: Visit) -> Result<Answer, ApiError> {
    let (filter, wanted) = (filter(&visit), visit.page("resource"));
    Ok(page(visit.iam.resources(&context, filter, wanted).await?, Resource::from))
}

pub(crate) async fn get(context: Context, visit: Visit) -> Result<Answer, ApiError> {
    let resource = visit.iam.resource(&context, visit.parameter(0)).await?;
    Ok(Answer::json(&Resource::from(resource)))
}

pub(crate) async fn create(context: Context, visit: Visit) -> Result<Answer, ApiError> {
    let input = visit.json::<NewResource>().and_then(|new| new.read(visit.iam.settings().region));
    let resource = visit.iam.create_resource(&context, input).await?;
    Ok(Answer::json(&Resource::from(resource)))
}

/// All that is read of the body: clients send whole resources back.
#[derive(Deserialize)]
struct Tags {
    #[serde(default)]
    tags: Option<BTreeMap<String, String>>,
}

pub(crate) async fn put(context: Context, visit: Visit) -> Result<Answer, ApiError> {
    let tags = visit.json::<Tags>().map(|body| body.tags);
    let resource = visit.iam.set_tags(&context, visit.parameter(0), tags).await?;
    Ok(Answer::json(&Resource::from(resource)))
}

pub(crate) async fn delete(context: Context, visit: Visit) -> Result<Answer, ApiError> {
    visit.iam.delete_resource(&context, visit.parameter(0)).await?;
    Ok(Answer::nothing())
}

pub(crate) async fn add_tag(context: Context, visit: Visit) -> Result<Answer, ApiError> {
    let tag = visit.json::<Tag>().map(|tag| (tag.key, tag.value));
    visit.iam.add_tag(&context, visit.parameter(0), tag).await?;
    Ok(Answer::nothing())
}

pub(crate) async fn remove_tag(context: Context, visit: Visit) -> Result<Answer, ApiError> {
    visit.iam.remove_tag(&context, visit.parameter(0), visit.parameter(1)).await?;
    Ok(Answer::nothing())
}

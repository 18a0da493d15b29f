//! Decisions, and the actions that they are about.

use gatewright_iam::{Category, CheckResult};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::nullable;

#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = iam::AuthorizeRequest)]
pub(crate) struct CheckRequest {
    #[serde(deserialize_with = "nullable")]
    pub(crate) actions: Vec<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = iam::AuthorizeResponse)]
pub(crate) struct CheckAnswer {
    authorized_actions: Vec<String>,
    unauthorized_actions: Vec<String>,
}

impl From<CheckResult> for CheckAnswer {
    fn from(checked: CheckResult) -> Self {
        Self { authorized_actions: checked.authorized, unauthorized_actions: checked.unauthorized }
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = iam::AuthorizeBatchRequest)]
pub(crate) struct BatchRequest {
    #[serde(deserialize_with = "nullable")]
    pub(crate) actions: Vec<String>,
    #[serde(rename = "resourceURNs", deserialize_with = "nullable")]
    pub(crate) resource_urns: Vec<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = iam::AuthorizeBatchResponse)]
pub(crate) struct BatchAnswer {
    authorized_actions: Vec<String>,
    #[serde(rename = "resourceURN")]
    resource_urn: String,
    unauthorized_actions: Vec<String>,
}

impl From<CheckResult> for BatchAnswer {
    fn from(checked: CheckResult) -> Self {
        Self {
            authorized_actions: checked.authorized,
            resource_urn: checked.resource,
            unauthorized_actions: checked.unauthorized,
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = iam::reference::Action)]
pub(crate) struct Action {
    action: String,
    categories: Vec<String>,
    description: String,
    has_query_parameters: bool,
    resource_type: String,
}

impl From<&gatewright_iam::Action> for Action {
    fn from(action: &gatewright_iam::Action) -> Self {
        let category = |category: &Category| category.as_str().to_owned();
        Self {
            action: action.name.to_string(),
            categories: action.categories.iter().map(category).collect(),
            description: action.description.clone(),
            has_query_parameters: action.has_query_parameters,
            resource_type: action.resource_type().to_owned(),
        }
    }
}

//! AuthZEN's Authorization API: requests, whose members are validated one by one, and responses.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// The subject of a request: the principal that would act.
#[derive(ToSchema)]
#[schema(as = authzen::Subject)]
#[expect(dead_code, reason = "only described")]
pub(crate) struct Subject {
    id: String,
    properties: Option<Value>,
    r#type: String,
}

/// A subject type to search.
#[derive(ToSchema)]
#[schema(as = authzen::Subjects)]
#[expect(dead_code, reason = "only described")]
pub(crate) struct Subjects {
    properties: Option<Value>,
    r#type: String,
}

/// The action of a request, such as `vps:apiovh:reboot`.
#[derive(ToSchema)]
#[schema(as = authzen::Action)]
#[expect(dead_code, reason = "only described")]
pub(crate) struct Action {
    name: String,
    properties: Option<Value>,
}

/// The resource of a request. Its property `account` names the owner.
#[derive(ToSchema)]
#[schema(as = authzen::Resource)]
#[expect(dead_code, reason = "only described")]
pub(crate) struct Resource {
    id: String,
    properties: Option<Value>,
    r#type: String,
}

/// A resource type to search.
#[derive(ToSchema)]
#[schema(as = authzen::Resources)]
#[expect(dead_code, reason = "only described")]
pub(crate) struct Resources {
    properties: Option<Value>,
    r#type: String,
}

/// The environment that conditions are evaluated against: the client's IP address and the time, in
/// RFC 3339 format. Defaults are the current time and no address.
#[derive(ToSchema)]
#[schema(as = authzen::Context)]
#[expect(dead_code, reason = "only described")]
pub(crate) struct Environment {
    ip: Option<String>,
    time: Option<String>,
}

/// A request for one decision.
#[derive(ToSchema)]
#[schema(as = authzen::EvaluationRequest)]
#[expect(dead_code, reason = "only described")]
pub(crate) struct EvaluationRequest {
    action: Action,
    context: Option<Environment>,
    resource: Resource,
    subject: Subject,
}

/// A request for several decisions. The members beside `evaluations` are the defaults of each
/// evaluation.
#[derive(ToSchema)]
#[schema(as = authzen::EvaluationsRequest)]
#[expect(dead_code, reason = "only described")]
pub(crate) struct EvaluationsRequest {
    action: Option<Action>,
    context: Option<Environment>,
    evaluations: Option<Vec<PartialEvaluation>>,
    options: Option<EvaluationsOptions>,
    resource: Option<Resource>,
    subject: Option<Subject>,
}

/// One of several evaluations; a missing member is taken from the request's defaults.
#[derive(ToSchema)]
#[schema(as = authzen::PartialEvaluation)]
#[expect(dead_code, reason = "only described")]
pub(crate) struct PartialEvaluation {
    action: Option<Action>,
    context: Option<Environment>,
    resource: Option<Resource>,
    subject: Option<Subject>,
}

/// The options of a request for several decisions.
#[derive(ToSchema)]
#[schema(as = authzen::EvaluationsOptions)]
#[expect(dead_code, reason = "only described")]
pub(crate) struct EvaluationsOptions {
    evaluations_semantic: Option<EvaluationsSemantic>,
}

#[derive(ToSchema)]
#[schema(as = authzen::EvaluationsSemantic, rename_all = "snake_case")]
#[expect(dead_code, reason = "only described")]
pub(crate) enum EvaluationsSemantic {
    ExecuteAll,
    DenyOnFirstDeny,
    PermitOnFirstPermit,
}

/// A search for the subjects that may perform an action on a resource.
#[derive(ToSchema)]
#[schema(as = authzen::SubjectSearch)]
#[expect(dead_code, reason = "only described")]
pub(crate) struct SubjectSearch {
    action: Action,
    context: Option<Environment>,
    resource: Resource,
    subject: Subjects,
}

/// A search for the resources on which a subject may perform an action.
#[derive(ToSchema)]
#[schema(as = authzen::ResourceSearch)]
#[expect(dead_code, reason = "only described")]
pub(crate) struct ResourceSearch {
    action: Action,
    context: Option<Environment>,
    resource: Resources,
    subject: Subject,
}

/// A search for the actions that a subject may perform on a resource.
#[derive(ToSchema)]
#[schema(as = authzen::ActionSearch)]
#[expect(dead_code, reason = "only described")]
pub(crate) struct ActionSearch {
    context: Option<Environment>,
    resource: Resource,
    subject: Subject,
}

/// A decision with its reason.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = authzen::EvaluationResponse)]
pub(crate) struct EvaluationResponse {
    pub(crate) decision: bool,
    pub(crate) context: EvaluationContext,
}

/// The reason of a decision.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = authzen::EvaluationContext)]
pub(crate) struct EvaluationContext {
    /// The error that prevented an evaluation; the decision is then a denial.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<EvaluationError>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<&'static str>,
    /// The identifier of the determining policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) policy: Option<String>,
}

/// The error of one evaluation: an HTTP status and a message.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = authzen::EvaluationError)]
pub(crate) struct EvaluationError {
    pub(crate) status: u16,
    pub(crate) message: String,
}

/// The decisions in the order of the evaluations, or a single decision if the request has no
/// `evaluations`.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = authzen::EvaluationsResponse)]
pub(crate) enum EvaluationsResponse {
    One(EvaluationResponse),
    Many { evaluations: Vec<EvaluationResponse> },
}

/// The subjects or resources that were found.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = authzen::EntitiesFound)]
pub(crate) struct EntitiesFound {
    pub(crate) results: Vec<EntityFound>,
}

/// A subject or resource that was found.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = authzen::EntityFound)]
pub(crate) struct EntityFound {
    #[schema(value_type = String)]
    pub(crate) r#type: Value,
    pub(crate) id: String,
}

/// The actions that were found.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = authzen::ActionsFound)]
pub(crate) struct ActionsFound {
    results: Vec<ActionFound>,
}

/// An action that was found.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = authzen::ActionFound)]
pub(crate) struct ActionFound {
    name: String,
}

impl ActionsFound {
    pub(crate) fn of(names: impl IntoIterator<Item = String>) -> Self {
        Self { results: names.into_iter().map(|name| ActionFound { name }).collect() }
    }
}

/// The metadata of the policy decision point: its identifier and endpoint URLs.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = authzen::Configuration)]
pub(crate) struct Configuration {
    policy_decision_point: String,
    access_evaluation_endpoint: String,
    access_evaluations_endpoint: String,
    search_subject_endpoint: String,
    search_resource_endpoint: String,
    search_action_endpoint: String,
}

impl Configuration {
    /// Builds the metadata from the server's URL.
    pub(crate) fn of(url: &str) -> Self {
        Self {
            policy_decision_point: url.to_owned(),
            access_evaluation_endpoint: format!("{url}/access/v1/evaluation"),
            access_evaluations_endpoint: format!("{url}/access/v1/evaluations"),
            search_subject_endpoint: format!("{url}/access/v1/search/subject"),
            search_resource_endpoint: format!("{url}/access/v1/search/resource"),
            search_action_endpoint: format!("{url}/access/v1/search/action"),
        }
    }
}

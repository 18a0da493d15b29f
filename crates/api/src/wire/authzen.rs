//! AuthZEN's Authorization API: requests, which are read part by part, and responses.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// Describes a subject.
#[derive(ToSchema)]
#[schema(as = authzen::Subject)]
#[expect(dead_code, reason = "only described")]
pub(crate) struct Subject {
    id: String,
    properties: Option<Value>,
    r#type: String,
}

/// Describes subjects of a type.
#[derive(ToSchema)]
#[schema(as = authzen::Subjects)]
#[expect(dead_code, reason = "only described")]
pub(crate) struct Subjects {
    properties: Option<Value>,
    r#type: String,
}

/// Describes an action.
#[derive(ToSchema)]
#[schema(as = authzen::Action)]
#[expect(dead_code, reason = "only described")]
pub(crate) struct Action {
    name: String,
    properties: Option<Value>,
}

/// Describes a resource; its property `account` names the owner.
#[derive(ToSchema)]
#[schema(as = authzen::Resource)]
#[expect(dead_code, reason = "only described")]
pub(crate) struct Resource {
    id: String,
    properties: Option<Value>,
    r#type: String,
}

/// Describes resources of a type.
#[derive(ToSchema)]
#[schema(as = authzen::Resources)]
#[expect(dead_code, reason = "only described")]
pub(crate) struct Resources {
    properties: Option<Value>,
    r#type: String,
}

/// Describes the environment of a request.
#[derive(ToSchema)]
#[schema(as = authzen::Context)]
#[expect(dead_code, reason = "only described")]
pub(crate) struct Environment {
    ip: Option<String>,
    time: Option<String>,
}

/// Describes a request for a decision.
#[derive(ToSchema)]
#[schema(as = authzen::EvaluationRequest)]
#[expect(dead_code, reason = "only described")]
pub(crate) struct EvaluationRequest {
    action: Action,
    context: Option<Environment>,
    resource: Resource,
    subject: Subject,
}

/// Describes a request for decisions: what an evaluation does not say is taken from the whole.
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

/// Describes one of several requests for decisions.
#[derive(ToSchema)]
#[schema(as = authzen::PartialEvaluation)]
#[expect(dead_code, reason = "only described")]
pub(crate) struct PartialEvaluation {
    action: Option<Action>,
    context: Option<Environment>,
    resource: Option<Resource>,
    subject: Option<Subject>,
}

/// Describes when no more decisions are wanted.
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

/// Describes a search for the subjects that may do something.
#[derive(ToSchema)]
#[schema(as = authzen::SubjectSearch)]
#[expect(dead_code, reason = "only described")]
pub(crate) struct SubjectSearch {
    action: Action,
    context: Option<Environment>,
    resource: Resource,
    subject: Subjects,
}

/// Describes a search for the resources that something may be done on.
#[derive(ToSchema)]
#[schema(as = authzen::ResourceSearch)]
#[expect(dead_code, reason = "only described")]
pub(crate) struct ResourceSearch {
    action: Action,
    context: Option<Environment>,
    resource: Resources,
    subject: Subject,
}

/// Describes a search for the actions that may be done.
#[derive(ToSchema)]
#[schema(as = authzen::ActionSearch)]
#[expect(dead_code, reason = "only described")]
pub(crate) struct ActionSearch {
    context: Option<Environment>,
    resource: Resource,
    subject: Subject,
}

/// A decision, and why it is so.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = authzen::EvaluationResponse)]
pub(crate) struct EvaluationResponse {
    pub(crate) decision: bool,
    pub(crate) context: EvaluationContext,
}

/// Why a decision is so.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = authzen::EvaluationContext)]
pub(crate) struct EvaluationContext {
    /// Why there is no other decision than a denial.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<EvaluationError>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<&'static str>,
    /// The identifier of the determining policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) policy: Option<String>,
}

/// What is wrong with one of several requests.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = authzen::EvaluationError)]
pub(crate) struct EvaluationError {
    pub(crate) status: u16,
    pub(crate) message: String,
}

/// Decisions in the order of the requests; one alone where only one was asked for.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = authzen::EvaluationsResponse)]
pub(crate) enum EvaluationsResponse {
    One(EvaluationResponse),
    Many { evaluations: Vec<EvaluationResponse> },
}

/// Subjects or resources that were found.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = authzen::EntitiesFound)]
pub(crate) struct EntitiesFound {
    pub(crate) results: Vec<EntityFound>,
}

/// A subject or a resource that was found.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = authzen::EntityFound)]
pub(crate) struct EntityFound {
    #[schema(value_type = String)]
    pub(crate) r#type: Value,
    pub(crate) id: String,
}

/// Actions that were found.
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

/// The metadata of the decision point.
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

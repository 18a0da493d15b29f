//! `/access/v1`: AuthZEN's Authorization API 1.0, for services that request decisions about other
//! principals.

mod read;

use axum::http::StatusCode;
use gatewright_iam::{
    Context, EvaluationResult, EvaluationsSemantic, IamError, Input, Reason, rights,
};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::body::AuthZen;
use crate::error::ApiError;
use crate::operation::{Declaration, Errors, Operation};
use crate::request::Request;
use crate::respond::{Described, Json, Respond};
use crate::response::Response;
use crate::schema::Components;
use crate::wire::{
    ActionSearch, ActionsFound, Configuration, EntitiesFound, EntityFound, EvaluationContext,
    EvaluationError, EvaluationRequest, EvaluationResponse, EvaluationsRequest,
    EvaluationsResponse, ResourceSearch, SubjectSearch,
};
use read::{Asks, batch, evaluation as read_evaluation};

/// Declares the operations.
pub(crate) fn operations() -> Vec<Operation> {
    vec![
        ask("/access/v1/evaluation", "Request a decision")
            .answered_from_memory()
            .handle(evaluation),
        ask("/access/v1/evaluations", "Request several decisions")
            .answered_from_memory()
            .handle(evaluations),
        ask(
            "/access/v1/search/subject",
            "Search the subjects that are allowed an action on a resource",
        )
        .handle(search_subject),
        ask(
            "/access/v1/search/resource",
            "Search the resources that a subject is allowed an action on",
        )
        .handle(search_resource),
        ask(
            "/access/v1/search/action",
            "Search the actions that a subject is allowed on a resource",
        )
        .handle(search_action),
        Operation::get(
            "/.well-known/authzen-configuration",
            "Read the metadata of the policy decision point",
        )
        .extension()
        .handle(configuration),
    ]
}

fn ask(path: &'static str, summary: &'static str) -> Declaration {
    Operation::post(path, summary)
        .requires(&[rights::EVALUATE])
        .errors(Errors::AuthZen)
        .read_only()
        .extension()
}

/// A response with the request identifier that the caller sent (`X-Request-ID`); an invalid request
/// is answered with a plain message.
struct Answer<T> {
    request_id: Option<String>,
    /// The value, or the message that says why the request is invalid.
    result: Result<T, String>,
}

impl<T> Answer<T> {
    fn of(request: &Request, result: Result<T, IamError>) -> Result<Self, ApiError> {
        let result = match result {
            Ok(value) => Ok(value),
            Err(IamError::Invalid { message, .. }) => Err(message),
            Err(error) => return Err(error.into()),
        };
        Ok(Self { request_id: request.header("x-request-id").map(str::to_owned), result })
    }
}

impl<T: Serialize + ToSchema> Respond for Answer<T> {
    fn respond(self) -> Result<Response, ApiError> {
        let response = match &self.result {
            Ok(value) => Response::json(StatusCode::OK, value)?,
            Err(message) => Response::json(StatusCode::BAD_REQUEST, message)?,
        };
        Ok(match &self.request_id {
            Some(id) => response.with("x-request-id", id),
            None => response,
        })
    }

    fn describe(components: &mut Components) -> Described {
        Described::json(components.one::<T>())
    }
}

/// The error of an evaluation without a result, which cannot happen.
#[derive(Debug, thiserror::Error)]
#[error("a request for a decision has none")]
struct NoDecision;

fn decision(result: &Input<EvaluationResult>) -> EvaluationResponse {
    let result = match result {
        Ok(result) => result,
        Err(error) => {
            let status = StatusCode::BAD_REQUEST.as_u16();
            let error = Some(EvaluationError { status, message: error.to_string() });
            let context = EvaluationContext { error, ..EvaluationContext::default() };
            return EvaluationResponse { decision: false, context };
        }
    };
    let reason = match result.reason {
        Some(Reason::Root) => "the owner of the account may do everything",
        Some(Reason::Allowed | Reason::PassedOn) => "a policy allows it",
        Some(Reason::OutOfScope) => "the token is for something else",
        Some(Reason::WrongType) => "there is no such action on resources of this type",
        Some(Reason::Denied) => "a policy denies it",
        Some(Reason::NotAllowed) => "no policy allows it",
        None => "there is no such subject, action or resource to ask about",
    };
    let policy = result.policy.map(|policy| policy.to_string());
    let context = EvaluationContext { error: None, reason: Some(reason), policy };
    EvaluationResponse { decision: result.allowed, context }
}

async fn evaluation(
    context: Context,
    request: Request,
    body: AuthZen<EvaluationRequest>,
) -> Result<Answer<EvaluationResponse>, ApiError> {
    let result = evaluate_one(&context, &request, body.fields).await;
    Answer::of(&request, result)
}

async fn evaluate_one(
    context: &Context,
    request: &Request,
    fields: Input<Map<String, Value>>,
) -> Result<EvaluationResponse, IamError> {
    let wanted = fields.and_then(|fields| read_evaluation(&fields, Asks::All));
    let wanted = wanted.map(|one| vec![Ok(one)]);
    let results = request.iam.evaluate(context, wanted, EvaluationsSemantic::ExecuteAll).await?;
    match results.into_iter().next() {
        Some(Err(error)) => Err(error),
        result => result.as_ref().map(decision).ok_or_else(|| IamError::internal(NoDecision)),
    }
}

async fn evaluations(
    context: Context,
    request: Request,
    body: AuthZen<EvaluationsRequest>,
) -> Result<Answer<EvaluationsResponse>, ApiError> {
    let fields = body.fields;
    let items = fields.as_ref().ok().and_then(|fields| fields.get("evaluations"));
    if items.is_none_or(|items| items.as_array().is_some_and(Vec::is_empty)) {
        let result = evaluate_one(&context, &request, fields).await;
        return Answer::of(&request, result.map(EvaluationsResponse::One));
    }
    let (wanted, semantic) = match fields.and_then(|fields| batch(&fields)) {
        Ok((requests, semantic)) => (Ok(requests), semantic),
        Err(error) => (Err(error), EvaluationsSemantic::ExecuteAll),
    };
    let results = request.iam.evaluate(&context, wanted, semantic).await;
    let evaluations = results.map(|results| results.iter().map(decision).collect());
    Answer::of(&request, evaluations.map(|evaluations| EvaluationsResponse::Many { evaluations }))
}

/// Builds the search result: the type that was searched, with each identifier that was found.
fn entities(of: Option<&Value>, ids: Vec<String>) -> EntitiesFound {
    let found = |id| EntityFound { r#type: of.cloned().unwrap_or_default(), id };
    EntitiesFound { results: ids.into_iter().map(found).collect() }
}

async fn search_subject(
    context: Context,
    request: Request,
    body: AuthZen<SubjectSearch>,
) -> Result<Answer<EntitiesFound>, ApiError> {
    let of = body.fields.as_ref().ok().and_then(|all| all.get("subject")?.get("type").cloned());
    let wanted = body.fields.and_then(|fields| read_evaluation(&fields, Asks::Subjects));
    let found = request.iam.search_subjects(&context, wanted).await;
    Answer::of(&request, found.map(|found| entities(of.as_ref(), found)))
}

async fn search_resource(
    context: Context,
    request: Request,
    body: AuthZen<ResourceSearch>,
) -> Result<Answer<EntitiesFound>, ApiError> {
    let of = body.fields.as_ref().ok().and_then(|all| all.get("resource")?.get("type").cloned());
    let wanted = body.fields.and_then(|fields| read_evaluation(&fields, Asks::Resources));
    let found = request.iam.search_resources(&context, wanted).await;
    Answer::of(&request, found.map(|found| entities(of.as_ref(), found)))
}

async fn search_action(
    context: Context,
    request: Request,
    body: AuthZen<ActionSearch>,
) -> Result<Answer<ActionsFound>, ApiError> {
    let wanted = body.fields.and_then(|fields| read_evaluation(&fields, Asks::Actions));
    let found = request.iam.search_actions(&context, wanted).await;
    Answer::of(&request, found.map(ActionsFound::of))
}

async fn configuration(request: Request) -> Result<Json<Configuration>, ApiError> {
    Ok(Json(Configuration::of(&request.iam.settings().public_url)))
}

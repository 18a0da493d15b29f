//! `/access/v1`: AuthZEN's Authorization API 1.0, for services that ask about others.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use gatewright_iam::{
    Context, Evaluation, EvaluationResult, Fault, IamError, Reason, SubjectKind, clock,
};
use serde_json::{Map, Value, json};

use crate::error::ApiError;
use crate::request::Request;
use crate::response::Response;

/// A request may ask so many requests.
const MOST: usize = 10_000;

/// A request is an object, and a denial is a decision: only what cannot be read is an error.
fn body(request: &Request) -> Result<Map<String, Value>, IamError> {
    let wrong = |message: &str| IamError::invalid(Fault::Input, message);
    let kind = request.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = kind.and_then(|text| text.split(';').next()).unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/json") {
        return Err(wrong("the Content-Type must be application/json"));
    }
    match serde_json::from_slice(&request.body) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(wrong("the body must be a JSON object")),
        Err(error) => Err(wrong(&format!("the body must be a JSON object: {error}"))),
    }
}

/// What a request must say.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asks {
    /// Everything.
    All,
    /// Everything but which subject.
    Subjects,
    /// Everything but which resource.
    Resources,
    /// Everything but the action.
    Actions,
}

/// Reads a request.
fn read_evaluation(fields: &Map<String, Value>, asks: Asks) -> Result<Evaluation, IamError> {
    let object = |name: &str| match fields.get(name) {
        Some(Value::Object(object)) => Ok(object),
        Some(_) => Err(invalid(format!("\"{name}\" must be an object"))),
        None => Err(invalid(format!("\"{name}\" is missing"))),
    };
    let text = |name: &str, field: &str, needed: bool| match object(name)?.get(field) {
        Some(Value::String(text)) => Ok(text.clone()),
        None if !needed => Ok(String::new()),
        Some(_) => Err(invalid(format!("\"{name}.{field}\" must be a text"))),
        None => Err(invalid(format!("\"{name}.{field}\" is missing"))),
    };
    for name in ["subject", "action", "resource"] {
        let properties = fields.get(name).and_then(|one| one.get("properties"));
        if properties.is_some_and(|one| !one.is_object()) {
            return Err(invalid(format!("\"{name}.properties\" must be an object")));
        }
    }
    let context = match fields.get("context") {
        None => None,
        Some(Value::Object(context)) => Some(context),
        Some(_) => return Err(invalid("\"context\" must be an object".to_owned())),
    };
    let said = |name: &str| context.and_then(|context| context.get(name)).and_then(Value::as_str);
    let ip = match said("ip") {
        None => None,
        Some(text) => Some(text.parse().map_err(|_| {
            invalid("\"context.ip\" must be an address, such as 203.0.113.7".to_owned())
        })?),
    };
    let at = match said("time") {
        None => None,
        Some(text) => Some(clock::parse(text).ok_or_else(|| {
            invalid("\"context.time\" must be such as 2027-12-31T23:59:59Z".to_owned())
        })?),
    };
    Ok(Evaluation {
        subject_kind: match text("subject", "type", true)?.as_str() {
            "service_account" => Some(SubjectKind::ServiceAccount),
            "user" => Some(SubjectKind::User),
            "group" => Some(SubjectKind::Group),
            "token" => Some(SubjectKind::Token),
            _ => None,
        },
        subject: text("subject", "id", asks != Asks::Subjects)?,
        action: if asks == Asks::Actions { String::new() } else { text("action", "name", true)? },
        resource_kind: text("resource", "type", true)?,
        resource: text("resource", "id", asks != Asks::Resources)?,
        owner: match fields.get("resource").and_then(|one| one.get("properties")?.get("account")) {
            None => None,
            Some(Value::String(account)) => Some(account.clone()),
            Some(_) => {
                return Err(invalid("\"resource.properties.account\" must be a text".to_owned()));
            }
        },
        properties: properties(fields),
        ip,
        at,
    })
}

/// What is said of the resource under its own names, of the subject and of the action with these
/// before. Lists and objects say nothing that a policy could ask for.
fn properties(fields: &Map<String, Value>) -> BTreeMap<String, String> {
    let mut tags = BTreeMap::new();
    for (name, before) in [("resource", ""), ("subject", "subject."), ("action", "action.")] {
        let said = fields.get(name).and_then(|one| one.get("properties")?.as_object());
        for (key, value) in said.into_iter().flatten() {
            let text = match value {
                Value::String(text) => text.clone(),
                Value::Bool(_) | Value::Number(_) => value.to_string(),
                _ => continue,
            };
            // Those of the server are its own.
            if !key.starts_with("ovh:") {
                tags.insert(format!("{before}{key}"), text);
            }
        }
    }
    tags
}

fn invalid(message: String) -> IamError {
    IamError::invalid(Fault::Input, message)
}

/// A response with what tells it from others; errors about what was sent are a message alone.
fn respond(request: &Request, response: Result<Value, IamError>) -> Result<Response, ApiError> {
    let response = match response {
        Ok(value) => Response::json(&value),
        Err(IamError::Invalid { message, .. }) => {
            Response::json_with(StatusCode::BAD_REQUEST, &message)
        }
        Err(error) => return Err(error.into()),
    };
    Ok(match request.header("x-request-id") {
        Some(id) => response.with("x-request-id", id),
        None => response,
    })
}

fn decision_of(response: &Result<EvaluationResult, IamError>) -> Value {
    let response = match response {
        Ok(response) => response,
        Err(error) => {
            let error = json!({"status": 400, "message": error.to_string()});
            return json!({"decision": false, "context": {"error": error}});
        }
    };
    let reason = match response.reason {
        Some(Reason::Root) => "the owner of the account may do everything",
        Some(Reason::Allowed | Reason::PassedOn) => "a policy allows it",
        Some(Reason::OutOfScope) => "the token is for something else",
        Some(Reason::WrongType) => "there is no such action on resources of this type",
        Some(Reason::Denied) => "a policy denies it",
        Some(Reason::NotAllowed) => "no policy allows it",
        None => "there is no such subject, action or resource to ask about",
    };
    let mut context = json!({ "reason": reason });
    if let (Some(policy), Some(context)) = (response.policy, context.as_object_mut()) {
        context.insert("policy".to_owned(), policy.to_string().into());
    }
    json!({"decision": response.allowed, "context": context})
}

pub(crate) async fn evaluation(context: Context, request: Request) -> Result<Response, ApiError> {
    let response = evaluate_one(&context, &request, body(&request)).await;
    respond(&request, response)
}

async fn evaluate_one(
    context: &Context,
    request: &Request,
    fields: Result<Map<String, Value>, IamError>,
) -> Result<Value, IamError> {
    let evaluations =
        fields.and_then(|fields| read_evaluation(&fields, Asks::All)).map(|one| vec![Ok(one)]);
    let answers = request.iam.evaluate(context, evaluations, None).await?;
    Ok(answers.first().map(decision_of).unwrap_or_default())
}

pub(crate) async fn evaluations(context: Context, request: Request) -> Result<Response, ApiError> {
    let fields = body(&request);
    let items = fields.as_ref().ok().and_then(|fields| fields.get("evaluations"));
    if items.is_none_or(|items| items.as_array().is_some_and(Vec::is_empty)) {
        let response = evaluate_one(&context, &request, fields).await;
        return respond(&request, response);
    }
    let (evaluations, last) = match fields.and_then(|fields| batch(&fields)) {
        Ok((requests, last)) => (Ok(requests), last),
        Err(error) => (Err(error), None),
    };
    let answers = request.iam.evaluate(&context, evaluations, last).await;
    let evaluations =
        answers.map(|answers| answers.iter().map(decision_of).collect::<Vec<Value>>());
    respond(&request, evaluations.map(|evaluations| json!({ "evaluations": evaluations })))
}

/// What is asked, and after which response no more is wanted.
type Batch = (Vec<Result<Evaluation, IamError>>, Option<bool>);

/// Reads many requests, of which each may be wrong by itself.
fn batch(fields: &Map<String, Value>) -> Result<Batch, IamError> {
    let items = match fields.get("evaluations") {
        Some(Value::Array(items)) if items.len() <= MOST => items,
        Some(Value::Array(_)) => {
            let message = format!("\"evaluations\" may hold {MOST} at most: split it");
            return Err(invalid(message));
        }
        _ => return Err(invalid("\"evaluations\" must be a list".to_owned())),
    };
    let semantic = fields.get("options").and_then(|one| one.get("evaluations_semantic"));
    let last = match semantic.map(|one| one.as_str().unwrap_or_default()) {
        None | Some("execute_all") => None,
        Some("deny_on_first_deny") => Some(false),
        Some("permit_on_first_permit") => Some(true),
        Some(_) => {
            let message = "\"options.evaluations_semantic\" is none of execute_all, \
                           deny_on_first_deny, permit_on_first_permit";
            return Err(invalid(message.to_owned()));
        }
    };
    let read = |item: &Value| {
        let Value::Object(item) = item else {
            return Err(invalid("an evaluation must be an object".to_owned()));
        };
        // What an item says takes the place of the whole default.
        let mut whole = Map::new();
        for name in ["subject", "action", "resource", "context"] {
            if let Some(value) = item.get(name).or_else(|| fields.get(name)) {
                whole.insert(name.to_owned(), value.clone());
            }
        }
        read_evaluation(&whole, Asks::All)
    };
    Ok((items.iter().map(read).collect(), last))
}

pub(crate) async fn search_subject(
    context: Context,
    request: Request,
) -> Result<Response, ApiError> {
    let fields = body(&request);
    let kind = fields.as_ref().ok().and_then(|fields| fields.get("subject")?.get("type").cloned());
    let evaluations = fields.and_then(|fields| read_evaluation(&fields, Asks::Subjects));
    let found = request.iam.search_subjects(&context, evaluations).await;
    let results = found.map(|found| {
        found.into_iter().map(|id| json!({"type": kind, "id": id})).collect::<Vec<_>>()
    });
    respond(&request, results.map(|results| json!({ "results": results })))
}

pub(crate) async fn search_resource(
    context: Context,
    request: Request,
) -> Result<Response, ApiError> {
    let fields = body(&request);
    let kind = fields.as_ref().ok().and_then(|fields| fields.get("resource")?.get("type").cloned());
    let evaluations = fields.and_then(|fields| read_evaluation(&fields, Asks::Resources));
    let found = request.iam.search_resources(&context, evaluations).await;
    let results = found.map(|found| {
        found.into_iter().map(|id| json!({"type": kind, "id": id})).collect::<Vec<_>>()
    });
    respond(&request, results.map(|results| json!({ "results": results })))
}

pub(crate) async fn search_action(
    context: Context,
    request: Request,
) -> Result<Response, ApiError> {
    let evaluations = body(&request).and_then(|fields| read_evaluation(&fields, Asks::Actions));
    let found = request.iam.search_actions(&context, evaluations).await;
    let results = found
        .map(|found| found.into_iter().map(|name| json!({ "name": name })).collect::<Vec<_>>());
    respond(&request, results.map(|results| json!({ "results": results })))
}

pub(crate) async fn configuration(request: Request) -> Result<Response, ApiError> {
    let url = &request.iam.settings().public_url;
    Ok(Response::json(&json!({
        "policy_decision_point": url,
        "access_evaluation_endpoint": format!("{url}/access/v1/evaluation"),
        "access_evaluations_endpoint": format!("{url}/access/v1/evaluations"),
        "search_subject_endpoint": format!("{url}/access/v1/search/subject"),
        "search_resource_endpoint": format!("{url}/access/v1/search/resource"),
        "search_action_endpoint": format!("{url}/access/v1/search/action"),
    })))
}

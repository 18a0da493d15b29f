//! Describes the errors of an operation: each possible status, with its body.

use axum::http::StatusCode;
use gatewright_iam::RequestClass;
use serde_json::{Value, json};

use crate::endpoint::{Function, Handler};
use crate::operation::{Errors, Operation};
use crate::schema::Components;
use crate::wire::{ErrorBody, OAuth2Error};

type Responses = Vec<(StatusCode, Value)>;

const UNKNOWN_CLIENT: &str = "the client does not exist or its secret is wrong";

/// Describes the errors of an operation.
pub(super) fn describe(operation: &Operation, components: &mut Components) -> Responses {
    let api = components.one::<ErrorBody>();
    let declared = &operation.declared;
    if matches!(operation.handler, Handler::Proxy(_)) {
        return proxy(&api);
    }
    let mut errors: Responses = match declared.errors {
        Errors::Api => vec![(StatusCode::BAD_REQUEST, api_error(&api, StatusCode::BAD_REQUEST))],
        Errors::OAuth2 => {
            let own = components.one::<OAuth2Error>();
            let mut errors = oauth2(&own, &api);
            if operation.request_body.is_some() {
                errors.push(wrong_credentials(&own));
            }
            errors
        }
        Errors::AuthZen => {
            let body = json!({"anyOf": [{"type": "string"}, api]});
            let example = json!("\"subject\" is missing");
            vec![(StatusCode::BAD_REQUEST, response("The request is invalid.", &body, &example))]
        }
    };
    if matches!(operation.handler, Handler::Function(Function::Authenticated(_))) {
        errors.push((StatusCode::UNAUTHORIZED, api_error(&api, StatusCode::UNAUTHORIZED)));
    }
    let mut possible = Vec::new();
    if !declared.requires.is_empty() {
        possible.push(StatusCode::FORBIDDEN);
    }
    if declared.finds_an_object() {
        possible.push(StatusCode::NOT_FOUND);
    }
    possible.push(StatusCode::REQUEST_TIMEOUT);
    if declared.conflicts || declared.is_creation() {
        possible.push(StatusCode::CONFLICT);
    }
    if declared.is_creation() {
        possible.push(StatusCode::UNPROCESSABLE_ENTITY);
    }
    if declared.is_conditional() {
        possible.push(StatusCode::PRECONDITION_FAILED);
    }
    if declared.class() != RequestClass::Revocations {
        possible.push(StatusCode::TOO_MANY_REQUESTS);
    }
    possible.extend([
        StatusCode::PAYLOAD_TOO_LARGE,
        StatusCode::INTERNAL_SERVER_ERROR,
        StatusCode::SERVICE_UNAVAILABLE,
    ]);
    for status in possible {
        if !errors.iter().any(|(there, _)| *there == status) {
            errors.push((status, api_error(&api, status)));
        }
    }
    errors.sort_by_key(|(status, _)| *status);
    errors
}

fn proxy(api: &Value) -> Responses {
    let all = [
        StatusCode::BAD_REQUEST,
        StatusCode::UNAUTHORIZED,
        StatusCode::FORBIDDEN,
        StatusCode::TOO_MANY_REQUESTS,
        StatusCode::INTERNAL_SERVER_ERROR,
        StatusCode::SERVICE_UNAVAILABLE,
    ];
    all.into_iter().map(|status| (status, api_error(api, status))).collect()
}

/// Describes OAuth2 errors (RFC 6749, section 5.2). A request that is refused before its form is
/// read has the body of the other operations.
fn oauth2(oauth2: &Value, api: &Value) -> Responses {
    let body = json!({"anyOf": [oauth2, api]});
    let failed = "The server failed";
    let unavailable = "The server cannot reach its database: try again";
    let limited = "Too many requests: try again in 2 s";
    vec![
        (
            StatusCode::TOO_MANY_REQUESTS,
            response("too many requests", &body, &oauth2_error("temporarily_unavailable", limited)),
        ),
        (
            StatusCode::BAD_REQUEST,
            response(
                "The request is invalid, or the client credentials in its body are.",
                &body,
                &oauth2_error("invalid_client", UNKNOWN_CLIENT),
            ),
        ),
        (
            StatusCode::INTERNAL_SERVER_ERROR,
            response(
                "The server failed; the cause is in its log.",
                &body,
                &oauth2_error("server_error", failed),
            ),
        ),
        (
            StatusCode::SERVICE_UNAVAILABLE,
            response(
                "The server is temporarily unavailable; retry.",
                &body,
                &oauth2_error("temporarily_unavailable", unavailable),
            ),
        ),
    ]
}

/// Describes the error of wrong credentials in the header.
fn wrong_credentials(oauth2: &Value) -> (StatusCode, Value) {
    let example = oauth2_error("invalid_client", UNKNOWN_CLIENT);
    let description = "The client credentials in the header are invalid.";
    (StatusCode::UNAUTHORIZED, response(description, oauth2, &example))
}

fn oauth2_error(error: &str, description: &str) -> Value {
    json!({"error": error, "error_description": description})
}

fn response(description: &str, schema: &Value, example: &Value) -> Value {
    json!({
        "description": description,
        "content": {"application/json": {"schema": schema, "example": example}},
    })
}

/// Describes an error in the format of versions 1 and 2.
fn api_error(body: &Value, status: StatusCode) -> Value {
    let error = |class: &str, message: &str| json!({"class": class, "message": message});
    let (description, example) = match status {
        StatusCode::BAD_REQUEST => (
            "The input or a header is invalid.",
            error(
                "Client::BadRequest::INVALID_FORMAT",
                "\"name\": invalid type: integer \"7\", expected a string",
            ),
        ),
        StatusCode::UNAUTHORIZED => (
            "The credential is missing, invalid, expired or revoked.",
            json!({
                "class": "Client::Unauthorized",
                "message": "You must login first",
                "errorCode": "NOT_CREDENTIAL",
                "httpCode": "401 Unauthorized",
            }),
        ),
        StatusCode::FORBIDDEN => (
            "A required action is not allowed, or the object is built in.",
            json!({
                "class": "Client::Forbidden",
                "message": "User not granted for this request",
                "errorCode": "FORBIDDEN",
                "httpCode": "403 Forbidden",
                "details": {
                    "unauthorizedActionsByIAM": "account:apiovh:me/get",
                    "unauthorizedActionsByAuthentication": "",
                },
            }),
        ),
        StatusCode::NOT_FOUND => (
            "The object does not exist.",
            error("Client::NotFound", "The requested object does not exist"),
        ),
        StatusCode::REQUEST_TIMEOUT => (
            "The body was not received in time.",
            error("Client::RequestTimeout", "The body did not arrive in time"),
        ),
        StatusCode::CONFLICT => (
            "The name or the identifier is in use.",
            error(
                "Client::Conflict::POLICY_ALREADY_EXISTS",
                "another policy of the account has this name: choose another",
            ),
        ),
        StatusCode::UNPROCESSABLE_ENTITY => (
            "the idempotency key was used for another request",
            error(
                "Client::UnprocessableEntity::IdempotencyKeyReused",
                "this Idempotency-Key was used for another request: take a new one",
            ),
        ),
        StatusCode::PRECONDITION_FAILED => (
            "the object has changed (If-Match)",
            error(
                "Client::PreconditionFailed",
                "The object has changed since it was read: read it again",
            ),
        ),
        StatusCode::PAYLOAD_TOO_LARGE => (
            "The body is too large.",
            error("Client::PayloadTooLarge", "The body must have at most 2097152 bytes"),
        ),
        StatusCode::TOO_MANY_REQUESTS => (
            "too many requests",
            error("Client::TooManyRequests", "Too many requests: try again in 2 s"),
        ),
        StatusCode::SERVICE_UNAVAILABLE => (
            "The server is temporarily unavailable; retry.",
            error("Server::ServiceUnavailable", "The server cannot reach its database: try again"),
        ),
        _ => (
            "The server failed; the cause is in its log.",
            error("Server::InternalServerError", "The server failed"),
        ),
    };
    response(description, body, &example)
}

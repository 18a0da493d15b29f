//! Error responses with OVHcloud's two sets of fields: `class` and `message`, `errorCode` and
//! `httpCode`.

use std::error::Error;

use axum::http::StatusCode;
use gatewright_iam::{BodyFailure, CauseChain, Fault, IamError, QueryId, TokenError};
use serde_json::{Value, json};

use crate::rate_limit::rate_limit_headers;
use crate::response::Response;

/// An error response.
#[derive(Debug)]
pub(crate) struct ApiError(Box<Parts>);

#[derive(Debug)]
struct Parts {
    status: StatusCode,
    body: Value,
    /// The cause, for the log only; never sent to the caller.
    cause: Option<String>,
    /// Additional headers of the response.
    headers: Vec<(&'static str, String)>,
    /// True if the response must not be stored in caches.
    no_store: bool,
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, class: &str, message: impl Into<String>) -> Self {
        let body = json!({"class": class, "message": message.into()});
        Self(Box::new(Parts { status, body, cause: None, headers: Vec::new(), no_store: false }))
    }

    /// Adds `errorCode` and `httpCode`, by which some clients choose an exception.
    fn coded(mut self, code: &str) -> Self {
        if let Some(body) = self.0.body.as_object_mut() {
            body.insert("errorCode".to_owned(), code.into());
            body.insert("httpCode".to_owned(), self.0.status.to_string().into());
        }
        self
    }

    fn with_details(mut self, details: Value) -> Self {
        if let Some(body) = self.0.body.as_object_mut() {
            body.insert("details".to_owned(), details);
        }
        self
    }

    fn with_cause(mut self, cause: &(dyn Error + 'static)) -> Self {
        self.0.cause = Some(CauseChain(cause).to_string());
        self
    }

    pub(crate) fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.0.headers.push((name, value.into()));
        self
    }

    pub(crate) fn no_route() -> Self {
        Self::new(StatusCode::NOT_FOUND, "Client::NotFound", "Got an invalid (or empty) URL")
    }

    pub(crate) fn wrong_method(allowed: &str) -> Self {
        let message = format!("This URL takes {allowed} only");
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "Client::MethodNotAllowed", message)
            .with_header("allow", allowed)
    }

    pub(crate) fn too_large(most: usize) -> Self {
        let message = format!("The body must have at most {most} bytes");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "Client::PayloadTooLarge", message)
    }

    /// Creates the error of a body that could not be received whole.
    pub(crate) fn incomplete_body(error: &(dyn Error + 'static)) -> Self {
        match BodyFailure::of(error) {
            BodyFailure::TooSlow => {
                let message = "The body did not arrive in time";
                Self::new(StatusCode::REQUEST_TIMEOUT, "Client::RequestTimeout", message)
            }
            BodyFailure::NoMemory => {
                let message = "The server receives too much at the moment: try again";
                let status = StatusCode::SERVICE_UNAVAILABLE;
                Self::new(status, "Server::ServiceUnavailable", message)
                    .with_cause(error)
                    .with_header("retry-after", BodyFailure::RETRY_AFTER.to_string())
            }
            BodyFailure::CutShort => {
                let message = "The body did not arrive whole";
                Self::new(StatusCode::BAD_REQUEST, "Client::BadRequest", message)
            }
        }
    }

    /// Creates an error of an OAuth2 endpoint (RFC 6749, section 5.2).
    pub(crate) fn oauth2(status: StatusCode, error: &str, description: &str) -> Self {
        let body = json!({"error": error, "error_description": description});
        Self(Box::new(Parts { status, body, cause: None, headers: Vec::new(), no_store: false }))
    }

    /// Creates the error of a form with a missing or invalid field (RFC 6749, section 5.2).
    pub(crate) fn invalid_request(description: &str) -> Self {
        Self::oauth2(StatusCode::BAD_REQUEST, "invalid_request", description)
    }

    /// Forbids caching the response.
    pub(crate) fn no_store(mut self) -> Self {
        self.0.no_store = true;
        self
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.0.status
    }

    pub(crate) fn body(&self) -> &Value {
        &self.0.body
    }

    /// Returns the additional headers of the response.
    pub(crate) fn headers(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.headers.iter().map(|(name, value)| (*name, value.as_str()))
    }

    /// Tells the client when to try again, if the error says so.
    fn with_retry_after(self, error: &IamError) -> Self {
        let told = match error.retry_after() {
            Some(seconds) => self.with_header("retry-after", seconds.to_string()),
            None => self,
        };
        match error {
            IamError::RateLimited(limit) => {
                let [policy, state] = rate_limit_headers(limit);
                told.with_header(policy.0, policy.1).with_header(state.0, state.1)
            }
            _ => told,
        }
    }

    /// Logs the error if it is the server's fault.
    pub(crate) fn log(&self, query_id: QueryId) {
        let Parts { status, cause, .. } = &*self.0;
        if status.is_server_error() {
            tracing::error!(%query_id, %status, cause, "failed");
        }
    }

    /// Logs the error and converts it into a response.
    pub(crate) fn into_response(self, query_id: QueryId) -> Response {
        self.log(query_id);
        self.into_unlogged_response()
    }

    /// Builds the response of an error that is logged already.
    pub(crate) fn into_unlogged_response(self) -> Response {
        let Parts { status, body, headers, no_store, .. } = *self.0;
        let response = Response::with_text(status, body.to_string());
        let response =
            headers.iter().fold(response, |response, (name, value)| response.with(*name, value));
        if no_store { response.no_store() } else { response }
    }
}

impl From<IamError> for ApiError {
    fn from(error: IamError) -> Self {
        let message = error.to_string();
        match error {
            IamError::NoCredentials => {
                Self::new(StatusCode::UNAUTHORIZED, "Client::Unauthorized", message)
                    .coded("NOT_CREDENTIAL")
                    .with_header("www-authenticate", "Bearer")
            }
            IamError::BadCredential => {
                Self::new(StatusCode::UNAUTHORIZED, "Client::Unauthorized", message)
                    .coded("INVALID_CREDENTIAL")
                    .with_header("www-authenticate", "Bearer error=\"invalid_token\"")
            }
            IamError::Forbidden { by_policy, by_scope } => {
                Self::new(StatusCode::FORBIDDEN, "Client::Forbidden", message)
                    .coded("FORBIDDEN")
                    .with_details(json!({
                        "unauthorizedActionsByIAM": by_policy.join(","),
                        "unauthorizedActionsByAuthentication": by_scope.join(","),
                    }))
            }
            // A request with a token cannot re-authenticate: there is nobody to ask.
            IamError::ReadOnly(_) | IamError::Refused(_) | IamError::ReauthenticationRequired => {
                Self::new(StatusCode::FORBIDDEN, "Client::Forbidden", message).coded("FORBIDDEN")
            }
            IamError::Invalid { fault, .. } => {
                let class = match fault {
                    Fault::Input => "Client::BadRequest",
                    Fault::Format => "Client::BadRequest::INVALID_FORMAT",
                    Fault::Parameter => "Client::BadRequest::INVALID_PARAMETER",
                    Fault::Missing => "Client::BadRequest::MISSING_PARAMETER",
                    Fault::TooLong => "Client::BadRequest::PARAMETER_TOO_LONG",
                    Fault::ResourceUrn => "Client::BadRequest::INVALID_RESOURCE_URN",
                };
                Self::new(StatusCode::BAD_REQUEST, class, message)
            }
            IamError::TooLarge(_) => {
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, "Client::PayloadTooLarge", message)
            }
            IamError::NotFound => Self::new(StatusCode::NOT_FOUND, "Client::NotFound", message),
            IamError::KeyInUse => {
                let class = "Client::Conflict::IdempotencyKeyInUse";
                Self::new(StatusCode::CONFLICT, class, message)
            }
            IamError::KeyReused => {
                let class = "Client::UnprocessableEntity::IdempotencyKeyReused";
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, class, message)
            }
            IamError::PreconditionFailed(_) => {
                Self::new(StatusCode::PRECONDITION_FAILED, "Client::PreconditionFailed", message)
            }
            IamError::Conflict { detail, .. } => {
                Self::new(StatusCode::CONFLICT, &format!("Client::Conflict::{detail}"), message)
            }
            IamError::RateLimited(_) => {
                Self::new(StatusCode::TOO_MANY_REQUESTS, "Client::TooManyRequests", message)
                    .with_retry_after(&error)
            }
            IamError::Busy { .. } => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "Server::ServiceUnavailable", message)
                    .with_cause(&error)
                    .with_retry_after(&error)
            }
            IamError::Unavailable(ref cause) => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "Server::ServiceUnavailable", message)
                    .with_cause(cause)
                    .with_retry_after(&error)
            }
            IamError::Internal(cause) => {
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "Server::InternalServerError", message)
                    .with_cause(&*cause)
            }
        }
    }
}

impl From<serde_json::Error> for ApiError {
    fn from(error: serde_json::Error) -> Self {
        IamError::from(error).into()
    }
}

impl From<TokenError> for ApiError {
    fn from(error: TokenError) -> Self {
        let bad = |code| Self::oauth2(StatusCode::BAD_REQUEST, code, &error.to_string());
        match &error {
            TokenError::InvalidClient => bad("invalid_client"),
            TokenError::InvalidScope => bad("invalid_scope"),
            TokenError::InvalidTarget | TokenError::TooManyRoles => bad("invalid_target"),
            TokenError::UnauthorizedClient(_) => bad("unauthorized_client"),
            TokenError::Failed(cause @ (IamError::Unavailable(_) | IamError::Busy { .. })) => {
                let status = StatusCode::SERVICE_UNAVAILABLE;
                Self::oauth2(status, "temporarily_unavailable", &cause.to_string())
                    .with_cause(cause)
                    .with_retry_after(cause)
            }
            TokenError::Failed(cause @ IamError::RateLimited(_)) => {
                let status = StatusCode::TOO_MANY_REQUESTS;
                Self::oauth2(status, "temporarily_unavailable", &cause.to_string())
                    .with_retry_after(cause)
            }
            TokenError::Failed(cause) => {
                let status = StatusCode::INTERNAL_SERVER_ERROR;
                Self::oauth2(status, "server_error", &cause.to_string()).with_cause(cause)
            }
        }
    }
}

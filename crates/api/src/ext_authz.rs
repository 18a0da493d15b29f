//! Envoy's external authorization (`ext_authz`) over gRPC: decides whether Envoy may forward a
//! request to a guarded API.
//!
//! An Envoy route names the guarded API in the context extension `api`.

mod messages;
mod service;

use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use gatewright_iam::{Iam, IamError, QueryId, Refusal};
use tonic::Code;
use tonic::service::Routes;
use tracing::field::Empty;
use tracing::{Instrument, Span};

use crate::error::ApiError;
use crate::original_request::{OriginalRequest, authorize, missing_actions};
use crate::panics::catch_panic;
use crate::response::REVISION;
use messages::{
    CheckRequest, CheckResponse, DeniedHttpResponse, HeaderAppendAction,
    HeaderValue as EnvoyHeader, HeaderValueOption, HttpRequest, HttpResponse, HttpStatus,
    OkHttpResponse, RpcStatus,
};
use service::{Authorization, PATH};

/// The authorization service that Envoy calls.
struct Checks {
    iam: Arc<Iam>,
}

/// Returns the router of the gRPC service that Envoy calls.
pub fn ext_authz(iam: Arc<Iam>) -> Router {
    let checks = Arc::new(Checks { iam });
    let service = Authorization::new(move |request| {
        let checks = Arc::clone(&checks);
        Box::pin(async move { checks.check(request).await })
    });
    Routes::new(service).into_axum_router()
}

impl Checks {
    async fn check(&self, request: CheckRequest) -> CheckResponse {
        let attributes = request.attributes.unwrap_or_default();
        let socket = attributes.source.and_then(|source| source.address?.socket_address);
        let ip = socket.and_then(|socket| socket.address.parse::<IpAddr>().ok());
        let http = attributes.request.and_then(|request| request.http).unwrap_or_default();
        let api = attributes.context_extensions.get("api").map_or("", String::as_str);
        let (ip, query_id) = (ip.map(|ip| ip.to_canonical()), self.iam.new_query_id());
        let answer = async {
            match self.authorize(&http, api, (ip, query_id)).await {
                Ok(identity) => {
                    allowed(&identity).unwrap_or_else(|error| denied(error.into(), query_id))
                }
                Err(refusal) => denied(refusal, query_id),
            }
        };
        let answer = pin!(answer.instrument(span(query_id)));
        catch_panic(query_id, answer).await.unwrap_or_else(|error| {
            let error = ApiError::from(IamError::internal(error));
            denial(Code::Unavailable, &error, Vec::new())
        })
    }

    async fn authorize(
        &self,
        http: &HttpRequest,
        api: &str,
        (ip, query_id): (Option<IpAddr>, QueryId),
    ) -> Result<HeaderMap, Refusal> {
        let headers = headers(http)
            .ok_or_else(|| IamError::Refused("the request has a header that is none".to_owned()))?;
        let original = OriginalRequest {
            api,
            method: &http.method,
            target: &http.path,
            headers: &headers,
            set: &[],
            ip,
            query_id,
            now: self.iam.now(),
        };
        authorize(&self.iam, &original).await
    }
}

/// Opens the span of a request, for debugging only, as for all that are answered from memory.
fn span(query_id: QueryId) -> Span {
    let operation = format_args!("POST {PATH}");
    tracing::debug_span!("request", %query_id, account = Empty, %operation)
}

/// Reads the client's headers; none if one of them is invalid. Envoy sends them in one of two
/// fields, with HTTP/2's pseudo-headers (which begin with a colon) among them.
fn headers(http: &HttpRequest) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    let mut add = |name: &str, value: &[u8]| {
        if !name.starts_with(':') {
            let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
            headers.append(name, HeaderValue::from_bytes(value).ok()?);
        }
        Some(())
    };
    for (name, value) in &http.headers {
        add(name, value.as_bytes())?;
    }
    for header in http.header_map.iter().flat_map(|map| &map.headers) {
        let raw = if header.raw_value.is_empty() {
            header.value.as_bytes()
        } else {
            header.raw_value.as_slice()
        };
        add(&header.key, raw)?;
    }
    Some(headers)
}

fn header(name: &str, value: String) -> HeaderValueOption {
    HeaderValueOption {
        header: Some(EnvoyHeader { key: name.to_owned(), value, ..EnvoyHeader::default() }),
        append_action: HeaderAppendAction::OverwriteIfExistsOrAdd.into(),
    }
}

/// Builds the response to an allowed request. A header with the caller's identity that is empty is
/// removed, so that a client does not set it.
fn allowed(identity: &HeaderMap) -> Result<CheckResponse, IamError> {
    let mut ok = OkHttpResponse::default();
    for (name, value) in identity {
        match value.to_str().map_err(IamError::internal)? {
            "" => ok.headers_to_remove.push(name.as_str().to_owned()),
            text => ok.headers.push(header(name.as_str(), text.to_owned())),
        }
    }
    Ok(response(Code::Ok, HttpResponse::Ok(ok)))
}

fn denied(Refusal { error, revision }: Refusal, query_id: QueryId) -> CheckResponse {
    let missing = missing_actions(&error).map(|list| list.join(","));
    let message = error.to_string();
    let error = ApiError::from(error);
    error.log(query_id);
    let status = error.status();
    let mut headers = Vec::new();
    headers.extend(error.headers().map(|(name, value)| header(name, value.to_owned())));
    if status == StatusCode::FORBIDDEN {
        headers.push(header("x-gatewright-missing", missing.unwrap_or_default()));
        headers.push(header("x-gatewright-reason", message));
        headers.extend(revision.map(|at| header(REVISION.as_str(), at.to_string())));
    }
    let code = match status {
        StatusCode::UNAUTHORIZED => Code::Unauthenticated,
        StatusCode::FORBIDDEN => Code::PermissionDenied,
        StatusCode::TOO_MANY_REQUESTS => Code::ResourceExhausted,
        _ => Code::Unavailable,
    };
    denial(code, &error, headers)
}

fn denial(code: Code, error: &ApiError, mut headers: Vec<HeaderValueOption>) -> CheckResponse {
    headers.push(header("content-type", "application/json".to_owned()));
    let denied = DeniedHttpResponse {
        status: Some(HttpStatus { code: i32::from(error.status().as_u16()) }),
        headers,
        body: error.body().to_string(),
    };
    response(code, HttpResponse::Denied(denied))
}

fn response(code: Code, response: HttpResponse) -> CheckResponse {
    CheckResponse { status: Some(RpcStatus { code: code.into() }), http_response: Some(response) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_whose_caller_cannot_be_told_is_not_allowed() {
        let mut identity = HeaderMap::new();
        identity.insert("x-gatewright-token", HeaderValue::from_static(""));
        assert!(allowed(&identity).is_ok());
        let name = HeaderValue::from_bytes("jané".as_bytes()).unwrap();
        identity.insert("x-gatewright-identity", name);
        assert!(allowed(&identity).is_err());
    }
}

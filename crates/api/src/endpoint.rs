//! Handlers with any types of body and response, behind one type.

use std::pin::Pin;

use bytes::Bytes;
use futures_util::FutureExt;
use gatewright_iam::Context;
use serde_json::Value;

use crate::body::RequestBody;
use crate::error::ApiError;
use crate::proxy_protocol::ProxyProtocol;
use crate::request::Request;
use crate::respond::{Described, Respond};
use crate::response::Response;
use crate::schema::Components;

/// The future of a handler's response.
pub(crate) type ResponseFuture = Pin<Box<dyn Future<Output = Result<Response, ApiError>> + Send>>;

/// The description of a request body.
#[derive(Clone, Copy)]
pub(crate) struct BodyDescription {
    /// Describes the body: its media types, each with its schema.
    pub(crate) describe: fn(&mut Components) -> Vec<(&'static str, Value)>,
    /// Checks that an example of the body is valid.
    #[cfg(test)]
    pub(crate) check: fn(&Value) -> Result<(), String>,
}

impl BodyDescription {
    fn of<B: RequestBody>() -> Self {
        Self {
            describe: B::describe,
            #[cfg(test)]
            check: B::check,
        }
    }
}

/// The function that describes a handler's response.
pub(crate) type ResponseDescription = fn(&mut Components) -> Described;

/// A handler that needs no authentication.
pub(crate) type Public = dyn Fn(Request, Bytes) -> ResponseFuture + Send + Sync;
/// A handler that requires an authenticated caller.
pub(crate) type Authenticated = dyn Fn(Context, Request, Bytes) -> ResponseFuture + Send + Sync;

/// The handler of an operation.
pub(crate) enum Handler {
    /// A function, for API clients.
    Function(Function),
    /// A proxy that requests the authorization of a forwarded request.
    Proxy(ProxyProtocol),
}

/// A function that handles an operation.
pub(crate) enum Function {
    /// Needs no authentication; the handler authenticates the caller itself where it must.
    Public(Box<Public>),
    /// Requires an authenticated caller.
    Authenticated(Box<Authenticated>),
}

/// A function that can be a handler: it takes a request, before it a context if the caller must be
/// authenticated, after it a body if there is one.
pub(crate) trait Endpoint<Arguments> {
    /// Converts the function into a handler.
    fn into_handler(self) -> Handler;

    /// Returns the description of the request body, if it takes one.
    fn request_body() -> Option<BodyDescription>;

    /// Returns the description of the response.
    fn response() -> ResponseDescription;
}

impl<F, Out, R> Endpoint<(Request,)> for F
where
    F: Fn(Request) -> Out + Send + Sync + 'static,
    Out: Future<Output = Result<R, ApiError>> + Send + 'static,
    R: Respond,
{
    fn into_handler(self) -> Handler {
        Handler::Function(Function::Public(Box::new(move |request, _| respond(self(request)))))
    }

    fn request_body() -> Option<BodyDescription> {
        None
    }

    fn response() -> ResponseDescription {
        R::describe
    }
}

impl<F, Out, R, B> Endpoint<(Request, B)> for F
where
    F: Fn(Request, B) -> Out + Send + Sync + 'static,
    Out: Future<Output = Result<R, ApiError>> + Send + 'static,
    R: Respond,
    B: RequestBody,
{
    fn into_handler(self) -> Handler {
        let reader = B::reader();
        Handler::Function(Function::Public(Box::new(move |request, body| {
            let body = B::read(&reader, &request, body);
            respond(self(request, body))
        })))
    }

    fn request_body() -> Option<BodyDescription> {
        Some(BodyDescription::of::<B>())
    }

    fn response() -> ResponseDescription {
        R::describe
    }
}

impl<F, Out, R> Endpoint<(Context, Request)> for F
where
    F: Fn(Context, Request) -> Out + Send + Sync + 'static,
    Out: Future<Output = Result<R, ApiError>> + Send + 'static,
    R: Respond,
{
    fn into_handler(self) -> Handler {
        Handler::Function(Function::Authenticated(Box::new(move |context, request, _| {
            respond(self(context, request))
        })))
    }

    fn request_body() -> Option<BodyDescription> {
        None
    }

    fn response() -> ResponseDescription {
        R::describe
    }
}

impl<F, Out, R, B> Endpoint<(Context, Request, B)> for F
where
    F: Fn(Context, Request, B) -> Out + Send + Sync + 'static,
    Out: Future<Output = Result<R, ApiError>> + Send + 'static,
    R: Respond,
    B: RequestBody,
{
    fn into_handler(self) -> Handler {
        let reader = B::reader();
        Handler::Function(Function::Authenticated(Box::new(move |context, request, body| {
            let body = B::read(&reader, &request, body);
            respond(self(context, request, body))
        })))
    }

    fn request_body() -> Option<BodyDescription> {
        Some(BodyDescription::of::<B>())
    }

    fn response() -> ResponseDescription {
        R::describe
    }
}

/// The maximum size of a handler's future, in bytes. Each request allocates it and moves it there.
const MAX_FUTURE: usize = 4096;

fn respond<R: Respond, F: Future<Output = Result<R, ApiError>> + Send + 'static>(
    handling: F,
) -> ResponseFuture {
    const { assert!(size_of::<F>() <= MAX_FUTURE, "box what the handler seldom awaits") }
    // An async block would hold the future twice: as a capture, and where it is polled.
    Box::pin(handling.map(|handled| handled?.respond()))
}

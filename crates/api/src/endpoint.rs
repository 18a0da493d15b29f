//! Handlers of any types of body and response, behind one type.

use std::pin::Pin;

use bytes::Bytes;
use gatewright_iam::Context;
use serde_json::Value;

use crate::body::RequestBody;
use crate::error::ApiError;
use crate::proxy_protocol::ProxyProtocol;
use crate::request::Request;
use crate::respond::{Described, Respond};
use crate::response::Response;
use crate::schema::Components;

/// The response of a handler, once it is there.
pub(crate) type ResponseFuture = Pin<Box<dyn Future<Output = Result<Response, ApiError>> + Send>>;

/// The body that a handler takes.
#[derive(Clone, Copy)]
pub(crate) struct BodyDescription {
    /// Describes it.
    pub(crate) describe: fn(&mut Components) -> Vec<(&'static str, Value)>,
    /// Tells what is wrong with an example of it.
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

/// Describes the response that a handler gives.
pub(crate) type ResponseDescription = fn(&mut Components) -> Described;

/// A handler that anybody may call.
pub(crate) type Public = dyn Fn(Request, Bytes) -> ResponseFuture + Send + Sync;
/// A handler that only who is authenticated may call.
pub(crate) type Authenticated = dyn Fn(Context, Request, Bytes) -> ResponseFuture + Send + Sync;

/// The handler of an operation.
pub(crate) enum Handler {
    /// A function: a program calls.
    Function(Function),
    /// A proxy calls, and asks about the request of somebody else.
    Proxy(ProxyProtocol),
}

/// A function that answers an operation.
pub(crate) enum Function {
    /// Anybody may call; the handler finds out who it is, if it must.
    Public(Box<Public>),
    /// Only who is authenticated may call.
    Authenticated(Box<Authenticated>),
}

/// A function that handles an operation: of a request, where it is authenticated with a context
/// before it, and where it takes a body with that behind it.
pub(crate) trait Endpoint<Arguments> {
    /// Makes a handler of it.
    fn into_handler(self) -> Handler;

    /// Gives the description of the body that it takes.
    fn request_body() -> Option<BodyDescription>;

    /// Gives the description of the response that it gives.
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
        Handler::Function(Function::Public(Box::new(move |request, body| {
            let body = B::read(&request, body);
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
        Handler::Function(Function::Authenticated(Box::new(move |context, request, body| {
            let body = B::read(&request, body);
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

fn respond<R: Respond>(
    handling: impl Future<Output = Result<R, ApiError>> + Send + 'static,
) -> ResponseFuture {
    Box::pin(async move { handling.await?.respond() })
}

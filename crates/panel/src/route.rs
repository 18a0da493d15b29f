//! Routes: method, path, access and handler of each page and form.

use std::pin::Pin;
use std::sync::Arc;

use axum::http::Method;
use gatewright_iam::RequestClass;

use crate::request::RequestContext;
use crate::response::HandlerResult;

/// Access to a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Open to everybody.
    Public,
    /// Open to everybody with a session; all others are redirected to the sign-in page. The use cases
    /// decide what they may do there.
    SignedIn,
    /// The same, and who must set up a second factor before anything else.
    Enrolling,
}

/// Route of a page, or of a form.
#[derive(Clone)]
pub struct Route {
    method: Method,
    path: &'static str,
    access: Access,
    class: RequestClass,
    handler: Handler,
}

type Handler = Arc<dyn Fn(Arc<RequestContext>) -> HandlerFuture + Send + Sync>;
type HandlerFuture = Pin<Box<dyn Future<Output = HandlerResult> + Send>>;

impl Route {
    /// Declares a page, which is read with GET and changes nothing.
    pub(crate) fn page<F, A>(path: &'static str, handler: F) -> Self
    where
        F: Fn(Arc<RequestContext>) -> A + Send + Sync + 'static,
        A: Future<Output = HandlerResult> + Send + 'static,
    {
        Self::new(Method::GET, path, RequestClass::Reads, handler)
    }

    /// Declares a form, which is submitted with POST and a CSRF token.
    pub(crate) fn form<F, A>(path: &'static str, handler: F) -> Self
    where
        F: Fn(Arc<RequestContext>) -> A + Send + Sync + 'static,
        A: Future<Output = HandlerResult> + Send + 'static,
    {
        Self::new(Method::POST, path, RequestClass::Writes, handler)
    }

    fn new<F, A>(method: Method, path: &'static str, class: RequestClass, handler: F) -> Self
    where
        F: Fn(Arc<RequestContext>) -> A + Send + Sync + 'static,
        A: Future<Output = HandlerResult> + Send + 'static,
    {
        let handler: Handler = Arc::new(move |request| Box::pin(handler(request)));
        Self { method, path, access: Access::SignedIn, class, handler }
    }

    /// Makes the route public.
    pub(crate) fn public(self) -> Self {
        Self { access: Access::Public, ..self }
    }

    /// Opens the route to those who must set up a second factor before anything else.
    pub(crate) fn enrolling(self) -> Self {
        Self { access: Access::Enrolling, ..self }
    }

    /// Declares that the form ends something, and so is never refused for the rate of requests.
    pub(crate) fn revokes(self) -> Self {
        Self { class: RequestClass::Revocations, ..self }
    }

    /// Returns the method: GET for a page, POST for a form.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// Returns the path, with its parameters in braces: `/users/{login}`.
    pub fn path(&self) -> &'static str {
        self.path
    }

    /// Returns the class of the requests, whose rate is limited.
    pub(crate) fn class(&self) -> RequestClass {
        self.class
    }

    /// Returns who may request the route.
    pub fn access(&self) -> Access {
        self.access
    }

    /// Calls the handler.
    pub(crate) async fn handle(&self, request: Arc<RequestContext>) -> HandlerResult {
        (self.handler)(request).await
    }
}

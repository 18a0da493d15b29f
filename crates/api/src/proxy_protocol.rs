//! The protocols by which a proxy asks over HTTP whether a request may pass, and the kinds of
//! proxies.

use axum::http::{HeaderName, Method};

/// The path below which proxies ask; the kind of the proxy and the name of the API follow.
pub(crate) const FORWARD_AUTH: &str = "/forward-auth/";

/// The path below which Envoy asks over HTTP; the name of the API and the path of the original
/// request follow.
pub(crate) const EXT_AUTHZ: &str = "/ext-authz/";

/// A protocol by which a proxy asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProxyProtocol {
    /// Forward auth: headers say what the original request is.
    ForwardAuth,
    /// Envoy's `ext_authz` over HTTP: the request has the method and the path of the original one.
    ExtAuthz,
}

impl ProxyProtocol {
    /// Finds the protocol of a request, if it is a proxy's. What follows in the path is taken as it
    /// came, so it is not looked up among the templates of the other operations.
    pub(crate) fn of(method: &Method, path: &str) -> Option<Self> {
        if path.starts_with(EXT_AUTHZ) {
            return Some(Self::ExtAuthz);
        }
        let reads = *method == Method::GET || *method == Method::HEAD;
        (reads && path.starts_with(FORWARD_AUTH)).then_some(Self::ForwardAuth)
    }
}

/// A kind of proxy that speaks forward auth.
pub(crate) struct Proxy {
    pub(crate) name: &'static str,
    /// The header that holds the method of the original request, and the one that holds its target.
    pub(crate) sets: [HeaderName; 2],
}

impl Proxy {
    /// Finds a kind of proxy by its name.
    pub(crate) fn find(name: &str) -> Option<&'static Self> {
        PROXIES.iter().find(|proxy| proxy.name == name)
    }
}

static PROXIES: [Proxy; 3] = [
    Proxy { name: "nginx", sets: ORIGINAL },
    Proxy { name: "traefik", sets: FORWARDED },
    Proxy { name: "caddy", sets: FORWARDED },
];

const ORIGINAL: [HeaderName; 2] =
    [HeaderName::from_static("x-original-method"), HeaderName::from_static("x-original-uri")];
const FORWARDED: [HeaderName; 2] =
    [HeaderName::from_static("x-forwarded-method"), HeaderName::from_static("x-forwarded-uri")];

//! The protocols by which proxies request decisions over HTTP, and the supported proxies.

use axum::http::{HeaderName, Method};

/// The path prefix of forward auth, followed by the proxy's kind and the API's name.
pub(crate) const FORWARD_AUTH: &str = "/forward-auth/";

/// The path prefix of Envoy's `ext_authz`, followed by the API's name and the original path.
pub(crate) const EXT_AUTHZ: &str = "/ext-authz/";

/// A protocol by which a proxy requests a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProxyProtocol {
    /// Forward auth: headers describe the original request.
    ForwardAuth,
    /// Envoy's `ext_authz` over HTTP: method and path are those of the original request.
    ExtAuthz,
}

impl ProxyProtocol {
    /// Returns the protocol of a proxy's request. The rest of the path is the original request's,
    /// and so is not matched with other operations.
    pub(crate) fn of(method: &Method, path: &str) -> Option<Self> {
        if path.starts_with(EXT_AUTHZ) {
            return Some(Self::ExtAuthz);
        }
        let reads = *method == Method::GET || *method == Method::HEAD;
        (reads && path.starts_with(FORWARD_AUTH)).then_some(Self::ForwardAuth)
    }
}

/// A proxy that speaks forward auth.
pub(crate) struct Proxy {
    pub(crate) name: &'static str,
    /// The headers with the method and with the target of the original request.
    pub(crate) sets: [HeaderName; 2],
    /// False if it takes every status other than 401 and 403 for a failure.
    pub(crate) passes_429: bool,
}

impl Proxy {
    /// Finds a proxy by its name in the path.
    pub(crate) fn find(name: &str) -> Option<&'static Self> {
        PROXIES.iter().find(|proxy| proxy.name == name)
    }
}

static PROXIES: [Proxy; 3] = [
    Proxy { name: "nginx", sets: ORIGINAL, passes_429: false },
    Proxy { name: "traefik", sets: FORWARDED, passes_429: true },
    Proxy { name: "caddy", sets: FORWARDED, passes_429: true },
];

const ORIGINAL: [HeaderName; 2] =
    [HeaderName::from_static("x-original-method"), HeaderName::from_static("x-original-uri")];
const FORWARDED: [HeaderName; 2] =
    [HeaderName::from_static("x-forwarded-method"), HeaderName::from_static("x-forwarded-uri")];

//! A guarded API: its operations, and which rights each of them needs on what.

use gatewright_policy::action_type;
use serde::Deserialize;

use super::routes::{Found, Routes};
use super::target::Target;

/// Why an API cannot be guarded by what its document says.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// A path cannot be matched without doubt.
    #[error("the path {path} {reason}")]
    Path {
        /// Which one.
        path: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// An operation says too little or too much.
    #[error("{method} {path}: {reason}")]
    Operation {
        /// Its method.
        method: String,
        /// Its path.
        path: String,
        /// What is wrong with it, and what to do.
        reason: String,
    },
    /// The servers of the document are at several paths.
    #[error("the servers have different paths, {0} and {1}: name those with one path only")]
    Servers(String, String),
    /// The name cannot stand in a URL.
    #[error("the name {0:?} may hold letters, digits, - and _ only: set x-iam-api")]
    Name(String),
    /// Another file declares an API of that name.
    #[error("another file declares the API {0}: set x-iam-api")]
    Twice(String),
}

/// Where a request names the resource that it is about: `x-iam-resource`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub(super) struct Locator {
    /// The type of the resource.
    #[serde(rename = "type")]
    kind: String,
    #[serde(rename = "in")]
    place: Place,
    /// The parameter of the path, the header, or the fixed name.
    #[serde(default)]
    name: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Place {
    /// A parameter of the path.
    Path,
    /// A header.
    Header,
    /// The account that the API belongs to, or else the caller's.
    Account,
    /// Always the same resource.
    Fixed,
}

/// What names the resource of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// A part of the path, by its place.
    Part(usize),
    /// A header.
    Header(String),
    /// The account.
    Account,
    /// It is always this one.
    Fixed(String),
}

/// A right that an operation needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Need {
    pub(crate) action: String,
    pub(crate) source: Source,
}

/// An operation of a guarded API.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Route {
    pub(super) method: String,
    /// None where everybody may.
    pub(crate) needs: Option<Vec<Need>>,
    /// Whether the connection may become another, such as a web socket.
    pub(crate) upgrades: bool,
}

/// What a document says of an operation.
#[derive(Debug)]
pub(super) struct DeclaredRoute {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) actions: Vec<String>,
    pub(super) resources: Vec<Locator>,
    pub(super) public: bool,
    pub(super) upgrades: bool,
}

/// A guarded API.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Api {
    /// The account that everything behind it belongs to which nobody registered.
    pub(crate) account: Option<String>,
    /// The parts that every path begins with.
    base: Vec<String>,
    routes: Routes,
}

/// Why no operation was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoRoute {
    /// None is declared.
    Unknown,
    /// One is declared that differs in case or in an ending alone.
    Near,
}

impl Api {
    pub(super) fn new(
        account: Option<String>,
        servers: &[String],
        declared: Vec<DeclaredRoute>,
    ) -> Result<Self, ApiError> {
        let mut base: Option<&str> = None;
        for server in servers {
            let path = match server.split_once("://") {
                None => server,
                Some((_, rest)) => rest.find('/').and_then(|at| rest.get(at..)).unwrap_or_default(),
            };
            let path = path.trim_matches('/');
            match base {
                Some(known) if known != path => {
                    return Err(ApiError::Servers(format!("/{known}"), format!("/{path}")));
                }
                _ => base = Some(path),
            }
        }
        let base = literals(base.unwrap_or_default())?;
        let mut api = Self { account, base, ..Self::default() };
        for one in declared {
            let (parts, route) = Route::new(one)?;
            api.routes.add(&parts, route);
        }
        Ok(api)
    }

    /// The operations that a request may mean: where several paths fit, it needs the rights of all,
    /// since nobody knows which of them the API takes.
    pub(crate) fn find(&self, method: &str, target: &Target<'_>) -> Result<Found<'_>, NoRoute> {
        let parts = target.parts();
        let Some((base, parts)) = parts.split_at_checked(self.base.len()) else {
            return Err(NoRoute::Unknown);
        };
        if !base.iter().zip(&self.base).all(|(part, known)| part == known) {
            return Err(NoRoute::Unknown);
        }
        let fitting = self.routes.fitting(parts)?;
        let of = |method: &str| -> Found<'_> {
            fitting.iter().copied().filter(|route| route.method == method).collect()
        };
        let mut found = of(method);
        if found.is_empty() && method == "HEAD" {
            found = of("GET");
        }
        if found.is_empty() { Err(NoRoute::Unknown) } else { Ok(found) }
    }

    /// How many operations it has.
    pub(super) fn len(&self) -> usize {
        self.routes.len()
    }

    /// How many parts every path begins with that belong to no operation.
    pub(crate) fn base_length(&self) -> usize {
        self.base.len()
    }
}

impl Route {
    /// The operation, and the parts of its path: none where a parameter stands.
    fn new(declared: DeclaredRoute) -> Result<(Vec<Option<String>>, Self), ApiError> {
        let DeclaredRoute { method, path, actions, resources, public, upgrades } = declared;
        let method = method.to_uppercase();
        let wrong = |reason: String| ApiError::Operation {
            method: method.clone(),
            path: path.clone(),
            reason,
        };
        if public && !actions.is_empty() {
            return Err(wrong("is x-iam-public and has x-iam-actions: remove one".to_owned()));
        }
        let mut parts = Vec::new();
        let mut names = Vec::new();
        let shown = || path.clone();
        for part in path.trim_matches('/').split('/').filter(|part| !part.is_empty()) {
            let inner = part.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
            let (part, name) = match inner {
                Some(name) => (None, name),
                None if part.contains(['{', '}']) => {
                    let reason = "has a parameter that is not a whole part of it";
                    return Err(ApiError::Path { path: shown(), reason });
                }
                None => (Some(literals(part)?.concat()), ""),
            };
            parts.push(part);
            names.push(name.to_owned());
        }
        let mut needs = Vec::new();
        for action in actions {
            let kind = action_type(&action);
            let Some(locator) = resources.iter().find(|one| one.kind == kind) else {
                return Err(wrong(format!(
                    "needs {action}, but no x-iam-resource has the type {kind}"
                )));
            };
            let name = locator.name.clone();
            let source = match locator.place {
                Place::Path => {
                    let place = names.iter().position(|one| *one == name && !name.is_empty());
                    Source::Part(place.ok_or_else(|| {
                        wrong(format!(
                            "the path has no parameter {{{name}}} as x-iam-resource says"
                        ))
                    })?)
                }
                Place::Account if kind != "account" => {
                    return Err(wrong("x-iam-resource in account has the type account".to_owned()));
                }
                Place::Account => Source::Account,
                Place::Header | Place::Fixed if name.is_empty() => {
                    return Err(wrong("x-iam-resource needs a name".to_owned()));
                }
                Place::Header => Source::Header(name.to_ascii_lowercase()),
                Place::Fixed => Source::Fixed(name),
            };
            needs.push(Need { action, source });
        }
        if !public && needs.is_empty() {
            return Err(wrong(
                "has x-iam-resource but needs no action: add x-iam-actions".to_owned(),
            ));
        }
        Ok((parts, Self { method, needs: (!public).then_some(needs), upgrades }))
    }
}

/// The parts of a path without parameters, as requests have them.
fn literals(path: &str) -> Result<Vec<String>, ApiError> {
    let text = format!("/{path}");
    let Ok(target) = Target::parse(&text) else {
        let reason = "is not one that a request could have";
        return Err(ApiError::Path { path: text, reason });
    };
    Ok(target.parts().iter().map(ToString::to_string).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(method: &str, path: &str, action: &str) -> DeclaredRoute {
        let in_path = path.contains("{id}");
        let (place, name) = if in_path { ("path", "id") } else { ("account", "") };
        let kind = action_type(action);
        let locator = serde_json::json!({"type": kind, "in": place, "name": name});
        DeclaredRoute {
            method: method.to_owned(),
            path: path.to_owned(),
            actions: vec![action.to_owned()],
            resources: vec![serde_json::from_value(locator).unwrap()],
            public: false,
            upgrades: false,
        }
    }

    fn shop() -> Api {
        let routes = vec![
            route("get", "/orders", "account:shop:orders/get"),
            route("get", "/orders/{id}", "order:shop:get"),
            route("delete", "/orders/{id}", "order:shop:delete"),
            route("get", "/orders/export", "account:shop:orders/export"),
        ];
        Api::new(None, &["https://api.example.com/v1/".to_owned()], routes).unwrap()
    }

    fn found(method: &str, target: &str) -> Result<Vec<String>, NoRoute> {
        let api = shop();
        let found = api.find(method, &Target::parse(target).unwrap())?;
        let needs = found.into_iter().filter_map(|route| route.needs.clone()).flatten();
        Ok(needs.map(|need| need.action).collect())
    }

    #[test]
    fn a_request_needs_the_rights_of_every_operation_that_it_may_mean() {
        assert_eq!(found("GET", "/v1/orders/7").unwrap(), ["order:shop:get"]);
        assert_eq!(found("HEAD", "/v1/orders/7").unwrap(), ["order:shop:get"]);
        let both = ["account:shop:orders/export", "order:shop:get"];
        assert_eq!(found("GET", "/v1/orders/export").unwrap(), both);
    }

    #[test]
    fn what_is_not_declared_or_only_nearly_is_found_nowhere() {
        for (method, target) in [
            ("GET", "/orders"),
            ("GET", "/v2/orders"),
            ("GET", "/V1/orders"),
            ("POST", "/v1/orders"),
            ("get", "/v1/orders"),
            ("GET", "/v1/orders/7/lines"),
            ("GET", "/v1"),
        ] {
            assert_eq!(found(method, target), Err(NoRoute::Unknown), "{method} {target}");
        }
        for target in [
            "/v1/orders/EXPORT",
            "/v1/orders/export.json",
            "/v1/orders/export%20",
            "/v1/Orders/7",
            "/v1/order%C5%BF/7",
        ] {
            assert_eq!(found("GET", target), Err(NoRoute::Near), "{target}");
        }
    }

    #[test]
    fn a_declaration_that_would_guard_nothing_is_refused() {
        let refusal =
            |route: DeclaredRoute| Api::new(None, &[], vec![route]).unwrap_err().to_string();
        let mut wrong = route("get", "/orders/{id}", "order:shop:get");
        wrong.actions = vec!["basket:shop:get".to_owned()];
        assert!(refusal(wrong).contains("no x-iam-resource has the type basket"));
        let mut wrong = route("get", "/orders/{id}", "order:shop:get");
        wrong.path = "/orders/{other}".to_owned();
        assert!(refusal(wrong).contains("no parameter {id}"));
        let mut wrong = route("get", "/orders/{id}", "order:shop:get");
        wrong.path = "/orders/{id}.json".to_owned();
        assert!(refusal(wrong).contains("not a whole part"));
        let mut wrong = route("get", "/orders/{id}", "order:shop:get");
        wrong.actions.clear();
        assert!(refusal(wrong).contains("add x-iam-actions"));
        let servers = ["https://a/v1".to_owned(), "/v2".to_owned()];
        assert!(Api::new(None, &servers, vec![]).is_err());
    }
}

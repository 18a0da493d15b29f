//! An operation of a guarded API, and which rights it needs on what.

use gatewright_policy::action_type;
use serde::Deserialize;
use smallvec::SmallVec;

use crate::catalogue::error::ApiError;
use crate::catalogue::target::Target;

/// Where a request names the resource that it is about: `x-iam-resource`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub(crate) struct Locator {
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
    pub(crate) method: String,
    /// None where everybody may.
    pub(crate) needs: Option<Vec<Need>>,
    /// Whether the connection may become another, such as a web socket.
    pub(crate) upgrades: bool,
}

/// What a document says of an operation.
#[derive(Debug)]
pub(crate) struct DeclaredRoute {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) actions: Vec<String>,
    pub(crate) resources: Vec<Locator>,
    pub(crate) public: bool,
    pub(crate) upgrades: bool,
}

/// Why no operation was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoRoute {
    /// None is declared.
    Unknown,
    /// One is declared that differs in case or in an ending alone.
    Near,
}

impl Route {
    /// The operation, and the parts of its path: none where a parameter stands.
    pub(crate) fn new(declared: DeclaredRoute) -> Result<(Vec<Option<String>>, Self), ApiError> {
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
pub(crate) fn literals(path: &str) -> Result<Vec<String>, ApiError> {
    let text = format!("/{path}");
    let Ok(target) = Target::parse(&text) else {
        let reason = "is not one that a request could have";
        return Err(ApiError::Path { path: text, reason });
    };
    Ok(target.parts().iter().map(ToString::to_string).collect())
}

/// Operations that were found; nearly always it is one.
pub(crate) type Found<'r> = SmallVec<[&'r Route; 4]>;

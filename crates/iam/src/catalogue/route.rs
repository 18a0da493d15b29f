//! The operations of a guarded API, and the rights that each requires.

use gatewright_policy::action_type;
use serde::Deserialize;
use smallvec::SmallVec;

use crate::catalogue::error::ApiError;
use crate::catalogue::target::Target;

/// The maximum length of a declared path in bytes, and of its parts.
pub(crate) const MOST_BYTES: usize = 4_096;
pub(crate) const MOST_PARTS: usize = 100;

/// The number of characters of a longer path in a message.
const SHOWN: usize = 100;

/// The locator of the resource in a request, as `x-iam-resource` declares it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub(crate) struct Locator {
    /// The resource type.
    #[serde(rename = "type")]
    resource_type: String,
    #[serde(rename = "in")]
    place: ResourceLocation,
    /// The name of the path parameter or the header, or the fixed name of the resource.
    #[serde(default)]
    name: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ResourceLocation {
    /// The resource is named by a parameter of the path.
    Path,
    /// The resource is named by a header.
    Header,
    /// The resource is the account that the API belongs to, or else the caller's account.
    Account,
    /// The resource is always the same.
    Fixed,
}

impl Locator {
    /// Returns the resource type, if requests name its resources.
    pub(crate) fn type_named_by_request(&self) -> Option<&str> {
        matches!(self.place, ResourceLocation::Path | ResourceLocation::Header)
            .then_some(&*self.resource_type)
    }
}

/// The source of the resource name in a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// A part of the path, by its index.
    Part(usize),
    /// A header, by its name.
    Header(String),
    /// The account.
    Account,
    /// A fixed name.
    Fixed(String),
}

/// A right that an operation requires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Requirement {
    pub(crate) action: String,
    pub(crate) source: Source,
}

/// An operation of a guarded API.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) method: String,
    /// The rights that are required; none where the operation is public.
    pub(crate) requires: Option<Box<[Requirement]>>,
    /// `true` if the connection may be upgraded, such as to a web socket.
    pub(crate) upgrades: bool,
}

/// The declaration of an operation in an OpenAPI document.
#[derive(Debug)]
pub(crate) struct DeclaredRoute {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) actions: Vec<String>,
    pub(crate) resources: Vec<Locator>,
    pub(crate) public: bool,
    pub(crate) upgrades: bool,
}

/// The reason why no operation matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoRoute {
    /// No operation is declared for the path.
    Unknown,
    /// A declared path differs in case or in an ending alone.
    Near,
    /// More declared paths are like it than a request looks at.
    TooMany,
}

impl Route {
    /// Returns the operation, and the parts of its path: none where it is a parameter.
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
        if path.len() > MOST_BYTES || path.split('/').count() > MOST_PARTS {
            let path = path.chars().take(SHOWN).collect();
            return Err(ApiError::Path { path, reason: "is too long, or has too many parts" });
        }
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
        let mut requirements = Vec::new();
        for action in actions {
            let resource_type = action_type(&action);
            let Some(locator) = resources.iter().find(|one| one.resource_type == resource_type)
            else {
                return Err(wrong(format!(
                    "needs {action}, but no x-iam-resource has the type {resource_type}"
                )));
            };
            let name = locator.name.clone();
            let source = match locator.place {
                ResourceLocation::Path => {
                    let place = names.iter().position(|one| *one == name && !name.is_empty());
                    Source::Part(place.ok_or_else(|| {
                        wrong(format!(
                            "the path has no parameter {{{name}}} as x-iam-resource says"
                        ))
                    })?)
                }
                ResourceLocation::Account if resource_type != "account" => {
                    return Err(wrong("x-iam-resource in account has the type account".to_owned()));
                }
                ResourceLocation::Account => Source::Account,
                ResourceLocation::Header | ResourceLocation::Fixed if name.is_empty() => {
                    return Err(wrong("x-iam-resource needs a name".to_owned()));
                }
                ResourceLocation::Header => Source::Header(name.to_ascii_lowercase()),
                ResourceLocation::Fixed => Source::Fixed(name),
            };
            requirements.push(Requirement { action, source });
        }
        if !public && requirements.is_empty() {
            return Err(wrong(
                "has x-iam-resource but needs no action: add x-iam-actions".to_owned(),
            ));
        }
        Ok((parts, Self { method, requires: (!public).then(|| requirements.into()), upgrades }))
    }
}

/// Splits a path without parameters into parts, decoded as those of requests are.
pub(crate) fn literals(path: &str) -> Result<Vec<String>, ApiError> {
    let text = format!("/{path}");
    let Ok(target) = Target::parse(&text) else {
        let reason = "is not one that a request could have";
        return Err(ApiError::Path { path: text, reason });
    };
    Ok(target.parts().iter().map(ToString::to_string).collect())
}

/// The operations that match a request; nearly always one.
pub(crate) type Found<'r> = SmallVec<[&'r Route; 4]>;

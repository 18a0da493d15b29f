//! Decides whose a path is, and which thread answers it, from the list of operations alone.

use crate::endpoint::Handler;
use crate::operation::{Audience, Cost, Operation, Tree};

/// The part of the program that answers the requests for a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Destination {
    /// The API, from memory: the thread that has the connection answers.
    ApiFromMemory,
    /// The API, with the general runtime: it may wait for the database.
    Api,
    /// Others: nothing of the API is there.
    Elsewhere,
}

/// The first parts of the paths with a version, or of the documents of the API.
const API: [&str; 4] = ["v1", "v2", "1.0", "openapi"];

/// The paths of the API. Looking one up allocates nothing: the fastest requests
/// are sent where they are answered by it.
#[derive(Debug)]
pub(crate) struct Destinations {
    from_memory: Vec<Pattern>,
    /// The first part of paths, and the second where the first is shared with pages.
    claims: Vec<(&'static str, Option<&'static str>)>,
}

/// The paths of an operation.
#[derive(Debug)]
enum Pattern {
    /// All that begin with a text.
    Below(&'static str),
    /// One.
    Exactly(&'static str),
    /// All that end with a text: a version may stand before it.
    EndingWith(&'static str),
}

impl Destinations {
    /// Finds out what is to be known of some operations.
    pub(crate) fn of(operations: &[Operation]) -> Self {
        let is_shared = |first: &str| {
            operations.iter().any(|one| {
                one.declared.audience == Audience::People
                    && one.declared.parts.first() == Some(&first)
            })
        };
        let mut claims = Vec::new();
        for operation in operations {
            let claim = match *operation.declared.parts.as_slice() {
                [first, second, ..] if is_shared(first) => (first, Some(second)),
                [first, ..] if !is_shared(first) => (first, None),
                _ => continue,
            };
            if !claims.contains(&claim) {
                claims.push(claim);
            }
        }
        let from_memory = operations.iter().filter(|one| one.declared.cost == Cost::Memory);
        Self { from_memory: from_memory.map(Pattern::of).collect(), claims }
    }

    /// Finds who answers the requests for a path.
    pub(crate) fn find(&self, path: &str) -> Destination {
        if self.from_memory.iter().any(|pattern| self.fits(pattern, path)) {
            Destination::ApiFromMemory
        } else if self.is_claimed(path) {
            Destination::Api
        } else {
            Destination::Elsewhere
        }
    }

    fn fits(&self, pattern: &Pattern, path: &str) -> bool {
        match pattern {
            Pattern::Below(head) => path.starts_with(head),
            Pattern::Exactly(whole) => path == *whole,
            Pattern::EndingWith(tail) => path.ends_with(tail) && self.is_claimed(path),
        }
    }

    fn is_claimed(&self, path: &str) -> bool {
        let mut parts = path.split('/').filter(|part| !part.is_empty());
        let Some(first) = parts.next() else { return false };
        let second = parts.next();
        API.contains(&first)
            || self
                .claims
                .iter()
                .any(|(one, two)| *one == first && (two.is_none() || *two == second))
    }
}

impl Pattern {
    fn of(operation: &Operation) -> Self {
        let declared = &operation.declared;
        let path = declared.path;
        if declared.tree != Tree::Root {
            return Self::EndingWith(path.rsplit_once('}').map_or(path, |(_, tail)| tail));
        }
        match path.split_once('{') {
            // What follows is taken as it came, whatever it is.
            Some((head, _)) if matches!(operation.handler, Handler::Proxy(_)) => Self::Below(head),
            _ => Self::Exactly(path),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operations::operations;

    #[test]
    fn the_list_of_operations_decides_who_answers() {
        let destinations = Destinations::of(&operations());
        for path in [
            "/forward-auth/nginx/shop",
            "/ext-authz/shop/orders/7",
            "/access/v1/evaluation",
            "/access/v1/evaluations",
            "/auth/oauth2/token",
            "/oauth2/token",
            "/auth/oauth2/introspect",
            "/v2/iam/resource/urn:v1:eu:resource:vps:web-1/authorization/check",
            "/iam/authorization/check",
        ] {
            assert_eq!(destinations.find(path), Destination::ApiFromMemory, "{path}");
        }
        for path in [
            "/v1",
            "/v1/me",
            "/1.0/me",
            "/v2/iam/policy",
            "//v2//iam/policy",
            "/v1/nothing",
            "/iam/policy",
            "/iam/nothing",
            "/me/api/oauth2/client",
            "/me/identity/user",
            "/me/logs/audit",
            "/auth/time",
            "/auth/oauth2/jwks",
            "/role-adapter/urn/.well-known/openid-configuration",
            "/.well-known/openid-configuration",
            "/openapi",
            "/openapi/v1.json",
            "/access/v1/search/subject",
            "/forward-auth",
            "/oauth2/nothing",
        ] {
            assert_eq!(destinations.find(path), Destination::Api, "{path}");
        }
        for path in [
            "/",
            "",
            "/no/authorization/check",
            "/me",
            "/me/totp",
            "/policies",
            "/assets/1/a.css",
            "/nothing",
            "/v3/me",
        ] {
            assert_eq!(destinations.find(path), Destination::Elsewhere, "{path}");
        }
    }
}

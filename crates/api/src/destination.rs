//! Decides from the list of operations whether a path belongs to the API, and which thread answers
//! it.

use crate::endpoint::Handler;
use crate::operation::{Audience, Cost, DOCUMENTS, Operation, Tree};

/// The part of the program that answers the requests for a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Destination {
    /// The API, on the worker thread of the connection: the answer comes from memory.
    ApiFromMemory,
    /// The API, on the general runtime: the answer may wait for the database.
    Api,
    /// Something else: the API has no such path.
    Elsewhere,
}

/// The paths of the API. A lookup does not allocate, because it runs for every request, the fastest
/// included.
#[derive(Debug)]
pub(crate) struct Destinations {
    from_memory: Vec<Pattern>,
    /// The first segments of the API's paths, with the second one where pages share the first.
    claims: Vec<(&'static str, Option<&'static str>)>,
}

/// A pattern for the paths of an operation.
#[derive(Debug)]
enum Pattern {
    /// All paths with a prefix.
    Below(&'static str),
    /// One path.
    Exactly(&'static str),
    /// All paths with a suffix: a version may come before it.
    EndingWith(&'static str),
}

impl Destinations {
    /// Builds the lookup tables from a list of operations.
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

    /// Returns the destination of the requests for a path.
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
        Tree::of_version(first).is_some()
            || first == DOCUMENTS
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
            // A proxy's path goes on with the original request's, which may be anything.
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
        let from_memory = [
            "/forward-auth/nginx/shop",
            "/ext-authz/shop/orders/7",
            "/access/v1/evaluation",
            "/access/v1/evaluations",
            "/auth/oauth2/token",
            "/oauth2/token",
            "/auth/oauth2/introspect",
            "/v2/iam/resource/urn:v1:eu:resource:vps:web-1/authorization/check",
            "/iam/authorization/check",
        ];
        let api = [
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
        ];
        let elsewhere = [
            "/",
            "",
            "/no/authorization/check",
            "/me",
            "/me/totp",
            "/policies",
            "/assets/1/a.css",
            "/nothing",
            "/v3/me",
        ];
        for (destination, paths) in [
            (Destination::ApiFromMemory, from_memory.as_slice()),
            (Destination::Api, &api),
            (Destination::Elsewhere, &elsewhere),
        ] {
            for path in paths {
                assert_eq!(destinations.find(path), destination, "{path}");
            }
        }
    }
}

//! Finds the operation of a URL.
//!
//! The encoded path is matched segment by segment, and each segment is decoded once: a URN with
//! `%2F` in it stays one parameter. Tolerated are a trailing slash, a doubled slash, and a version
//! both in the client's endpoint and in its paths.

use axum::http::Method;
use percent_encoding::percent_decode_str;

use crate::endpoint::Handler;
use crate::operation::{Declaration, Operation, Tree};
use crate::proxy_protocol::ProxyProtocol;

/// The result of looking up a URL.
pub(crate) enum Found<'t> {
    /// An operation, with its path parameters.
    Operation(&'t Operation, Vec<String>),
    /// A URL that exists with other methods only, which are joined by commas.
    OtherMethod(String),
    Nothing,
}

/// Splits a path into the tree that its version names, and its segments.
fn split(path: &str) -> (Option<Tree>, Vec<&str>) {
    let mut parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let mut tree = None;
    // The endpoint and the path may both have a version: the last counts.
    while let Some(next) = parts.first().and_then(|part| Tree::of_version(part)) {
        tree = Some(next);
        parts.remove(0);
    }
    (tree, parts)
}

/// A function that extracts the parameters of a path if the path matches the template.
type Matching = fn(&Declaration, &[&str]) -> Option<Vec<String>>;

/// Finds the operation of a request. Proxies' operations are first in the list, because they are
/// the most frequent.
pub(crate) fn find<'t>(operations: &'t [Operation], method: &Method, path: &str) -> Found<'t> {
    if let Some(protocol) = ProxyProtocol::of(method, path) {
        let is_it = |one: &&Operation| matches!(one.handler, Handler::Proxy(of) if of == protocol);
        if let Some(operation) = operations.iter().find(is_it) {
            return Found::Operation(operation, Vec::new());
        }
    }
    find_by_template(operations, method, path)
}

fn find_by_template<'t>(operations: &'t [Operation], method: &Method, path: &str) -> Found<'t> {
    let (tree, parts) = split(path);
    // HEAD is answered as GET, without the body.
    let method = if method == Method::HEAD { &Method::GET } else { method };
    for (matching, joins) in [(exact as Matching, false), (joined as Matching, true)] {
        let mut others = Vec::new();
        // The number of segments rules most operations out without comparing texts.
        let possible = |one: &&Operation| {
            let Declaration { tree: its, parts: there, .. } = &one.declared;
            tree.is_none_or(|tree| tree == *its) && (joins || there.len() == parts.len())
        };
        for operation in operations.iter().filter(possible) {
            if let Some(parameters) = matching(&operation.declared, &parts) {
                if operation.declared.method == *method {
                    return Found::Operation(operation, parameters);
                }
                others.push(operation.declared.method.as_str());
            }
        }
        if !others.is_empty() {
            return Found::OtherMethod(others.join(", "));
        }
    }
    Found::Nothing
}

/// Matches the segments of the path with the template, one to one.
fn exact(operation: &Declaration, parts: &[&str]) -> Option<Vec<String>> {
    let pairs = || operation.parts.iter().zip(parts);
    let is_parameter = |wanted: &str| wanted.starts_with('{');
    // Parameters are decoded only once all other segments match.
    let fits = operation.parts.len() == parts.len()
        && pairs().all(|(wanted, part)| is_parameter(wanted) || wanted == part);
    let parameters = pairs().filter(|(wanted, _)| is_parameter(wanted));
    fits.then(|| parameters.map(|(_, part)| decode(part)).collect())?
}

/// Matches a path with an unencoded URN, whose slashes spread it over several segments.
fn joined(operation: &Declaration, parts: &[&str]) -> Option<Vec<String>> {
    let (head, tail) = operation.path.split_once("{resourceURN}")?;
    let heads: Vec<&str> = head.split('/').filter(|part| !part.is_empty()).collect();
    let tails: Vec<&str> = tail.split('/').filter(|part| !part.is_empty()).collect();
    let rest = parts.strip_prefix(heads.as_slice())?;
    let (urn, ends) = rest.split_at_checked(rest.len().checked_sub(tails.len())?)?;
    if urn.is_empty() || (tails.is_empty() && known_end(rest)) {
        return None;
    }
    let mut parameters = vec![decode(&urn.join("/"))?];
    for (wanted, part) in tails.iter().zip(ends) {
        if wanted.starts_with('{') {
            parameters.push(decode(part)?);
        } else if wanted != part {
            return None;
        }
    }
    Some(parameters)
}

/// Checks whether the segments after a URN belong to an operation.
fn known_end(parts: &[&str]) -> bool {
    matches!(parts, [_, .., "tag"] | [_, .., "tag", _] | [_, .., "authorization", "check"])
}

/// Decodes a segment; none if it holds what no name can hold.
fn decode(part: &str) -> Option<String> {
    let text = percent_decode_str(part).decode_utf8().ok()?;
    (!text.chars().any(char::is_control)).then(|| text.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operations::operations;
    use proptest::prelude::*;

    fn found(method: &Method, path: &str) -> String {
        match find(&operations(), method, path) {
            Found::Operation(operation, parameters) => {
                let Declaration { tree, path, .. } = operation.declared;
                format!("{tree:?} {path} {parameters:?}")
            }
            Found::OtherMethod(methods) => methods,
            Found::Nothing => String::new(),
        }
    }

    #[test]
    fn every_way_to_write_a_version_leads_to_it() {
        for path in ["/v1/me", "/1.0/me", "/me", "/v1/me/", "//v1//me", "/v1/v1/me", "/1.0/v1/me"] {
            assert_eq!(found(&Method::GET, path), "V1 /me []", "{path}");
        }
        for path in ["/v2/iam/policy", "/v1/v2/iam/policy", "/iam/policy", "/1.0/v2/iam/policy/"] {
            assert_eq!(found(&Method::GET, path), "V2 /iam/policy []", "{path}");
        }
        for path in ["/auth/oauth2/token", "/oauth2/token"] {
            assert!(found(&Method::POST, path).starts_with("Root "), "{path}");
        }
        assert_eq!(found(&Method::GET, "/v3/me"), "");
        assert_eq!(found(&Method::GET, "/v1/iam/policy"), "");
    }

    #[test]
    fn a_parameter_is_decoded_once() {
        let path = "/v1/me/api/oauth2/client/EU%252F%C3%A9";
        assert_eq!(found(&Method::GET, path), "V1 /me/api/oauth2/client/{clientId} [\"EU%2Fé\"]");
        assert_eq!(found(&Method::GET, "/v1/me/api/oauth2/client/%FF"), "");
        assert_eq!(found(&Method::GET, "/v1/me/api/oauth2/client/%00"), "");
    }

    #[test]
    fn an_unencoded_urn_is_put_together_again() {
        let resource = "/v2/iam/resource/urn:v1:eu:resource:ip:192.0.2.0/24";
        let whole = "[\"urn:v1:eu:resource:ip:192.0.2.0/24\"";
        assert_eq!(
            found(&Method::GET, resource),
            format!("V2 /iam/resource/{{resourceURN}} {whole}]")
        );
        assert_eq!(
            found(&Method::DELETE, &format!("{resource}/tag/env")),
            format!("V2 /iam/resource/{{resourceURN}}/tag/{{key}} {whole}, \"env\"]")
        );
        assert_eq!(
            found(&Method::POST, &format!("{resource}/authorization/check")),
            format!("V2 /iam/resource/{{resourceURN}}/authorization/check {whole}]")
        );
        let encoded = "/v2/iam/resource/urn%3Av1%3Aeu%3Aresource%3Aip%3A192.0.2.0%2F24/tag";
        assert_eq!(
            found(&Method::POST, encoded),
            format!("V2 /iam/resource/{{resourceURN}}/tag {whole}]")
        );
    }

    #[test]
    fn another_method_is_told_which_there_are() {
        assert_eq!(found(&Method::PATCH, "/v2/iam/policy"), "GET, POST");
        assert!(found(&Method::HEAD, "/v2/iam/policy").starts_with("V2"));
    }

    proptest! {
        #[test]
        fn any_path_is_found_or_not(path in "(/(v1|v2|1\\.0|iam|me|auth|resource|tag|\\PC{0,4}|%[0-9a-f]{2})){0,7}/?") {
            let _ = found(&Method::GET, &path);
        }
    }
}

//! Proposes the IAM extensions of an OpenAPI document (`x-iam-…`), for its owner to edit.

use serde_json::{Map, Value, json};

use crate::catalogue::document::{in_json, like};

/// Adds `x-iam-actions` and `x-iam-resource` to each operation that has neither and is not public.
///
/// The first parameter of a path names the resource; the literal part before it gives the resource
/// type, and the parts after it the action. An operation whose path has no parameter has its action
/// on the account. An operation whose `security` is an empty list is proposed to be public. A
/// document in YAML is answered in YAML, without its comments. Fails where the document cannot be
/// parsed.
pub fn propose(text: &str, account: Option<&str>) -> Result<String, serde_json::Error> {
    let mut document: Map<String, Value> = serde_json::from_str(&in_json(text)?)?;
    let title = document.get("info").and_then(|info| info.get("title")).and_then(Value::as_str);
    let api: String = title.unwrap_or("api").chars().filter(char::is_ascii_alphanumeric).collect();
    let api = if api.is_empty() { "api".to_owned() } else { api.to_ascii_lowercase() };
    if let Some(account) = account {
        document.insert("x-iam-account".to_owned(), account.into());
    }
    let Some(Value::Object(paths)) = document.get_mut("paths") else {
        return Err(serde::de::Error::missing_field("paths"));
    };
    let known: Vec<String> = paths.keys().cloned().collect();
    for (path, item) in paths {
        let Value::Object(item) = item else { continue };
        let alone = item.keys().filter(|key| verb(key).is_some()).count() == 1
            && !known.iter().any(|other| other.starts_with(&format!("{path}/")));
        let has_resource = item.contains_key("x-iam-resource");
        for (method, operation) in item {
            let (Some(verb), Value::Object(operation)) = (verb(method), operation) else {
                continue;
            };
            let said = ["x-iam-actions", "x-iam-resource", "x-iam-public"];
            if has_resource || said.iter().any(|key| operation.contains_key(*key)) {
                continue;
            }
            if operation.get("security").and_then(Value::as_array).is_some_and(Vec::is_empty) {
                operation.insert("x-iam-public".to_owned(), true.into());
                continue;
            }
            // `POST /orders/{id}/refund` is "refund" and not "create a refund".
            let verb = if method == "post" && alone { "" } else { verb };
            let (action, resource) = guard(path, &api, verb);
            let actions = json!([{"name": action, "required": true}]);
            operation.insert("x-iam-actions".to_owned(), actions);
            operation.insert("x-iam-resource".to_owned(), resource);
        }
    }
    like(text, &Value::Object(document))
}

/// Returns the last part of the action of an HTTP method; none for a key that is no guarded method.
fn verb(method: &str) -> Option<&'static str> {
    match method {
        "get" => Some("get"),
        "post" => Some("create"),
        "put" | "patch" => Some("edit"),
        "delete" => Some("delete"),
        _ => None,
    }
}

/// Returns the proposed action of a path, and the locator of its resource.
fn guard(path: &str, api: &str, verb: &str) -> (String, Value) {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let parameter =
        |part: &&str| part.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).is_some();
    let words = |parts: &[&str]| {
        let named = parts.iter().filter(|part| !parameter(part)).map(|part| camel(part));
        let verb = Some(verb.to_owned()).filter(|verb| !verb.is_empty());
        named.chain(verb).collect::<Vec<_>>().join("/")
    };
    let split = parts.iter().position(parameter).and_then(|place| {
        let (before, rest) = parts.split_at_checked(place)?;
        let (first, after) = rest.split_first()?;
        Some((before, first.trim_matches(['{', '}']), after))
    });
    let (resource_type, path, resource) = match split {
        None => ("account".to_owned(), words(&parts), json!({"type": "account", "in": "account"})),
        Some((before, name, after)) => {
            let resource_type =
                before.last().map_or_else(|| api.to_owned(), |part| singular(&camel(part)));
            let resource = json!({"type": resource_type, "in": "path", "name": name});
            (resource_type, words(after), resource)
        }
    };
    let path = if path.is_empty() { "do".to_owned() } else { path };
    (format!("{resource_type}:{api}:{path}"), resource)
}

/// Converts a part of a path to camel case, as resource types and actions are written.
fn camel(part: &str) -> String {
    let mut text = String::with_capacity(part.len());
    let mut upper = false;
    for letter in part.chars() {
        if !letter.is_ascii_alphanumeric() {
            upper = !text.is_empty();
        } else if upper {
            text.push(letter.to_ascii_uppercase());
            upper = false;
        } else {
            text.push(letter);
        }
    }
    text
}

fn singular(name: &str) -> String {
    if let Some(stem) = name.strip_suffix("ies") {
        return format!("{stem}y");
    }
    for ending in ["sses", "xes", "ches", "shes"] {
        if name.ends_with(ending) {
            return name.strip_suffix("es").unwrap_or(name).to_owned();
        }
    }
    match name.strip_suffix('s') {
        Some(stem) if !stem.ends_with('s') && !stem.is_empty() => stem.to_owned(),
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proposed(method: &str, path: &str) -> (String, Value) {
        let document = json!({
            "openapi": "3.0.3", "info": {"title": "My Shop"},
            "paths": {path: {method: {"summary": "kept"}}, "/orders/{id}/lines/{line}/note": {}},
        });
        let text = propose(&document.to_string(), Some("xx11111-ovh")).unwrap();
        let document: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(document["x-iam-account"], "xx11111-ovh");
        let operation = &document["paths"][path][method];
        assert_eq!(operation["summary"], "kept");
        let action = operation["x-iam-actions"][0]["name"].as_str().unwrap_or_default();
        (action.to_owned(), operation["x-iam-resource"].clone())
    }

    #[test]
    fn a_proposal_names_the_resource_by_the_first_parameter() {
        let on_account = json!({"type": "account", "in": "account"});
        let on_order = json!({"type": "order", "in": "path", "name": "id"});
        for (method, path, action, resource) in [
            ("get", "/orders", "account:myshop:orders/get", &on_account),
            ("get", "/orders/{id}", "order:myshop:get", &on_order),
            ("patch", "/orders/{id}", "order:myshop:edit", &on_order),
            ("post", "/orders/{id}/refund", "order:myshop:refund", &on_order),
            ("post", "/orders/{id}/lines", "order:myshop:lines/create", &on_order),
            ("get", "/orders/{id}/lines/{line}", "order:myshop:lines/get", &on_order),
        ] {
            assert_eq!(proposed(method, path), (action.to_owned(), resource.clone()), "{path}");
        }
        assert_eq!(proposed("delete", "/user-policies/{p}").0, "userPolicy:myshop:delete");
        assert_eq!(proposed("delete", "/{p}").0, "myshop:myshop:delete");
    }

    #[test]
    fn what_is_said_already_stays_and_what_is_open_is_public() {
        let document = json!({"paths": {"/a": {
            "get": {"x-iam-actions": [{"name": "a:b:c"}]},
            "post": {"security": []},
        }}});
        let text = propose(&document.to_string(), None).unwrap();
        let changed: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(changed["paths"]["/a"]["get"], document["paths"]["/a"]["get"]);
        assert_eq!(changed["paths"]["/a"]["post"]["x-iam-public"], true);
        assert!(propose("{}", None).is_err());
    }
}

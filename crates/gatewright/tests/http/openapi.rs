//! The OpenAPI documents, compared with OVHcloud's operations.

use std::collections::BTreeMap;

use gatewright_testing::TestDatabase;
use reqwest::Method;
use serde_json::{Value, json};

use crate::server::{Server, http};

/// The parameters, fields and actions of each of OVHcloud's operations that is implemented.
const CALLS: &str = include_str!("../data/ovhcloud-calls.json");

pub(crate) async fn document(server: &Server, name: &str) -> Value {
    let url = format!("{}/openapi/{name}.json", server.url);
    http().get(url).send().await.unwrap().json().await.unwrap()
}

pub(crate) fn resolve<'d>(document: &'d Value, schema: &'d Value) -> &'d Value {
    match schema["$ref"].as_str() {
        None => schema,
        Some(reference) => {
            let name = reference.rsplit('/').next().unwrap();
            let found = &document["components"]["schemas"][name];
            assert!(found.is_object(), "{reference} leads nowhere");
            found
        }
    }
}

/// Returns the names of the fields of a type, or of the items of an array, without those that are
/// marked as extensions.
fn fields(document: &Value, schema: &Value) -> Value {
    let mut schema = resolve(document, schema);
    let array = schema["type"] == "array";
    if array {
        schema = resolve(document, &schema["items"]);
    }
    match schema["properties"].as_object() {
        None => json!({"array": array, "type": schema["type"]}),
        Some(properties) => {
            let ovhcloud =
                properties.iter().filter(|(_, one)| one["x-gatewright-extension"] != true);
            let mut names: Vec<&String> = ovhcloud.map(|(name, _)| name).collect();
            names.sort();
            json!({"array": array, "fields": names})
        }
    }
}

fn parameters(operation: &Value, place: &str) -> Vec<String> {
    let all = operation["parameters"].as_array().into_iter().flatten();
    let mut names: Vec<String> = all
        .filter(|one| one["in"] == place)
        .map(|one| one["name"].as_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

/// Returns every operation that the server describes, by method and path.
async fn described(server: &Server) -> BTreeMap<String, Value> {
    let mut calls = BTreeMap::new();
    for tree in ["v1", "v2"] {
        let document = document(server, tree).await;
        for (path, operations) in document["paths"].as_object().unwrap() {
            for (method, operation) in operations.as_object().unwrap() {
                let names = operation["x-iam-actions"].as_array().unwrap().iter();
                let names: Vec<&Value> = names.map(|action| &action["name"]).collect();
                let mut call = json!({
                    "actions": names,
                    "query": parameters(operation, "query"),
                    "path": parameters(operation, "path"),
                    "headers": parameters(operation, "header"),
                    "extension": operation["x-gatewright-extension"] == true,
                });
                let body = &operation["requestBody"]["content"]["application/json"]["schema"];
                if !body.is_null() {
                    call["request"] = fields(&document, body);
                    let mut required: Vec<String> =
                        serde_json::from_value(resolve(&document, body)["required"].clone())
                            .unwrap_or_default();
                    required.sort();
                    call["required"] = json!(required);
                }
                let answer =
                    &operation["responses"]["200"]["content"]["application/json"]["schema"];
                if !answer.is_null() {
                    call["response"] = fields(&document, answer);
                }
                calls.insert(format!("{} /{tree}{path}", method.to_uppercase()), call);
            }
        }
    }
    calls
}

#[tokio::test]
async fn each_of_ovhclouds_calls_is_described_as_it_is_there() {
    let database = TestDatabase::sqlite();
    let server = Server::start(&database);
    let described = described(&server).await;
    let calls: BTreeMap<String, Value> = serde_json::from_str(CALLS).unwrap();
    for (call, there) in &calls {
        let here = described.get(call).unwrap_or_else(|| panic!("{call} is missing"));
        for part in ["actions", "query", "path", "request", "response"] {
            assert_eq!(here[part], there[part], "{part} of {call}");
        }
        // A field that OVHcloud only returns may be required in responses.
        if call.starts_with("POST") {
            assert_eq!(here["required"], there["required"], "required of {call}");
        }
        let mut headers: Vec<String> = serde_json::from_value(there["headers"].clone()).unwrap();
        headers.retain(|name| !here["headers"].as_array().unwrap().contains(&json!(name)));
        assert!(headers.is_empty(), "{call} lacks {headers:?}");
    }
    let own = ["GET /v1/auth/details", "GET /v1/auth/time"];
    for (call, here) in &described {
        let known = calls.contains_key(call) || own.contains(&call.as_str());
        assert_eq!(here["extension"] == true, !known, "{call}");
    }
}

#[tokio::test]
async fn the_documents_are_listed() {
    let database = TestDatabase::sqlite();
    let server = Server::start(&database);
    let list: Vec<String> =
        http().get(format!("{}/openapi/", server.url)).send().await.unwrap().json().await.unwrap();
    assert_eq!(list.len(), 3);
    for url in list {
        let document: Value = http().get(url).send().await.unwrap().json().await.unwrap();
        assert_eq!(document["openapi"], "3.1.0");
    }
}

#[tokio::test]
async fn null_in_a_query_is_as_good_as_nothing() {
    let database = TestDatabase::sqlite();
    let server = Server::start(&database);
    let admin = server.admin().await;
    let mut tried = 0;
    for tree in ["v1", "v2"] {
        let document = document(&server, tree).await;
        for (path, operations) in document["paths"].as_object().unwrap() {
            let names = parameters(&operations["get"], "query");
            if names.is_empty() {
                continue;
            }
            let id = "00000000-0000-0000-0000-000000000000";
            let path = path.replace("{policyId}", id).replace("{groupId}", id);
            let nothing: Vec<String> = names.iter().map(|name| format!("{name}=null")).collect();
            let url = format!("/{tree}{path}");
            let with = admin.request(Method::GET, &format!("{url}?{}", nothing.join("&")));
            let (with, without) = (
                with.send().await.unwrap(),
                admin.request(Method::GET, &url).send().await.unwrap(),
            );
            assert_eq!(with.status(), without.status(), "{url}");
            // A replica's feed does not end, and a log grows by the first of the two requests.
            if !path.ends_with("/replica") && !path.starts_with("/iam/activity/") {
                let (with, without): (Value, Value) =
                    (with.json().await.unwrap(), without.json().await.unwrap());
                assert_eq!(with, without, "{url}");
            }
            tried += 1;
        }
    }
    assert!(tried >= 7, "{tried}");
}

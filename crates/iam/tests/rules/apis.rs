//! Guarded APIs that accounts declare.

use futures_util::future::join_all;
use gatewright_iam::{AccountName, Fault, GuardedApi, IamError};
use serde_json::{Map, Value, json};

use crate::installation::{ACCOUNT, INSTANT, Installation, OTHER, fault, not_found};

/// Returns the declaration of a library's API with one operation.
pub(crate) fn library() -> Value {
    json!({
        "openapi": "3.1.0", "info": {"title": "Library"},
        "paths": {"/books/{isbn}": {"get": {
            "summary": "Read a book",
            "x-iam-actions": [{"name": "book:library:get"}],
            "x-iam-resource": {"type": "book", "in": "path", "name": "isbn"},
        }}},
    })
}

/// Returns the document of a declaration.
fn document(api: &GuardedApi) -> Value {
    serde_json::from_str(api.document.get()).unwrap()
}

#[tokio::test]
async fn a_declaration_is_in_force_at_once_and_until_it_is_taken_back() {
    let installation = Installation::new().await;
    let (iam, owner) = (&installation.iam, installation.owner());
    assert!(!iam.catalogue().knows("book:library:get"));
    let made = iam.declare_api(&owner, "library", Ok(library().to_string())).await.unwrap();
    assert_eq!(document(&made)["x-iam-account"], ACCOUNT);
    assert_eq!((made.created_at, made.updated_at), (installation.now(), None));
    assert!(iam.catalogue().knows("book:library:get"));
    installation.pass(INSTANT);
    let again =
        iam.declare_api(&installation.owner(), "library", Ok(library().to_string())).await.unwrap();
    assert_eq!(again.updated_at, Some(installation.now()));
    assert_eq!(document(&again), document(&made));
    assert_eq!(iam.guarded_apis(&owner).await.unwrap(), ["library"]);
    let read = iam.guarded_api(&owner, "library").await.unwrap();
    assert_eq!((document(&read), read.tag), (document(&again), again.tag));
    iam.forget_api(&owner, "library").await.unwrap();
    assert!(!iam.catalogue().knows("book:library:get"));
    not_found(iam.guarded_api(&owner, "library").await);
    not_found(iam.forget_api(&owner, "library").await);
}

#[tokio::test]
async fn an_action_that_nobody_can_see_whole_is_not_declared() {
    let installation = Installation::new().await;
    let (iam, owner) = (&installation.iam, installation.owner());
    for hidden in ["\u{200b}", "\u{202e}", "\n"] {
        let mut document = library();
        let operation = &mut document["paths"]["/books/{isbn}"]["get"];
        operation["x-iam-actions"][0]["name"] = json!(format!("book:library:get{hidden}"));
        let refused =
            iam.declare_api(&owner, "library", Ok(document.to_string())).await.unwrap_err();
        let code = format!("holds U+{:04X}", u32::from(hidden.chars().next().unwrap()));
        assert!(refused.to_string().contains(&code), "{refused}");
    }
}

#[tokio::test]
async fn a_wrong_declaration_changes_nothing() {
    let installation = Installation::new().await;
    let (iam, owner) = (&installation.iam, installation.owner());
    let before = installation.changes().await;
    let with = |key: &str, value: Value| {
        let mut document = library();
        document[key] = value;
        document
    };
    for document in [
        json!([]),
        json!({"info": {}}),
        with("x-iam-api", json!("other")),
        with("x-iam-account", json!(OTHER)),
        with("paths", json!({"/books/{isbn}": {"get": {"x-iam-actions": [{"name": "fly"}]}}})),
    ] {
        let refused = iam.declare_api(&owner, "library", Ok(document.to_string())).await;
        assert_eq!(fault(refused), Fault::Parameter, "{document}");
    }
    assert_eq!(installation.changes().await, before);
}

#[tokio::test]
async fn where_there_are_registrars_they_alone_declare_apis() {
    let installation =
        Installation::with(|settings| settings.registrars = vec![AccountName::new(OTHER)]).await;
    installation.create_account(OTHER).await.unwrap();
    let iam = &installation.iam;
    let refused =
        iam.declare_api(&installation.owner(), "library", Ok(library().to_string())).await;
    assert!(matches!(refused, Err(IamError::Refused(_))), "{refused:?}");
    let mut document = library();
    document["x-iam-account"] = json!(ACCOUNT);
    let made = iam
        .declare_api(&iam.as_owner(&AccountName::new(OTHER)), "library", Ok(document.to_string()))
        .await
        .unwrap();
    assert_eq!(self::document(&made)["x-iam-account"], ACCOUNT);
}

/// Returns a declaration with so many actions, each of an operation.
fn large(actions: usize) -> String {
    let operation = |number: usize| {
        let action = format!("book:library:a{number}");
        let locator = json!({"type": "book", "in": "path", "name": "isbn"});
        let get = json!({"x-iam-actions": [{"name": action}], "x-iam-resource": locator});
        (format!("/r{number}/{{isbn}}"), json!({"get": get}))
    };
    let paths: Map<_, _> = (0..actions).map(operation).collect();
    json!({"openapi": "3.1.0", "info": {"title": "Library"}, "paths": paths}).to_string()
}

#[tokio::test]
async fn the_apis_of_an_account_have_a_bounded_number_of_actions_and_operations_together() {
    let installation = Installation::new().await;
    let (iam, owner) = (&installation.iam, installation.owner());
    let declare = async |name: &str, size: usize| {
        iam.declare_api(&owner, name, Ok(large(size / 2))).await.map(drop)
    };
    declare("one", 30_000).await.unwrap();
    declare("two", 30_000).await.unwrap();
    declare("three", 30_000).await.unwrap();
    assert_eq!(fault(declare("four", 10_002).await), Fault::Parameter);
    declare("four", 10_000).await.unwrap();
    // Another declaration in its place counts alone.
    assert_eq!(fault(declare("four", 10_002).await), Fault::Parameter);
    declare("four", 9_998).await.unwrap();
    iam.forget_api(&owner, "one").await.unwrap();
    declare("four", 30_000).await.unwrap();
}

#[tokio::test]
async fn declarations_of_an_account_are_worked_on_one_after_the_other() {
    let installation = Installation::new().await;
    let (iam, owner) = (&installation.iam, installation.owner());
    let names: Vec<String> = (0..8).map(|number| format!("library-{number}")).collect();
    let declare = |name| iam.declare_api(&owner, name, Ok(large(10)));
    let declared = join_all(names.iter().map(|name| declare(name))).await;
    assert!(declared.iter().all(Result::is_ok), "{declared:?}");
    // In the order in which they came, though all were sent at once.
    assert_eq!(iam.guarded_apis(&owner).await.unwrap(), names);
}

#[tokio::test]
async fn a_declaration_of_a_path_without_end_is_refused() {
    let installation = Installation::new().await;
    let (iam, owner) = (&installation.iam, installation.owner());
    let get = json!({"get": {"x-iam-public": true}});
    let declare = async |path: String| {
        let document = json!({"openapi": "3.1.0", "paths": {path: get.clone()}}).to_string();
        iam.declare_api(&owner, "library", Ok(document)).await
    };
    for path in ["/a".repeat(500_000), "/{a}".repeat(101), format!("/{}", "a".repeat(5_000))] {
        assert_eq!(fault(declare(path).await), Fault::Parameter);
    }
    declare("/a".repeat(99)).await.unwrap();
}

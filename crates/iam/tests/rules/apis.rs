//! Guarded APIs that accounts declare.

use gatewright_iam::{AccountName, Fault, IamError};
use serde_json::{Value, json};

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

#[tokio::test]
async fn a_declaration_is_in_force_at_once_and_until_it_is_taken_back() {
    let installation = Installation::new().await;
    let (iam, owner) = (&installation.iam, installation.owner());
    assert!(!iam.catalogue().knows("book:library:get"));
    let made = iam.declare_api(&owner, "library", Ok(library())).await.unwrap();
    assert_eq!(made.document["x-iam-account"], ACCOUNT);
    assert_eq!((made.created_at, made.updated_at), (installation.now(), None));
    assert!(iam.catalogue().knows("book:library:get"));
    installation.pass(INSTANT);
    let again = iam.declare_api(&installation.owner(), "library", Ok(library())).await.unwrap();
    assert_eq!(again.updated_at, Some(installation.now()));
    assert_eq!(iam.guarded_apis(&owner).await.unwrap(), [again]);
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
        let refused = iam.declare_api(&owner, "library", Ok(document)).await.unwrap_err();
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
        let refused = iam.declare_api(&owner, "library", Ok(document.clone())).await;
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
    let refused = iam.declare_api(&installation.owner(), "library", Ok(library())).await;
    assert!(matches!(refused, Err(IamError::Refused(_))), "{refused:?}");
    let mut document = library();
    document["x-iam-account"] = json!(ACCOUNT);
    let made = iam
        .declare_api(&iam.as_owner(&AccountName::new(OTHER)), "library", Ok(document))
        .await
        .unwrap();
    assert_eq!(made.document["x-iam-account"], ACCOUNT);
}

//! Isolation of accounts: identifiers of one account are of no use in another.

use std::collections::BTreeMap;

use gatewright_iam::{
    AccountName, Attachment, ClientEdit, ClientId, Expiry, GroupInput, GroupName, IamError,
    Instant, LogFilter, Login, Member, NewResource, Permissions, PermissionsGroupInput,
    PolicyFilter, PolicyId, PolicyInput, ResourceFilter, ResourceGroupId, ResourceGroupInput,
    Revision, UserEdit, UserTokenEdit, UserTokenInput,
};
use serde_json::json;

use crate::installation::{ACCOUNT, Installation, OTHER, VPS, conflict, not_found, page, texts};

/// The identifiers of an account's objects, which another account tries.
struct Objects {
    client: ClientId,
    policy: PolicyId,
    permissions_group: String,
    resource_group: ResourceGroupId,
}

fn token_input() -> UserTokenInput {
    UserTokenInput { name: "t".to_owned(), description: String::new(), expiry: Expiry::Never }
}

fn permissions_group_input() -> PermissionsGroupInput {
    PermissionsGroupInput {
        name: "readers".to_owned(),
        description: String::new(),
        permissions: Permissions { allow: texts(&["*get"]), ..Permissions::default() },
    }
}

fn resource_group_input() -> ResourceGroupInput {
    ResourceGroupInput { name: "g".to_owned(), resources: vec![Member::Urn(VPS.to_owned())] }
}

async fn objects(installation: &Installation) -> Objects {
    let (iam, owner) = (&installation.iam, installation.owner());
    let client = installation.stranger().await;
    installation.user("jane", &[]).await;
    iam.create_user_token(&owner, &Login::new("jane"), Ok(token_input())).await.unwrap();
    let group = GroupInput { name: "ops".to_owned(), ..GroupInput::default() };
    iam.create_group(&owner, Ok(group)).await.unwrap();
    installation.resource(VPS, &[("env", "test")]).await;
    let policy = installation.allow(&client.urn(), &["vps:*"], &[VPS]).await;
    let permissions_group = iam.create_permissions_group(&owner, Ok(permissions_group_input()));
    let resource_group = iam.create_resource_group(&owner, Ok(resource_group_input()));
    let library = crate::apis::library();
    iam.declare_api(&owner, "library", Ok(library.to_string())).await.unwrap();
    Objects {
        client: client.client.id,
        policy: policy.rule.id,
        permissions_group: permissions_group.await.unwrap().urn,
        resource_group: resource_group.await.unwrap().id,
    }
}

async fn two_accounts() -> (Installation, Objects) {
    let installation = Installation::new().await;
    installation.create_account(OTHER).await.unwrap();
    let objects = Box::pin(objects(&installation)).await;
    (installation, objects)
}

#[tokio::test]
async fn identities_of_another_account_are_not_found() {
    let (installation, objects) = two_accounts().await;
    let (iam, other) = (&installation.iam, &installation.iam.as_owner(&AccountName::new(OTHER)));
    let before = installation.changes().await;
    not_found(iam.client(other, &objects.client).await);
    not_found(iam.edit_client(other, &objects.client, Ok(ClientEdit::default())).await);
    not_found(iam.delete_client(other, &objects.client).await);
    let jane = Login::new("jane");
    not_found(iam.user(other, &jane).await);
    not_found(iam.edit_user(other, &jane, Ok(UserEdit::default())).await);
    not_found(iam.disable_user(other, &jane).await);
    not_found(iam.reset_second_factors(other, &jane).await);
    not_found(iam.delete_user(other, &jane).await);
    not_found(iam.user_tokens(other, &jane).await);
    not_found(iam.user_token(other, &jane, "t").await);
    not_found(iam.create_user_token(other, &jane, Ok(token_input())).await);
    not_found(iam.edit_user_token(other, &jane, "t", Ok(UserTokenEdit::default())).await);
    not_found(iam.delete_user_token(other, &jane, "t").await);
    let ops = GroupName::new("ops");
    not_found(iam.group(other, &ops).await);
    not_found(iam.edit_group(other, &ops, Ok(GroupInput::default())).await);
    not_found(iam.delete_group(other, &ops).await);
    assert!(iam.clients(other).await.unwrap().is_empty());
    assert!(iam.users(other).await.unwrap().is_empty());
    assert_eq!(iam.groups(other).await.unwrap().len(), 3, "those that every account has");
    assert_eq!(installation.changes().await, before);
}

#[tokio::test]
async fn policies_and_groups_of_another_account_are_not_found() {
    let (installation, objects) = two_accounts().await;
    let (iam, other) = (&installation.iam, &installation.iam.as_owner(&AccountName::new(OTHER)));
    let before = installation.changes().await;
    let input = || Ok(PolicyInput { name: "p".to_owned(), ..PolicyInput::default() });
    not_found(iam.policy(other, Ok(objects.policy)).await);
    not_found(iam.edit_policy(other, Ok(objects.policy), input()).await);
    let identity = format!("urn:v1:eu:identity:account:{OTHER}");
    for attachment in [Attachment::Attached, Attachment::Detached] {
        not_found(iam.set_policy_identity(other, Ok(objects.policy), &identity, attachment).await);
    }
    not_found(iam.delete_policy(other, Ok(objects.policy)).await);
    let urn = objects.permissions_group.as_str();
    not_found(iam.permissions_group(other, urn).await);
    not_found(iam.edit_permissions_group(other, urn, Ok(permissions_group_input())).await);
    not_found(iam.delete_permissions_group(other, urn).await);
    let id = objects.resource_group;
    not_found(iam.resource_group(other, Ok(id)).await);
    not_found(iam.edit_resource_group(other, Ok(id), Ok(resource_group_input())).await);
    not_found(iam.delete_resource_group(other, Ok(id)).await);
    let policies = iam.policies(other, Ok(PolicyFilter::default()), page()).await.unwrap();
    assert!(policies.items.iter().all(|one| one.name == "ovh-default"), "{policies:?}");
    assert_eq!(installation.changes().await, before);
}

#[tokio::test]
async fn resources_and_apis_of_another_account_are_not_found() {
    let (installation, _) = two_accounts().await;
    let (iam, other) = (&installation.iam, &installation.iam.as_owner(&AccountName::new(OTHER)));
    let before = installation.changes().await;
    not_found(iam.resource(other, VPS).await);
    not_found(iam.delete_resource(other, VPS).await);
    let resources = iam.resources(other, Ok(ResourceFilter::default()), page()).await.unwrap();
    assert!(resources.items.iter().all(|one| one.owner.as_str() == OTHER), "{resources:?}");
    // A change of the tags of another account's resource is refused for the missing right, which
    // reveals nothing.
    let tag = ("env".to_owned(), "production".to_owned());
    let refused = iam.add_tag(other, VPS, Ok(tag)).await;
    assert!(matches!(refused, Err(IamError::Forbidden { .. })), "{refused:?}");
    let input =
        NewResource { urn: VPS.to_owned(), display_name: None, owner: None, tags: BTreeMap::new() };
    assert_eq!(conflict(iam.create_resource(other, Ok(input)).await), "AlreadyExists");
    not_found(iam.guarded_api(other, "library").await);
    not_found(iam.forget_api(other, "library").await);
    assert_eq!(
        conflict(iam.declare_api(other, "library", Ok(library().to_string())).await),
        "AlreadyExists"
    );
    assert!(iam.guarded_apis(other).await.unwrap().is_empty());
    assert_eq!(installation.changes().await, before);
}

fn library() -> serde_json::Value {
    let mut document = crate::apis::library();
    document["info"] = json!({"title": "Another library"});
    document
}

#[tokio::test]
async fn logs_show_the_callers_account_alone() {
    let (installation, _) = two_accounts().await;
    let (iam, other) = (&installation.iam, &installation.iam.as_owner(&AccountName::new(OTHER)));
    let events =
        iam.audit(other, &LogFilter::default(), (Revision::MAX, 100)).await.unwrap().events;
    let of_the_first = events.iter().filter(|one| one.who.contains(ACCOUNT)).count();
    assert_eq!(of_the_first, 0, "{events:?}");
    let tokens = gatewright_iam::LogKind::Token;
    let lines = iam.log(other, tokens, &LogFilter::default(), (Instant::MAX, 100)).await.unwrap();
    assert!(lines.lines.is_empty(), "{lines:?}");
}

#[tokio::test]
async fn the_name_of_an_api_stays_with_the_account_that_had_it_first() {
    let (installation, _) = two_accounts().await;
    let (iam, owner) = (&installation.iam, installation.owner());
    let other = iam.as_owner(&AccountName::new(OTHER));
    iam.forget_api(&owner, "library").await.unwrap();
    let taken = iam.declare_api(&other, "library", Ok(library().to_string())).await;
    assert_eq!(conflict(taken), "AlreadyExists");
    let elsewhere = installation.elsewhere().await;
    let taken = elsewhere.declare_api(&other, "library", Ok(library().to_string())).await;
    assert_eq!(conflict(taken), "AlreadyExists");
    iam.declare_api(&owner, "library", Ok(library().to_string())).await.unwrap();
}

#[tokio::test]
async fn what_one_account_declares_is_not_listed_for_another() {
    let (installation, _) = two_accounts().await;
    let (iam, owner) = (&installation.iam, installation.owner());
    let other = iam.as_owner(&AccountName::new(OTHER));
    let lists = async |account| {
        let catalogue = iam.catalogue_for(account).await.unwrap();
        let is_listed = catalogue.types().any(|one| one == "book");
        let actions = catalogue.actions(None);
        assert_eq!(is_listed, actions.iter().any(|one| &*one.name == "book:library:get"));
        assert!(actions.iter().any(|one| &*one.name == "vps:apiovh:reboot"));
        is_listed
    };
    assert!(lists(&owner).await);
    assert!(!lists(&other).await);
    // What both declare, both see, each with their own description.
    let mut theirs = library();
    theirs["paths"]["/books/{isbn}"]["get"]["summary"] = json!("Lend a book");
    iam.declare_api(&other, "lending", Ok(theirs.to_string())).await.unwrap();
    let description = async |account| {
        let catalogue = iam.catalogue_for(account).await.unwrap();
        let actions = catalogue.actions(Some("book"));
        let found = actions.iter().find(|one| &*one.name == "book:library:get").unwrap();
        found.description.clone()
    };
    assert_eq!(description(&owner).await, "Read a book");
    assert_eq!(description(&other).await, "Lend a book");
    iam.forget_api(&other, "lending").await.unwrap();
    assert!(lists(&owner).await && !lists(&other).await);
}

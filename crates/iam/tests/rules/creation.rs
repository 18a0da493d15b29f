//! Creations that are repeated under an idempotency key.

use std::sync::Arc;

use gatewright_iam::{
    ClientInput, Context, Expiry, Fault, Flow, GroupInput, IamError, IdempotencyKey, Login,
    NewResource, PolicyInput, RequestConditions, UserInput, UserTokenInput, rights,
};

use crate::installation::{DAY, HOUR, INSTANT, Installation, VPS, account_urn, conflict, fault};

/// Returns the context of a request with an idempotency key.
fn keyed(context: &Context, key: &str, request: &str) -> Context {
    let key = IdempotencyKey::new(&context.principal.identity, key, &[request.as_bytes()]);
    let conditions =
        RequestConditions { idempotency_key: Some(key), ..RequestConditions::default() };
    Context { conditions: Some(Arc::new(conditions)), ..context.clone() }
}

fn input_named(name: &str) -> PolicyInput {
    PolicyInput { name: name.to_owned(), ..PolicyInput::default() }
}

#[tokio::test]
async fn a_repeated_creation_is_answered_as_the_first_and_creates_nothing() {
    let installation = Installation::new().await;
    let (iam, owner) = (&installation.iam, installation.owner());
    let context = keyed(&owner, "k", "a");
    let made = iam.create_policy(&context, Ok(input_named("p"))).await.unwrap();
    let changed = iam.edit_policy(&owner, Ok(made.rule.id), Ok(input_named("q"))).await.unwrap();
    assert_ne!(changed, made);
    let changes = installation.changes().await;
    // As it was made, though it has changed; and after it is gone; and at another node.
    assert_eq!(iam.create_policy(&context, Ok(input_named("p"))).await.unwrap(), made);
    iam.delete_policy(&owner, Ok(made.rule.id)).await.unwrap();
    assert_eq!(iam.create_policy(&context, Ok(input_named("p"))).await.unwrap(), made);
    let elsewhere = installation.elsewhere().await;
    assert_eq!(elsewhere.create_policy(&context, Ok(input_named("p"))).await.unwrap(), made);
    assert_eq!(installation.changes().await, changes + 1);

    let another = iam.create_policy(&keyed(&owner, "k", "b"), Ok(input_named("r"))).await;
    assert!(matches!(another, Err(IamError::KeyReused)), "{another:?}");
    let other = iam.create_policy(&keyed(&owner, "l", "a"), Ok(input_named("p"))).await.unwrap();
    assert_ne!(other.rule.id, made.rule.id);
}

#[tokio::test]
async fn a_creation_that_failed_may_be_repeated_and_a_key_is_free_after_a_day() {
    let installation = Installation::new().await;
    let (iam, owner) = (&installation.iam, installation.owner());
    let there = iam.create_policy(&owner, Ok(input_named("p"))).await.unwrap();
    let context = keyed(&owner, "k", "a");
    let taken = iam.create_policy(&context, Ok(input_named("p"))).await;
    assert_eq!(conflict(taken), "POLICY_ALREADY_EXISTS");
    iam.delete_policy(&owner, Ok(there.rule.id)).await.unwrap();
    let made = iam.create_policy(&context, Ok(input_named("p"))).await.unwrap();
    installation.pass(DAY);
    let late = Context { now: installation.now(), ..context.clone() };
    assert_eq!(iam.create_policy(&late, Ok(input_named("p"))).await.unwrap(), made);
    installation.pass(INSTANT);
    let late = Context { now: installation.now(), ..context };
    assert_eq!(
        conflict(iam.create_policy(&late, Ok(input_named("p"))).await),
        "POLICY_ALREADY_EXISTS"
    );
    iam.delete_policy(&owner, Ok(made.rule.id)).await.unwrap();
    assert_ne!(iam.create_policy(&late, Ok(input_named("p"))).await.unwrap().rule.id, made.rule.id);
}

#[tokio::test]
async fn whoever_lost_the_right_is_not_told_what_they_created() {
    let installation = Installation::new().await;
    let (iam, owner) = (&installation.iam, installation.owner());
    let caller = installation.stranger().await;
    let rights = [rights::POLICY_CREATE];
    let policy = installation.allow(&caller.urn(), &rights, &[&account_urn()]).await;
    let context = keyed(&caller.context, "k", "a");
    let made = iam.create_policy(&context, Ok(input_named("p"))).await.unwrap();
    assert_eq!(iam.create_policy(&context, Ok(input_named("p"))).await.unwrap(), made);
    // The key of one caller is not that of another.
    let others = keyed(&owner, "k", "b");
    iam.create_policy(&others, Ok(input_named("q"))).await.unwrap();
    iam.delete_policy(&owner, Ok(policy.rule.id)).await.unwrap();
    let refused = iam.create_policy(&context, Ok(input_named("p"))).await;
    assert!(matches!(refused, Err(IamError::Forbidden { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_secret_is_shown_once_even_to_who_repeats_its_creation() {
    let installation = Installation::new().await;
    let (iam, owner) = (&installation.iam, installation.owner());
    let client = || ClientInput {
        name: "c".to_owned(),
        description: "d".to_owned(),
        flow: Flow::ClientCredentials,
        callback_urls: Vec::new(),
    };
    let context = keyed(&owner, "k", "a");
    let (made, secret) = iam.create_client(&context, Ok(client())).await.unwrap();
    let again = iam.create_client(&context, Ok(client())).await.unwrap_err();
    assert!(matches!(again, IamError::Conflict { detail: "AlreadyCreated", .. }));
    assert!(again.to_string().contains(made.id.as_str()), "{again}");
    assert!(!again.to_string().contains(secret.reveal()));

    installation.user("u", &[]).await;
    let token = || UserTokenInput {
        name: "t".to_owned(),
        description: "d".to_owned(),
        expiry: Expiry::Never,
    };
    let context = keyed(&owner, "l", "a");
    iam.create_user_token(&context, &Login::new("u"), Ok(token())).await.unwrap();
    let again = iam.create_user_token(&context, &Login::new("u"), Ok(token())).await.map(drop);
    assert_eq!(conflict(again), "AlreadyCreated");
    assert_eq!(iam.user_tokens(&owner, &Login::new("u")).await.unwrap().len(), 1);
}

#[tokio::test]
async fn users_groups_and_resources_are_created_once_too() {
    let installation = Installation::new().await;
    let (iam, owner) = (&installation.iam, installation.owner());
    let user = || UserInput { login: "u".to_owned(), ..UserInput::default() };
    let context = keyed(&owner, "user", "a");
    let made = iam.create_user(&context, Ok(user())).await.unwrap();
    assert_eq!(iam.create_user(&context, Ok(user())).await.unwrap(), made);
    let group = || GroupInput { name: "g".to_owned(), ..GroupInput::default() };
    let context = keyed(&owner, "group", "a");
    let made = iam.create_group(&context, Ok(group())).await.unwrap();
    assert_eq!(iam.create_group(&context, Ok(group())).await.unwrap(), made);
    let resource = || NewResource {
        urn: VPS.to_owned(),
        display_name: None,
        owner: None,
        tags: [("env".to_owned(), "dev".to_owned())].into(),
    };
    let context = keyed(&owner, "resource", "a");
    let made = iam.create_resource(&context, Ok(resource())).await.unwrap();
    iam.remove_tag(&owner, VPS, "env").await.unwrap();
    assert_eq!(iam.create_resource(&context, Ok(resource())).await.unwrap(), made);
}

#[tokio::test]
async fn an_account_has_so_many_keys_and_no_more() {
    let limited = Installation::with(|settings| settings.limits.idempotency_keys = 2);
    let installation = limited.await;
    let (iam, owner) = (&installation.iam, installation.owner());
    let create = async |context: &Context, key: &str| {
        iam.create_policy(&keyed(context, key, "a"), Ok(input_named(key))).await
    };
    create(&owner, "k1").await.unwrap();
    installation.pass(HOUR);
    create(&installation.owner(), "k2").await.unwrap();
    assert_eq!(fault(create(&installation.owner(), "k3").await), Fault::Parameter);
    iam.create_policy(&owner, Ok(input_named("k3"))).await.unwrap();
    // The oldest is free after its day.
    installation.pass(DAY);
    create(&installation.owner(), "k4").await.unwrap();
}

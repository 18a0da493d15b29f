//! Tests that each use case demands its right before anything else.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::Arc;

use gatewright_iam::{
    Attachment, BuiltInProducts, Catalogue, ClientId, Context, EvaluationsSemantic, Expiry,
    GroupName, Iam, IamError, Instant, LogFilter, LogKind, Login, Permissions, PolicyInput,
    ReplicaPosition, Revision, UserInput, UserTokenEdit, rights,
};

use crate::installation::{Installation, account_urn, texts, unread};
use crate::source::{GRANTS, functions_that_call};

/// A use case, and the right that it demands.
struct UseCase {
    name: &'static str,
    right: &'static str,
    call: for<'a> fn(&'a Arc<Iam>, &'a Context) -> Answer<'a>,
}

type Answer<'a> = Pin<Box<dyn Future<Output = Result<(), IamError>> + 'a>>;

macro_rules! use_cases {
    ($($right:ident: $name:ident($($argument:expr),*);)*) => {
        &[$(UseCase {
            name: stringify!($name),
            right: rights::$right,
            call: |iam, context| {
                Box::pin(async move { iam.$name(context, $($argument),*).await.map(drop) })
            },
        }),*]
    };
}

/// The use cases that demand one right of their caller. Their inputs are invalid or name nothing.
const USE_CASES: &[UseCase] = use_cases! {
    ME_GET: me();
    ME_EDIT: edit_me(unread());
    CLIENT_GET: clients();
    CLIENT_GET: clients_used();
    CLIENT_GET: unused_clients();
    CLIENT_GET: client(&ClientId::new("x"));
    CLIENT_GET: log(LogKind::Token, &LogFilter::default(), (Instant::MAX, 1));
    CLIENT_GET: find_lines(LogKind::Token, unread(), unread());
    CLIENT_GET: last_lines(LogKind::Token, "x", 1);
    CLIENT_CREATE: create_client(unread());
    CLIENT_EDIT: edit_client(&ClientId::new("x"), unread());
    CLIENT_ENABLE: enable_client(&ClientId::new("x"));
    CLIENT_DISABLE: disable_client(&ClientId::new("x"));
    CLIENT_DELETE: delete_client(&ClientId::new("x"));
    USER_GET: users();
    USER_GET: user(&Login::new("x"));
    USER_CREATE: create_user(unread());
    USER_EDIT: edit_user(&Login::new("x"), unread());
    USER_EDIT: reset_second_factors(&Login::new("x"));
    USER_DELETE: delete_user(&Login::new("x"));
    USER_ENABLE: enable_user(&Login::new("x"));
    USER_DISABLE: disable_user(&Login::new("x"));
    SECOND_FACTOR_EDIT: set_second_factor(unread());
    USER_TOKEN_GET: user_tokens(&Login::new("x"));
    USER_TOKEN_GET: user_token(&Login::new("x"), "y");
    USER_TOKEN_CREATE: create_user_token(&Login::new("x"), unread());
    USER_TOKEN_EDIT: edit_user_token(&Login::new("x"), "y", unread());
    USER_TOKEN_DELETE: delete_user_token(&Login::new("x"), "y");
    GROUP_GET: groups();
    GROUP_GET: group(&GroupName::new("x"));
    GROUP_CREATE: create_group(unread());
    GROUP_EDIT: edit_group(&GroupName::new("x"), unread());
    GROUP_DELETE: delete_group(&GroupName::new("x"));
    CALLS_GET: log(LogKind::Call, &LogFilter::default(), (Instant::MAX, 1));
    CALLS_GET: find_lines(LogKind::Call, unread(), unread());
    CALLS_ON_SERVICES_GET: calls_on_services();
    AUDIT_GET: audit(&LogFilter::default(), (Revision::MAX, 1));
    DECISIONS_READ: log(LogKind::Decision, &LogFilter::default(), (Instant::MAX, 1));
    DECISIONS_READ: find_lines(LogKind::Decision, unread(), unread());
    DECISIONS_READ: hourly_counts(Instant::EPOCH);
    EVALUATE: evaluate(unread(), EvaluationsSemantic::ExecuteAll);
    EVALUATE: search_subjects(unread());
    EVALUATE: search_resources(unread());
    EVALUATE: search_actions(unread());
    API_GET: guarded_apis();
    API_GET: guarded_api("x");
    API_EDIT: declare_api("x", unread());
    API_DELETE: forget_api("x");
    REPLICA_GET: follow(ReplicaPosition::Nothing);
    REPLICA_GET: resume(unread());
    POLICY_GET: policies(unread(), unread());
    POLICY_GET: policy(unread());
    POLICY_GET: policy_counts(&[]);
    POLICY_GET: simulate(unread(), None);
    POLICY_GET: diffs(unread());
    POLICY_GET: findings();
    POLICY_GET: effective_permissions("x");
    POLICY_CREATE: create_policy(unread());
    POLICY_EDIT: edit_policy(unread(), unread());
    POLICY_EDIT: set_policy_identity(unread(), "x", Attachment::Attached);
    POLICY_DELETE: delete_policy(unread());
    PERMISSIONS_GROUP_GET: permissions_groups(unread());
    PERMISSIONS_GROUP_GET: permissions_group("x");
    PERMISSIONS_GROUP_CREATE: create_permissions_group(unread());
    PERMISSIONS_GROUP_EDIT: edit_permissions_group("x", unread());
    PERMISSIONS_GROUP_DELETE: delete_permissions_group("x");
    RESOURCE_GROUP_GET: resource_groups(unread());
    RESOURCE_GROUP_GET: resource_group(unread());
    RESOURCE_GROUP_CREATE: create_resource_group(unread());
    RESOURCE_GROUP_EDIT: edit_resource_group(unread(), unread());
    RESOURCE_GROUP_DELETE: delete_resource_group(unread());
    RESOURCE_CREATE: create_resource(unread());
    RESOURCE_EDIT: set_tags("x", unread());
    RESOURCE_DELETE: delete_resource("x");
    TAG_ADD: add_tag("x", unread());
    TAG_REMOVE: remove_tag("x", "y");
};

fn missing(name: &str, answer: Result<(), IamError>) -> (Vec<String>, Vec<String>) {
    match answer {
        Err(IamError::Forbidden { by_policy, by_scope }) => (by_policy, by_scope),
        other => panic!("{name}: {other:?}"),
    }
}

#[test]
fn each_right_is_demanded_by_some_use_case() {
    let ours = Catalogue::load(BuiltInProducts::LeftOut, None).unwrap();
    let ours: BTreeSet<&str> = ours.actions(None).iter().map(|one| &*one.name).collect();
    let mut demanded: BTreeSet<&str> = USE_CASES.iter().map(|one| one.right).collect();
    // This right is optional: without it, the properties of a request are ignored.
    demanded.insert(rights::SAY_PROPERTIES);
    // Without this one, tokens of others are not active.
    demanded.insert(rights::TOKEN_INTROSPECT);
    let ours: BTreeSet<&str> =
        ours.into_iter().filter(|name| name.starts_with("account:apiovh:")).collect();
    assert_eq!(demanded, ours);
}

#[tokio::test]
async fn without_any_right_each_use_case_names_its_own_before_it_looks_at_the_input() {
    let installation = Installation::new().await;
    let caller = installation.stranger().await;
    let before = installation.changes().await;
    for UseCase { name, right, call } in USE_CASES {
        let answer = call(&installation.iam, &caller.context).await;
        assert_eq!(missing(name, answer), (texts(&[right]), Vec::new()), "{name}");
    }
    assert_eq!(installation.changes().await, before, "something changed");
}

#[tokio::test]
async fn with_all_rights_but_its_own_each_use_case_is_refused() {
    let installation = Installation::new().await;
    let rights: BTreeSet<&str> = USE_CASES.iter().map(|one| one.right).collect();
    for right in rights {
        let caller = installation.stranger().await;
        let allow = texts(&["account:apiovh:*"]);
        let permissions = Permissions { allow, except: texts(&[right]), ..Permissions::default() };
        installation.policy(&caller.urn(), permissions, &[&account_urn()]).await;
        for UseCase { name, call, .. } in USE_CASES.iter().filter(|one| one.right == right) {
            let answer = call(&installation.iam, &caller.context).await;
            assert_eq!(missing(name, answer), (texts(&[right]), Vec::new()), "{name}");
        }
    }
}

#[tokio::test]
async fn with_its_right_alone_each_use_case_looks_at_its_input() {
    let installation = Installation::new().await;
    let rights: BTreeSet<&str> = USE_CASES.iter().map(|one| one.right).collect();
    for right in rights {
        let caller = installation.stranger().await;
        installation.allow(&caller.urn(), &[right], &[&account_urn()]).await;
        for UseCase { name, call, .. } in USE_CASES.iter().filter(|one| one.right == right) {
            let answer = call(&installation.iam, &caller.context).await;
            assert!(!matches!(answer, Err(IamError::Forbidden { .. })), "{name}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn a_token_of_another_scope_opens_no_use_case_whatever_policies_say() {
    let installation = Installation::new().await;
    let caller = installation.stranger_with("vps/all").await;
    installation.allow(&caller.urn(), &["*"], &["urn:v1:eu:resource:*"]).await;
    for UseCase { name, right, call } in USE_CASES {
        let answer = call(&installation.iam, &caller.context).await;
        assert_eq!(missing(name, answer), (Vec::new(), texts(&[right])), "{name}");
    }
}

#[tokio::test]
async fn the_owner_of_an_account_needs_no_policy() {
    let installation = Installation::new().await;
    let owner = installation.owner();
    for UseCase { name, call, .. } in USE_CASES {
        let answer = call(&installation.iam, &owner).await;
        assert!(!matches!(answer, Err(IamError::Forbidden { .. })), "{name}: {answer:?}");
    }
}

#[test]
fn rights_that_lead_to_all_others_are_marked() {
    let catalogue = rights::ALL.iter().filter(|right| right.is_equal_to_administrator());
    let marked: Vec<&str> = catalogue.map(|right| right.action).collect();
    assert_eq!(marked.len(), rights::EQUAL_TO_ADMINISTRATOR.len());
    for right in rights::ALL {
        let is_marked = right.explanation().ends_with("(equal to administrator)");
        assert_eq!(is_marked, marked.contains(&right.action), "{}", right.action);
    }
}

#[tokio::test]
async fn where_only_administrators_give_rights_nobody_gives_what_they_lack() {
    let installation =
        Installation::with(|settings| settings.only_administrators_grant = true).await;
    let (iam, account) = (&installation.iam, account_urn());
    let (some, all) = (installation.stranger().await, installation.stranger().await);
    installation.allow(&some.urn(), &["account:apiovh:*"], &[&account]).await;
    installation.allow(&all.urn(), &["*"], &["urn:v1:eu:resource:*"]).await;
    let deny = || Permissions { deny: texts(&["vps:*"]), ..Permissions::default() };
    let denial = installation.policy(&some.urn(), deny(), &["urn:v1:eu:resource:vps:*"]).await;
    let input = |name: &str| {
        let identities = vec![some.urn()];
        Ok(PolicyInput { name: name.to_owned(), identities, ..PolicyInput::default() })
    };
    let user = |login: &str| Ok(UserInput { login: login.to_owned(), ..UserInput::default() });
    let is_refused = |name: &str, answer: Result<(), IamError>| {
        assert!(matches!(answer, Err(IamError::Refused(_))), "{name}: {answer:?}");
    };
    let granting = functions_that_call(GRANTS);
    let mut tried = BTreeSet::new();
    for UseCase { name, call, .. } in USE_CASES.iter().filter(|one| granting.contains(one.name)) {
        let answer = if *name == "edit_user_token" {
            // It gives something where it makes the token last longer.
            let edit = UserTokenEdit { description: None, expiry: Some(Expiry::Never) };
            iam.edit_user_token(&some.context, &Login::new("x"), "y", Ok(edit)).await.map(drop)
        } else {
            call(iam, &some.context).await
        };
        is_refused(name, answer);
        tried.insert((*name).to_owned());
    }
    assert_eq!(tried, granting);
    // What denies something is not taken away either.
    is_refused("denial", iam.delete_policy(&some.context, Ok(denial.rule.id)).await);
    iam.create_policy(&all.context, input("p")).await.unwrap();
    iam.create_user(&all.context, user("jane")).await.unwrap();
    iam.create_policy(&installation.owner(), input("q")).await.unwrap();
    // Whoever is denied something, be it one resource, may not do everything.
    installation.policy(&all.urn(), deny(), &["urn:v1:eu:resource:vps:web-1"]).await;
    let refused = iam.create_user(&all.context, user("john")).await;
    assert!(matches!(refused, Err(IamError::Refused(_))), "{refused:?}");
}

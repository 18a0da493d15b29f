//! Limits of what callers name, and of what an account holds.

use std::collections::BTreeMap;

use gatewright_iam::limits::{
    ACTION_BYTES, CONDITION_KEY_BYTES, CONDITION_VALUE_BYTES, LOG_TEXT_BYTES, PROPERTIES,
    RESOURCE_TYPE_BYTES, TAGS, URN_BYTES,
};
use gatewright_iam::{
    Attachment, Call, Condition, Evaluation, EvaluationsSemantic, Fault, GroupInput, GroupName,
    Iam, IamError, Instant, LogFilter, LogKind, Login, Member, NewResource, Permissions,
    PermissionsGroupInput, PolicyInput, ResourceGroupInput, SubjectKind, UserEdit, UserInput,
    rights,
};
use serde_json::json;

use crate::installation::{
    Installation, OTHER, REBOOT, VPS, account_urn, evaluation, fault, page, texts,
};

/// Returns the URN of a resource, of so many bytes.
fn urn_of(bytes: usize) -> String {
    let head = "urn:v1:eu:resource:vps:";
    format!("{head}{}", "x".repeat(bytes - head.len()))
}

fn action_of(bytes: usize) -> String {
    format!("vps:apiovh:{}", "x".repeat(bytes - "vps:apiovh:".len()))
}

fn name_policy(name: &str) -> PolicyInput {
    PolicyInput { name: name.to_owned(), ..PolicyInput::default() }
}

fn condition(key: &str, value: &str) -> Condition {
    serde_json::from_value(json!({"operator": "MATCH", "values": {key: value}})).unwrap()
}

#[track_caller]
fn too_large<T: std::fmt::Debug>(result: &Result<T, IamError>) {
    assert!(matches!(result, Err(IamError::TooLarge(_))), "{result:?}");
}

#[tokio::test]
async fn each_text_of_a_policy_has_a_longest_length() {
    let installation = Installation::new().await;
    let (iam, owner) = (&installation.iam, installation.owner());
    let allow = |pattern: String| Permissions { allow: vec![pattern], ..Permissions::default() };
    let user = |bytes: usize| {
        let head = "urn:v1:eu:identity:user:aa11111-ovh/";
        vec![format!("{head}{}", "x".repeat(bytes - head.len()))]
    };
    let key = |bytes: usize| format!("resource.Tag({})", "k".repeat(bytes - 14));
    let fits = PolicyInput {
        identities: user(URN_BYTES),
        resources: vec![urn_of(URN_BYTES)],
        permissions: allow(action_of(ACTION_BYTES)),
        conditions: Some(condition(&key(CONDITION_KEY_BYTES), &"v".repeat(CONDITION_VALUE_BYTES))),
        ..name_policy("fits")
    };
    iam.create_policy(&owner, Ok(fits)).await.unwrap();
    let wrong = [
        PolicyInput { identities: user(URN_BYTES + 1), ..name_policy("p") },
        PolicyInput { resources: vec![urn_of(URN_BYTES + 1)], ..name_policy("p") },
        PolicyInput { permissions: allow(action_of(ACTION_BYTES + 1)), ..name_policy("p") },
        PolicyInput {
            conditions: Some(condition(&key(CONDITION_KEY_BYTES + 1), "v")),
            ..name_policy("p")
        },
        PolicyInput {
            conditions: Some(condition(&key(20), &"v".repeat(CONDITION_VALUE_BYTES + 1))),
            ..name_policy("p")
        },
    ];
    for input in wrong {
        let refused = iam.create_policy(&owner, Ok(input.clone())).await;
        assert_eq!(fault(refused), Fault::TooLong, "{input:?}");
    }
    let long = allow(action_of(ACTION_BYTES + 1));
    let group = PermissionsGroupInput {
        name: "g".to_owned(),
        description: String::new(),
        permissions: long,
    };
    assert_eq!(fault(iam.create_permissions_group(&owner, Ok(group)).await), Fault::TooLong);
}

#[tokio::test]
async fn a_policy_has_a_largest_size_as_a_whole() {
    let small = |settings: &mut gatewright_iam::Settings| settings.limits.policy_bytes = 2_000;
    let installation = Installation::with(small).await;
    let (iam, owner) = (&installation.iam, installation.owner());
    let with = |count: usize| PolicyInput {
        resources: (0..count).map(|number| format!("{}{number:04}", urn_of(96))).collect(),
        ..name_policy("p")
    };
    too_large(&iam.create_policy(&owner, Ok(with(21))).await);
    let policy = iam.create_policy(&owner, Ok(with(20))).await.unwrap();
    too_large(&iam.edit_policy(&owner, Ok(policy.rule.id), Ok(with(21))).await);
    let user = installation.user("jane", &["DEFAULT"]).await;
    let attached = Attachment::Attached;
    too_large(&iam.set_policy_identity(&owner, Ok(policy.rule.id), &user, attached).await);
    let allow = (0..100).map(|number| action_of(20) + &number.to_string()).collect();
    let permissions = Permissions { allow, ..Permissions::default() };
    let group =
        PermissionsGroupInput { name: "g".to_owned(), description: String::new(), permissions };
    too_large(&iam.create_permissions_group(&owner, Ok(group)).await);
}

#[tokio::test]
async fn what_exceeds_a_new_limit_stays_in_force_and_can_be_detached_and_deleted() {
    let installation = Installation::new().await;
    let (owner, caller) = (installation.owner(), installation.stranger().await);
    let policy = installation.allow(&caller.urn(), &[REBOOT], &[VPS]).await;
    let id = || Ok(policy.rule.id);
    let stricter = installation.elsewhere_with(|settings| settings.limits.policy_bytes = 10).await;
    let checked = stricter.check(&caller.context, texts(&[VPS]), Ok(texts(&[REBOOT]))).await;
    assert_eq!(checked.unwrap()[0].authorized, [REBOOT]);
    assert_eq!(stricter.policy(&owner, id()).await.unwrap(), policy);
    too_large(&stricter.edit_policy(&owner, id(), Ok(policy.clone().into())).await);
    let detached = Attachment::Detached;
    stricter.set_policy_identity(&owner, id(), &caller.urn(), detached).await.unwrap();
    stricter.delete_policy(&owner, id()).await.unwrap();
}

/// Returns permissions with so many patterns in different places.
fn costly(count: usize) -> Permissions {
    let allow = (0..count).map(|number| format!("*x{number}*")).collect();
    Permissions { allow, ..Permissions::default() }
}

#[tokio::test]
async fn the_policies_of_an_identity_stay_cheap_to_evaluate() {
    let cheap = |settings: &mut gatewright_iam::Settings| settings.limits.decision_cost = 1_000;
    let installation = Installation::with(cheap).await;
    let (iam, owner) = (&installation.iam, installation.owner());
    let caller = installation.stranger().await.urn();
    let input = |name: &str, identities: &[&str]| PolicyInput {
        identities: texts(identities),
        resources: texts(&[VPS]),
        permissions: costly(2_000),
        ..name_policy(name)
    };
    let mut made = Vec::new();
    let refused = loop {
        let name = format!("p{}", made.len());
        match iam.create_policy(&owner, Ok(input(&name, &[&caller]))).await {
            Ok(policy) => made.push(policy),
            Err(error) => break error,
        }
    };
    assert!((2..20).contains(&made.len()), "{}", made.len());
    assert!(matches!(refused, IamError::Invalid { fault: Fault::Parameter, .. }), "{refused:?}");
    let other = iam.create_policy(&owner, Ok(input("other", &[]))).await.unwrap();
    let id = || Ok(other.rule.id);
    let attached = Attachment::Attached;
    let attach = iam.set_policy_identity(&owner, id(), &caller, attached).await;
    assert_eq!(fault(attach), Fault::Parameter);
    let edited = iam.edit_policy(&owner, id(), Ok(input("other", &[&caller]))).await;
    assert_eq!(fault(edited), Fault::Parameter);
    // What is no costlier than before is accepted.
    let same = iam.edit_policy(&owner, Ok(made[0].rule.id), Ok(input("same", &[&caller]))).await;
    same.unwrap();
}

#[tokio::test]
async fn the_policies_of_an_account_have_a_largest_size_together() {
    let small = |settings: &mut gatewright_iam::Settings| {
        settings.limits.account_policy_bytes = 200_000;
    };
    let installation = Installation::with(small).await;
    let (iam, owner) = (&installation.iam, installation.owner());
    let input = |name: &str| PolicyInput { permissions: costly(1_000), ..name_policy(name) };
    let (mut made, mut last) = (0, None);
    let refused = loop {
        match iam.create_policy(&owner, Ok(input(&format!("p{made}")))).await {
            Ok(policy) => (made, last) = (made + 1, Some(policy.rule.id)),
            Err(error) => break error,
        }
    };
    assert!((1..20).contains(&made), "{made}");
    assert!(matches!(refused, IamError::Invalid { fault: Fault::Parameter, .. }), "{refused:?}");
    iam.delete_policy(&owner, Ok(last.unwrap())).await.unwrap();
    iam.create_policy(&owner, Ok(input("again"))).await.unwrap();
}

#[tokio::test]
async fn the_groups_that_count_for_a_caller_stay_cheap_together() {
    let cheap = |settings: &mut gatewright_iam::Settings| settings.limits.decision_cost = 1_000;
    let installation = Installation::with(cheap).await;
    let (iam, owner) = (&installation.iam, installation.owner());
    let group = |name: &str| {
        let input =
            gatewright_iam::GroupInput { name: name.to_owned(), description: None, role: None };
        iam.create_group(&owner, Ok(input))
    };
    let (one, two) = (group("one").await.unwrap().urn, group("two").await.unwrap().urn);
    let permissions_group = |name: &str, permissions| PermissionsGroupInput {
        name: name.to_owned(),
        description: String::new(),
        permissions,
    };
    let plain = permissions_group("g", costly(1));
    let shared = iam.create_permissions_group(&owner, Ok(plain)).await.unwrap();
    let policy = async |name: &str, group: &str, times: usize| {
        let resources = (0..times).map(|time| format!("{VPS}{time}*")).collect();
        let input = PolicyInput {
            identities: texts(&[group]),
            resources,
            permissions: costly(2_000),
            permissions_groups: texts(&[&shared.urn]),
            ..name_policy(name)
        };
        iam.create_policy(&owner, Ok(input)).await
    };
    for number in 0..3 {
        policy(&format!("one-{number}"), &one, 1).await.unwrap();
        policy(&format!("two-{number}"), &two, 1).await.unwrap();
    }
    installation.user("jane", &["one"]).await;
    let edit = gatewright_iam::UserEdit {
        groups: Some(vec![GroupName::new("one"), GroupName::new("two")]),
        ..gatewright_iam::UserEdit::default()
    };
    iam.edit_user(&owner, &Login::new("jane"), Ok(edit)).await.unwrap();
    let refused = policy("three", &one, 1).await;
    assert_eq!(fault(refused), Fault::Parameter, "jane has both groups");
    let costlier = permissions_group("g", costly(2_000));
    let refused = iam.edit_permissions_group(&owner, &shared.urn, Ok(costlier)).await;
    assert_eq!(fault(refused), Fault::Parameter);
}

#[tokio::test]
async fn the_groups_of_another_account_stay_cheap_together_and_its_users_each() {
    let cheap = |settings: &mut gatewright_iam::Settings| settings.limits.decision_cost = 1_000;
    let installation = Installation::with(cheap).await;
    installation.create_account(OTHER).await.unwrap();
    let (iam, owner) = (&installation.iam, installation.owner());
    let policy = async |kind: &str, number: usize| {
        let input = PolicyInput {
            identities: vec![format!("urn:v1:eu:identity:{kind}:{OTHER}/{kind}-{number}")],
            resources: texts(&[VPS]),
            permissions: costly(2_000),
            ..name_policy(&format!("{kind}-{number}"))
        };
        iam.create_policy(&owner, Ok(input)).await
    };
    for number in 0..20 {
        policy("user", number).await.unwrap();
    }
    let mut made = 0;
    let refused = loop {
        match policy("group", made).await {
            Ok(_) => made += 1,
            refused => break refused,
        }
    };
    assert_eq!(fault(refused), Fault::Parameter);
    assert!((2..20).contains(&made), "{made}");
}

#[tokio::test]
async fn a_user_keeps_groups_that_have_become_too_costly() {
    let installation = Installation::new().await;
    let owner = installation.owner();
    for (number, name) in ["one", "two"].into_iter().enumerate() {
        let input =
            gatewright_iam::GroupInput { name: name.to_owned(), description: None, role: None };
        let group = installation.iam.create_group(&owner, Ok(input)).await.unwrap();
        let resource = format!("{VPS}{number}");
        installation.policy(&group.urn, costly(2_000), &[&resource]).await;
    }
    installation.user("jane", &["one"]).await;
    let stricter = installation.elsewhere_with(|settings| settings.limits.decision_cost = 10).await;
    let edit = async |groups: &[&str]| {
        let groups = Some(groups.iter().map(|&name| GroupName::new(name)).collect());
        let edit = gatewright_iam::UserEdit { groups, ..gatewright_iam::UserEdit::default() };
        stricter.edit_user(&owner, &Login::new("jane"), Ok(edit)).await
    };
    edit(&["one"]).await.unwrap();
    assert_eq!(fault(edit(&["one", "two"]).await), Fault::Parameter);
}

#[tokio::test]
async fn each_other_token_of_a_batch_is_work() {
    let limited = |settings: &mut gatewright_iam::Settings| settings.limits.request_cost = 60_000;
    let installation = Installation::with(limited).await;
    let service = installation.stranger().await;
    installation.allow(&service.urn(), &[rights::EVALUATE], &[&account_urn()]).await;
    let evaluate = async |tokens: &[String]| {
        let request = |token: &String| Ok(evaluation(SubjectKind::Token, token));
        let requests = Ok(tokens.iter().map(request).collect());
        installation.iam.evaluate(&service.context, requests, EvaluationsSemantic::ExecuteAll).await
    };
    let forged: Vec<String> = (0..10).map(|number| format!("forged-{number}")).collect();
    too_large(&evaluate(&forged).await);
    let same = vec![service.token.reveal().to_owned(); 10];
    assert_eq!(evaluate(&same).await.unwrap().len(), 10);
}

#[tokio::test]
async fn an_account_holds_so_many_objects_of_a_kind_at_most() {
    let few = |settings: &mut gatewright_iam::Settings| {
        let limits = &mut settings.limits;
        (limits.users, limits.groups, limits.permissions_groups) = (1, 1, 1);
        // The account has a resource and a resource group from the start.
        (limits.resources, limits.resource_groups) = (2, 2);
    };
    let installation = Installation::new().await;
    let owner = installation.owner();
    let user = |login: &str| UserInput { login: login.to_owned(), ..UserInput::default() };
    let group = |name: &str| GroupInput { name: name.to_owned(), description: None, role: None };
    let permissions_group = |name: &str| PermissionsGroupInput {
        name: name.to_owned(),
        description: String::new(),
        permissions: Permissions::default(),
    };
    let resource = |name: &str| NewResource {
        urn: format!("{VPS}-{name}"),
        display_name: None,
        owner: None,
        tags: BTreeMap::new(),
    };
    let resource_group =
        |name: &str| ResourceGroupInput { name: name.to_owned(), resources: Vec::new() };
    let create_all = async |iam: &Iam, name: &str| {
        [
            iam.create_user(&owner, Ok(user(name))).await.map(drop),
            iam.create_group(&owner, Ok(group(name))).await.map(drop),
            iam.create_permissions_group(&owner, Ok(permissions_group(name))).await.map(drop),
            iam.create_resource(&owner, Ok(resource(name))).await.map(drop),
            iam.create_resource_group(&owner, Ok(resource_group(name))).await.map(drop),
        ]
    };
    let kinds = ["1 users", "1 groups", "1 permissions groups", "2 resources", "2 resource groups"];
    let is_refused = |refused: [Result<(), IamError>; 5]| {
        for (refused, kind) in refused.into_iter().zip(kinds) {
            let message = refused.as_ref().unwrap_err().to_string();
            assert!(message.contains(&format!("has {kind}")), "{message}");
            assert_eq!(fault(refused), Fault::Parameter);
        }
    };
    for name in ["one", "two"] {
        for created in create_all(&installation.iam, name).await {
            created.unwrap();
        }
    }
    let limited = installation.elsewhere_with(few).await;
    is_refused(create_all(&limited, "three").await);
    // What exceeds the limit stays, and is changed and deleted.
    let login = Login::new("two");
    limited.edit_user(&owner, &login, Ok(UserEdit::default())).await.unwrap();
    limited.delete_user(&owner, &login).await.unwrap();
    let name = GroupName::new("two");
    limited.edit_group(&owner, &name, Ok(group("two"))).await.unwrap();
    limited.delete_group(&owner, &name).await.unwrap();
    limited.delete_resource(&owner, &format!("{VPS}-two")).await.unwrap();
    for group in limited.permissions_groups(&owner, page()).await.unwrap().items {
        if group.name == "two" {
            limited.delete_permissions_group(&owner, &group.urn).await.unwrap();
        }
    }
    for group in limited.resource_groups(&owner, page()).await.unwrap().items {
        if group.name == "two" {
            limited.delete_resource_group(&owner, Ok(group.id)).await.unwrap();
        }
    }
    is_refused(create_all(&limited, "three").await);
    limited.delete_user(&owner, &Login::new("one")).await.unwrap();
    limited.create_user(&owner, Ok(user("three"))).await.unwrap();
}

#[tokio::test]
async fn a_resource_has_a_longest_name_and_a_number_of_tags() {
    let installation = Installation::new().await;
    let (iam, owner) = (&installation.iam, installation.owner());
    let new = |urn: String, tags: usize| NewResource {
        urn,
        display_name: Some("one".to_owned()),
        owner: None,
        tags: (0..tags).map(|number| (format!("t{number}"), "v".to_owned())).collect(),
    };
    iam.create_resource(&owner, Ok(new(urn_of(URN_BYTES), TAGS))).await.unwrap();
    let typed = format!("urn:v1:eu:resource:{}:a", "t".repeat(RESOURCE_TYPE_BYTES + 1));
    for wrong in [new(urn_of(URN_BYTES + 1), 0), new(VPS.to_owned(), TAGS + 1), new(typed, 0)] {
        assert_eq!(fault(iam.create_resource(&owner, Ok(wrong)).await), Fault::TooLong);
    }
    let one_more = Ok(("one".to_owned(), "more".to_owned()));
    let refused = iam.add_tag(&owner, &urn_of(URN_BYTES), one_more).await;
    assert_eq!(fault(refused), Fault::TooLong);
    let resources = vec![Member::Urn(urn_of(URN_BYTES + 1))];
    let group = ResourceGroupInput { name: "g".to_owned(), resources };
    assert_eq!(fault(iam.create_resource_group(&owner, Ok(group)).await), Fault::TooLong);
}

#[tokio::test]
async fn what_a_check_names_has_a_longest_length() {
    let installation = Installation::new().await;
    let (iam, caller) = (&installation.iam, installation.stranger().await);
    let check = async |urn: String, action: String| {
        iam.check(&caller.context, vec![urn], Ok(vec![action])).await
    };
    assert!(check(urn_of(URN_BYTES), REBOOT.to_owned()).await.is_ok());
    let refused = check(urn_of(URN_BYTES + 1), REBOOT.to_owned()).await;
    assert_eq!(fault(refused), Fault::TooLong);
    let refused = check(VPS.to_owned(), format!("{REBOOT}?{}", "x".repeat(ACTION_BYTES))).await;
    assert_eq!(fault(refused), Fault::TooLong);
}

#[tokio::test]
async fn what_an_evaluation_names_has_a_longest_length() {
    let installation = Installation::new().await;
    let service = installation.stranger().await;
    installation.allow(&service.urn(), &[rights::EVALUATE], &[&account_urn()]).await;
    let plain = evaluation(SubjectKind::ServiceAccount, "EU.0");
    let many = (0..=PROPERTIES).map(|number| (number.to_string(), String::new())).collect();
    let wrong = [
        Evaluation { subject: "x".repeat(10_000), ..plain.clone() },
        Evaluation { action: "x".repeat(ACTION_BYTES + 1), ..plain.clone() },
        Evaluation { resource: "x".repeat(URN_BYTES + 1), ..plain.clone() },
        Evaluation { resource_type: "x".repeat(RESOURCE_TYPE_BYTES + 1), ..plain.clone() },
        Evaluation { properties: many, ..plain.clone() },
    ];
    let requests = Ok(wrong.into_iter().chain([plain]).map(Ok).collect());
    let all = EvaluationsSemantic::ExecuteAll;
    let mut answers = installation.iam.evaluate(&service.context, requests, all).await.unwrap();
    assert!(answers.pop().unwrap().is_ok());
    for answer in answers {
        assert_eq!(fault(answer), Fault::TooLong);
    }
}

#[tokio::test]
async fn a_long_text_is_cut_in_the_log() {
    let installation = Installation::new().await;
    let (iam, owner) = (&installation.iam, installation.owner());
    let what = format!("GET /{}", "x".repeat(60_000));
    let agent = "a".repeat(60_000);
    iam.record(&owner, Call { what, route: "", status: 404, user_agent: Some(&agent) });
    let all = LogFilter::default();
    let lines = iam.log(&owner, LogKind::Call, &all, (Instant::MAX, 10)).await.unwrap().lines;
    assert!(lines[0].what.len() <= LOG_TEXT_BYTES && lines[0].what.ends_with("x…"));
    assert!(lines[0].user_agent.as_ref().is_some_and(|agent| agent.ends_with('…')));
}

//! Limits of what callers name.

use gatewright_iam::limits::{
    ACTION_BYTES, CONDITION_KEY_BYTES, CONDITION_VALUE_BYTES, RESOURCE_TYPE_BYTES, TAGS, URN_BYTES,
};
use gatewright_iam::{
    Attachment, Condition, Fault, IamError, Member, NewResource, Permissions, PermissionsGroupInput,
    PolicyInput, ResourceGroupInput,
};
use serde_json::json;

use crate::installation::{Installation, REBOOT, VPS, fault, texts};

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

fn condition(key: String, value: String) -> Option<Condition> {
    Some(serde_json::from_value(json!({"operator": "MATCH", "values": {key: value}})).unwrap())
}

#[track_caller]
fn too_large<T: std::fmt::Debug>(result: Result<T, IamError>) {
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
        conditions: condition(key(CONDITION_KEY_BYTES), "v".repeat(CONDITION_VALUE_BYTES)),
        ..name_policy("fits")
    };
    iam.create_policy(&owner, Ok(fits)).await.unwrap();
    let wrong = [
        PolicyInput { identities: user(URN_BYTES + 1), ..name_policy("p") },
        PolicyInput { resources: vec![urn_of(URN_BYTES + 1)], ..name_policy("p") },
        PolicyInput { permissions: allow(action_of(ACTION_BYTES + 1)), ..name_policy("p") },
        PolicyInput {
            conditions: condition(key(CONDITION_KEY_BYTES + 1), "v".to_owned()),
            ..name_policy("p")
        },
        PolicyInput {
            conditions: condition(key(20), "v".repeat(CONDITION_VALUE_BYTES + 1)),
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
    too_large(iam.create_policy(&owner, Ok(with(21))).await);
    let policy = iam.create_policy(&owner, Ok(with(20))).await.unwrap();
    too_large(iam.edit_policy(&owner, Ok(policy.rule.id), Ok(with(21))).await);
    let user = installation.user("jane", &["DEFAULT"]).await;
    let attached = Attachment::Attached;
    too_large(iam.set_policy_identity(&owner, Ok(policy.rule.id), &user, attached).await);
    let allow = (0..100).map(|number| action_of(20) + &number.to_string()).collect();
    let permissions = Permissions { allow, ..Permissions::default() };
    let group =
        PermissionsGroupInput { name: "g".to_owned(), description: String::new(), permissions };
    too_large(iam.create_permissions_group(&owner, Ok(group)).await);
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
    too_large(stricter.edit_policy(&owner, id(), Ok(policy.clone().into())).await);
    let detached = Attachment::Detached;
    stricter.set_policy_identity(&owner, id(), &caller.urn(), detached).await.unwrap();
    stricter.delete_policy(&owner, id()).await.unwrap();
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

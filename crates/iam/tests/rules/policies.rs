//! Policies and permissions groups.

use std::collections::BTreeMap;

use gatewright_iam::{
    AccountName, Attachment, Condition, Fault, Member, NewResource, PageRequest, Permissions,
    PermissionsGroupInput, Policy, PolicyFilter, PolicyInput, PolicyTarget, Region,
    ResourceGroupInput, resource_group_urn,
};
use gatewright_store::{Act, Author, Change, Content, Kind, Store};
use serde_json::json;

use crate::installation::{
    HOUR, Installation, OTHER, REBOOT, VPS, conflict, fault, not_found, page, read_only, texts,
};

fn input_named(name: &str) -> PolicyInput {
    PolicyInput { name: name.to_owned(), ..PolicyInput::default() }
}

fn condition(key: &str, value: &str) -> Condition {
    serde_json::from_value(json!({"operator": "MATCH", "values": {key: value}})).unwrap()
}

fn group(name: &str, allow: &[&str]) -> PermissionsGroupInput {
    PermissionsGroupInput {
        name: name.to_owned(),
        description: String::new(),
        permissions: Permissions { allow: texts(allow), ..Permissions::default() },
    }
}

#[tokio::test]
async fn a_policy_has_a_name_of_its_own_that_the_server_does_not_reserve() {
    let installation = Installation::new().await;
    let (iam, owner) = (&installation.iam, installation.owner());
    let made = iam.create_policy(&owner, Ok(input_named("p"))).await.unwrap();
    assert_eq!(made.created_at, installation.now());
    let again = iam.create_policy(&owner, Ok(input_named("p"))).await;
    assert_eq!(conflict(again), "POLICY_ALREADY_EXISTS");
    let other = iam.create_policy(&owner, Ok(input_named("q"))).await.unwrap();
    let renamed = iam.edit_policy(&owner, Ok(other.rule.id), Ok(input_named("p"))).await;
    assert_eq!(conflict(renamed), "POLICY_ALREADY_EXISTS");
    for (name, expected) in [
        ("", Fault::Missing),
        ("a b", Fault::Format),
        ("ovh-mine", Fault::Format),
        ("OVH-mine", Fault::Format),
        ("Ovh-", Fault::Format),
        (&"x".repeat(256), Fault::TooLong),
    ] {
        let refused = iam.create_policy(&owner, Ok(input_named(name))).await;
        assert_eq!(fault(refused), expected, "{name}");
    }
}

#[tokio::test]
async fn an_account_has_limits_of_policies_and_of_entries() {
    let limited = Installation::with(|settings| {
        settings.limits.policies = 2;
        settings.limits.entries = 2;
    });
    let installation = limited.await;
    let (iam, owner) = (&installation.iam, installation.owner());
    let mut input = input_named("long");
    input.permissions.allow = texts(&["a:b:c", "a:b:d", "a:b:e"]);
    assert_eq!(fault(iam.create_policy(&owner, Ok(input)).await), Fault::TooLong);
    // The default policy of every account fills the limit.
    iam.create_policy(&owner, Ok(input_named("p"))).await.unwrap();
    let refused = iam.create_policy(&owner, Ok(input_named("q"))).await;
    assert!(refused.as_ref().unwrap_err().to_string().contains("2 policies, with ovh-default"));
    assert_eq!(fault(refused), Fault::Parameter);
}

#[tokio::test]
async fn what_nobody_can_see_is_refused_with_its_place_and_its_code() {
    let installation = Installation::new().await;
    let (iam, owner) = (&installation.iam, installation.owner());
    let refusal = async |change: &dyn Fn(&mut PolicyInput)| {
        let mut input = input_named("p");
        change(&mut input);
        iam.create_policy(&owner, Ok(input)).await.unwrap_err().to_string()
    };
    let spaces = "it must not hold spaces, control or invisible characters";
    for (hidden, code) in [
        ("\n", "000A"),
        (" ", "0020"),
        ("\u{a0}", "00A0"),
        ("\0", "0000"),
        ("\u{200b}", "200B"),
        ("\u{202e}", "202E"),
        ("\u{feff}", "FEFF"),
        ("\u{e0041}", "E0041"),
    ] {
        let action = vec![REBOOT.to_owned(), format!("{REBOOT}{hidden}")];
        let said = refusal(&|input| input.permissions.deny.clone_from(&action)).await;
        assert_eq!(said, format!("\"permissions.deny[1]\" holds U+{code}: {spaces}"));
        let urn = vec![format!("{VPS}{hidden}")];
        let said = refusal(&|input| input.resources.clone_from(&urn)).await;
        assert_eq!(said, format!("\"resources[0].urn\" holds U+{code}: {spaces}"));
        let who = vec![format!("urn:v1:eu:identity:user:aa11111-ovh/u{hidden}")];
        let said = refusal(&|input| input.identities.clone_from(&who)).await;
        assert_eq!(said, format!("\"identities[0]\" holds U+{code}: {spaces}"));
        let named = vec![format!("urn:v1:eu:permissionsGroup:ovh:g{hidden}")];
        let said = refusal(&|input| input.permissions_groups.clone_from(&named)).await;
        assert_eq!(said, format!("\"permissionsGroups[0].urn\" holds U+{code}: {spaces}"));
        let made =
            iam.create_permissions_group(&owner, Ok(group("g", &[&format!("a:b:c{hidden}")])));
        let said = made.await.unwrap_err().to_string();
        assert_eq!(said, format!("\"permissions.allow[0]\" holds U+{code}: {spaces}"));
    }
    let tag = condition("resource.Tag(e\u{200b}nv)", "dev");
    let said = refusal(&|input| input.conditions = Some(tag.clone())).await;
    let rule = "it must not hold control or invisible characters";
    assert_eq!(said, format!("\"conditions\" holds U+200B: {rule}"));
    let days = condition("date(UTC).WeekDay.IN", "monday, friday");
    let mut input = input_named("p");
    input.conditions = Some(days);
    iam.create_policy(&owner, Ok(input)).await.unwrap();
}

#[tokio::test]
async fn a_policy_from_before_characters_were_checked_is_read_detached_and_deleted() {
    let installation = Installation::new().await;
    let (iam, owner) = (&installation.iam, installation.owner());
    let mut policy = iam.create_policy(&owner, Ok(input_named("p"))).await.unwrap();
    let from = serde_json::to_string(&policy).unwrap();
    policy.name = "OVH-p".to_owned();
    policy.rule.permissions.deny = vec![format!("{REBOOT}\n")];
    policy.rule.identities = texts(&["urn:v1:eu:identity:user:aa11111-ovh/u\u{200b}"]);
    let (name, id) = (Some(policy.name.clone()), policy.rule.id);
    let document = serde_json::to_string(&policy).unwrap();
    let content = Content { name, document, mentions: Vec::new() };
    let act = Act::Update { from, content, secret: None };
    let change = Change { kind: Kind::Policy, id: id.to_string(), act };
    let store = Store::open(&installation.address().parse().unwrap()).await.unwrap();
    let (ip, query_id) = (None, "old".to_owned());
    let author = Author { actor: "old".to_owned(), ip, query_id, at: installation.now() };
    store.write(owner.account(), &author, &[change]).await.unwrap();
    store.close().await;

    let iam = installation.elsewhere().await;
    assert_eq!(iam.policy(&owner, Ok(id)).await.unwrap(), policy);
    let [identity] = policy.rule.identities.as_slice() else { panic!("{policy:?}") };
    let detached = Attachment::Detached;
    let kept = iam.set_policy_identity(&owner, Ok(id), identity, detached).await.unwrap();
    assert!(kept.rule.identities.is_empty());
    let again = PolicyInput::from(policy);
    assert_eq!(fault(iam.edit_policy(&owner, Ok(id), Ok(again)).await), Fault::Format);
    iam.delete_policy(&owner, Ok(id)).await.unwrap();
}

/// A function that makes an input invalid, and the expected fault.
type Case = (fn(&mut PolicyInput), Fault);

#[tokio::test]
async fn what_a_decision_would_trip_over_is_refused_when_it_is_written() {
    let installation = Installation::new().await;
    let (iam, owner) = (&installation.iam, installation.owner());
    let cases: [Case; 8] = [
        (|input| input.identities = texts(&["nobody"]), Fault::Format),
        (|input| input.resources = texts(&["urn:v1:eu:resource:vps"]), Fault::ResourceUrn),
        (|input| input.resources = texts(&["urn:v1:eu:resource:v*s:a"]), Fault::ResourceUrn),
        (|input| input.permissions_groups = texts(&["readers"]), Fault::ResourceUrn),
        (|input| input.permissions.allow = texts(&["vps:*:reboot"]), Fault::Format),
        (|input| input.conditions = Some(condition("moon.Phase", "full")), Fault::Format),
        (|input| input.conditions = Some(condition("request.IP", "nowhere")), Fault::Format),
        (|input| input.expired_at = Some("tomorrow".to_owned()), Fault::Format),
    ];
    for (number, (change, expected)) in cases.into_iter().enumerate() {
        let mut input = input_named("wrong");
        change(&mut input);
        let refused = iam.create_policy(&owner, Ok(input.clone())).await;
        assert_eq!(fault(refused), expected, "{number}: {input:?}");
    }
}

#[tokio::test]
async fn the_servers_policy_cannot_be_changed() {
    let installation = Installation::new().await;
    let (iam, owner) = (&installation.iam, installation.owner());
    let all = iam.policies(&owner, Ok(PolicyFilter::default()), page()).await.unwrap().items;
    let id = all[0].rule.id;
    read_only(iam.edit_policy(&owner, Ok(id), Ok(input_named("mine"))).await);
    read_only(
        iam.set_policy_identity(
            &owner,
            Ok(id),
            "urn:v1:eu:identity:user:x/y",
            Attachment::Attached,
        )
        .await,
    );
    read_only(iam.delete_policy(&owner, Ok(id)).await);
}

#[tokio::test]
async fn a_policy_is_found_by_what_it_says() {
    let installation = Installation::new().await;
    let (iam, owner) = (&installation.iam, installation.owner());
    let (one, other) = (installation.stranger().await, installation.stranger().await);
    let first = installation.allow(&one.urn(), &["vps:*"], &[VPS]).await;
    let second = installation.allow(&other.urn(), &["*get"], &["urn:v1:eu:resource:vps:*"]).await;
    let found = async |filter: PolicyFilter| {
        let found = iam.policies(&owner, Ok(filter), page()).await.unwrap().items;
        found.into_iter().map(|policy| policy.rule.id).collect::<Vec<_>>()
    };
    let none = PolicyFilter::default;
    let of_mine = || PolicyFilter { read_only: Some(false), ..none() };
    assert_eq!(found(of_mine()).await, [first.rule.id, second.rule.id]);
    let identities = vec![one.urn()];
    assert_eq!(found(PolicyFilter { identities, ..none() }).await, [first.rule.id]);
    let actions = texts(&[REBOOT]);
    assert_eq!(found(PolicyFilter { actions, ..of_mine() }).await, [first.rule.id]);
    let resources = texts(&[VPS]);
    let on_vps = found(PolicyFilter { resources, ..of_mine() }).await;
    assert_eq!(on_vps, [first.rule.id, second.rule.id]);
    let counts = iam.policy_counts(&owner, &[&one.urn(), "urn:x"]).await.unwrap();
    assert_eq!(counts, [1, 0]);
    let wrong = PolicyFilter { identities: texts(&["nobody"]), ..none() };
    fault(iam.policies(&owner, Ok(wrong), page()).await);
}

#[tokio::test]
async fn pages_of_policies_lead_to_each_other() {
    let installation = Installation::new().await;
    let (iam, owner) = (&installation.iam, installation.owner());
    for name in ["a", "b", "c"] {
        iam.create_policy(&owner, Ok(input_named(name))).await.unwrap();
    }
    let (mut names, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let page = PageRequest::new(Some(2), cursor.as_deref(), "policies");
        let page = iam.policies(&owner, Ok(PolicyFilter::default()), page).await.unwrap();
        assert!(page.items.len() <= 2);
        names.extend(page.items.into_iter().map(|policy| policy.name));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(names, ["ovh-default", "a", "b", "c"]);
}

#[tokio::test]
async fn every_change_of_a_policy_is_in_force_when_it_is_acknowledged() {
    let installation = Installation::new().await;
    let (iam, owner) = (&installation.iam, installation.owner());
    let caller = installation.stranger().await;
    let may = async || installation.may(&caller.context, REBOOT, VPS).await;
    assert!(!may().await);
    let Policy { rule, .. } = installation.allow(&caller.urn(), &[REBOOT], &[VPS]).await;
    assert!(may().await);
    let id = rule.id;
    iam.set_policy_identity(&owner, Ok(id), &caller.urn(), Attachment::Detached).await.unwrap();
    assert!(!may().await);
    let changed =
        iam.set_policy_identity(&owner, Ok(id), &caller.urn(), Attachment::Attached).await.unwrap();
    assert!(may().await);
    let again =
        iam.set_policy_identity(&owner, Ok(id), &caller.urn(), Attachment::Attached).await.unwrap();
    assert_eq!(again, changed, "nothing to do");
    let mut input = PolicyInput::from(changed);
    input.permissions.deny = texts(&["*"]);
    iam.edit_policy(&owner, Ok(id), Ok(input.clone())).await.unwrap();
    assert!(!may().await);
    input.permissions.deny.clear();
    iam.edit_policy(&owner, Ok(id), Ok(input)).await.unwrap();
    assert!(may().await);
    iam.delete_policy(&owner, Ok(id)).await.unwrap();
    assert!(!may().await);
    not_found(iam.policy(&owner, Ok(id)).await);
}

#[tokio::test]
async fn a_policy_ends_when_it_expires() {
    let installation = Installation::new().await;
    let (iam, owner) = (&installation.iam, installation.owner());
    let caller = installation.stranger().await;
    let input = PolicyInput {
        identities: vec![caller.urn()],
        resources: texts(&[VPS]),
        permissions: Permissions { allow: texts(&["vps:*"]), ..Permissions::default() },
        expired_at: Some(installation.now().saturating_add(HOUR).to_string()),
        ..input_named("brief")
    };
    iam.create_policy(&owner, Ok(input)).await.unwrap();
    assert!(installation.may(&caller.context, REBOOT, VPS).await);
    installation.pass(HOUR);
    let context = installation.context_of(&caller.token).await;
    // The token has expired as well by then.
    assert!(context.is_err());
    let late = gatewright_iam::Context { now: installation.now(), ..caller.context.clone() };
    assert!(!installation.may(&late, REBOOT, VPS).await);
}

#[tokio::test]
async fn permissions_groups_of_the_server_come_first_and_cannot_be_changed() {
    let installation = Installation::new().await;
    let (iam, owner) = (&installation.iam, installation.owner());
    iam.create_permissions_group(&owner, Ok(group("mine", &["*get"]))).await.unwrap();
    let all = iam.permissions_groups(&owner, page()).await.unwrap().items;
    let (last, managed) = all.split_last().unwrap();
    assert_eq!(last.name, "mine");
    assert!(!managed.is_empty() && managed.iter().all(|one| one.owner.as_str() == "ovh"));
    let urn = &managed[0].urn;
    read_only(iam.edit_permissions_group(&owner, urn, Ok(group("x", &["*"]))).await);
    read_only(iam.delete_permissions_group(&owner, urn).await);
    let malformed = iam.permissions_group(&owner, "readers").await;
    assert_eq!(fault(malformed), Fault::ResourceUrn);
}

#[tokio::test]
async fn a_permissions_group_reaches_every_policy_that_names_it() {
    let installation = Installation::new().await;
    let (iam, owner) = (&installation.iam, installation.owner());
    let caller = installation.stranger().await;
    let made = iam.create_permissions_group(&owner, Ok(group("g", &["*reboot"]))).await.unwrap();
    let input = PolicyInput {
        identities: vec![caller.urn()],
        resources: texts(&[VPS]),
        permissions_groups: vec![made.urn.clone()],
        ..input_named("by-group")
    };
    let policy = iam.create_policy(&owner, Ok(input)).await.unwrap();
    assert!(installation.may(&caller.context, REBOOT, VPS).await);
    // A new name changes the URN, and the policies that name the group would lose it.
    let renamed = iam.edit_permissions_group(&owner, &made.urn, Ok(group("h", &["*"]))).await;
    assert_eq!(fault(renamed), Fault::Parameter);
    let edited = iam.edit_permissions_group(&owner, &made.urn, Ok(group("g", &["*get"]))).await;
    edited.unwrap();
    assert!(!installation.may(&caller.context, REBOOT, VPS).await);
    iam.delete_permissions_group(&owner, &made.urn).await.unwrap();
    assert!(!installation.may(&caller.context, "vps:apiovh:get", VPS).await);
    assert_eq!(iam.policy_groups(&owner, &policy).await.unwrap(), [None]);
}

#[tokio::test]
async fn the_targets_of_a_policy_are_shown_where_the_caller_has_access() {
    let installation = Installation::new().await;
    let (iam, owner) = (&installation.iam, installation.owner());
    installation.create_account(OTHER).await.unwrap();
    installation.resource(VPS, &[]).await;
    let theirs = "urn:v1:eu:resource:vps:theirs";
    let new = NewResource {
        urn: theirs.to_owned(),
        display_name: None,
        owner: None,
        tags: BTreeMap::new(),
    };
    let other = iam.as_owner(&AccountName::new(OTHER));
    iam.create_resource(&other, Ok(new)).await.unwrap();
    let members = vec![Member::Urn(VPS.to_owned())];
    let input = ResourceGroupInput { name: "g".to_owned(), resources: members };
    let group = iam.create_resource_group(&owner, Ok(input)).await.unwrap();
    let urn = resource_group_urn(Region::Eu, group.id);
    let resources = [VPS, &urn, "urn:v1:eu:resource:vps:*", theirs];
    let caller = installation.stranger().await;
    let policy = installation.allow(&caller.urn(), &[REBOOT], &resources).await;
    let targets = iam.policy_targets(&owner, &policy).await.unwrap();
    let named = |urn: &str| policy.rule.resources.iter().position(|known| known == urn).unwrap();
    assert_eq!(targets.len(), resources.len(), "one for one");
    let PolicyTarget::Resource(found) = &targets[named(VPS)] else { panic!("{targets:?}") };
    assert_eq!(found.urn.urn(), VPS);
    let PolicyTarget::Group { id, read_only, .. } = &targets[named(&urn)] else {
        panic!("{targets:?}")
    };
    assert_eq!((*id, *read_only), (group.id, false));
    for urn in [resources[2], theirs] {
        assert!(matches!(targets[named(urn)], PolicyTarget::Other), "{urn}: {targets:?}");
    }
}

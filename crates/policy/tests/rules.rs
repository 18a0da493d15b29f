//! Each rule of the policy language, by name.
#![expect(clippy::unwrap_used, reason = "a test that fails may panic")]

use std::sync::Arc;
use std::time::Duration;

use gatewright_policy::{
    AccountName, Block, Caller, ClientId, Decision, Environment, GroupName, Identity, Instant,
    Login, Members, Outcome, Permissions, Policy, PolicyId, PolicySet, Region, Request, Resource,
    ResourceGroupId, ResourceUrn, Scope, decide, explain,
};
use uuid::Uuid;

const HOME: &str = "aa1-ovh";
const OTHER: &str = "bb2-ovh";
const NOW: Instant = Instant::from_seconds(1_778_578_200);
const VPS: &str = "urn:v1:eu:resource:vps:one";
const GROUP: &str = "urn:v1:eu:permissionsGroup:aa1-ovh:team";

fn robot() -> Identity {
    Identity::service_account(Region::Eu, &AccountName::new(HOME), &ClientId::new("EU.1"))
}

fn caller(identity: &Identity) -> Caller {
    let account = identity.account().to_owned();
    Caller::new(Region::Eu, &account, identity, &[], Scope::All)
}

fn texts(list: &[&str]) -> Vec<String> {
    list.iter().map(|text| (*text).to_owned()).collect()
}

fn permissions(allow: &[&str], except: &[&str], deny: &[&str]) -> Permissions {
    Permissions { allow: texts(allow), except: texts(except), deny: texts(deny) }
}

/// Creates a policy for the service account on everything.
fn policy(id: u128, permissions: Permissions) -> Policy {
    Policy {
        id: PolicyId::new(Uuid::from_u128(id)),
        identities: vec![robot().urn().to_owned()],
        resources: texts(&["urn:v1:eu:resource:*"]),
        permissions,
        ..Policy::default()
    }
}

fn allow(id: u128, allow: &[&str]) -> Policy {
    policy(id, permissions(allow, &[], &[]))
}

fn set_of(owner: &str, policies: impl IntoIterator<Item = Policy>) -> PolicySet {
    let mut set = PolicySet::new(AccountName::new(owner));
    for policy in policies {
        set.insert(policy.compile(Region::Eu).unwrap());
    }
    set
}

fn set(policies: impl IntoIterator<Item = Policy>) -> PolicySet {
    set_of(HOME, policies)
}

fn ask<'p>(set: &'p PolicySet, caller: &Caller, action: &str, urn: &str) -> Decision<'p> {
    ask_both(set, None, caller, action, urn)
}

fn ask_both<'p>(
    owner: &'p PolicySet,
    home: Option<&'p PolicySet>,
    caller: &Caller,
    action: &str,
    urn: &str,
) -> Decision<'p> {
    let urn = ResourceUrn::parse(urn, Region::Eu).unwrap();
    let resource = Resource::bare(urn.urn(), urn.resource_type(), urn.name());
    let environment = Environment { now: NOW, ip: None };
    let request = Request { caller, action, resource, environment };
    let decision = decide(&request, owner, home);
    assert_eq!(explain(&request, owner, home).decision, decision);
    decision
}

fn robot_may(set: &PolicySet, action: &str, urn: &str) -> bool {
    ask(set, &caller(&robot()), action, urn).is_allowed()
}

#[test]
fn what_nothing_allows_is_refused() {
    assert!(!robot_may(&set([]), "vps:apiovh:get", VPS));
    assert!(!robot_may(&set([allow(1, &["vps:apiovh:reboot"])]), "vps:apiovh:get", VPS));
}

#[test]
fn except_takes_out_of_the_allow_of_the_same_policy() {
    let set = set([policy(1, permissions(&["vps:*"], &["vps:apiovh:reboot"], &[]))]);
    assert!(robot_may(&set, "vps:apiovh:get", VPS));
    assert!(!robot_may(&set, "vps:apiovh:reboot", VPS));
}

#[test]
fn except_does_not_reach_another_policy() {
    let set = set([
        policy(1, permissions(&["vps:*"], &["vps:apiovh:reboot"], &[])),
        allow(2, &["vps:apiovh:reboot"]),
    ]);
    assert!(robot_may(&set, "vps:apiovh:reboot", VPS));
}

#[test]
fn except_does_not_reach_a_permissions_group_nor_the_reverse() {
    let mut both = policy(1, permissions(&["vps:apiovh:a"], &["vps:apiovh:b"], &[]));
    both.permissions_groups = texts(&[GROUP]);
    let mut set = set([both]);
    let group = permissions(&["vps:apiovh:b"], &["vps:apiovh:a"], &[]);
    set.set_permissions_group(GROUP, Arc::new(group.compile().unwrap()));
    assert!(robot_may(&set, "vps:apiovh:a", VPS));
    assert!(robot_may(&set, "vps:apiovh:b", VPS));
}

#[test]
fn deny_beats_every_allow_of_any_policy() {
    let set = set([
        allow(1, &["*"]),
        policy(2, permissions(&[], &[], &["vps:apiovh:reboot"])),
        allow(3, &["vps:apiovh:reboot"]),
    ]);
    assert!(robot_may(&set, "vps:apiovh:get", VPS));
    let decision = ask(&set, &caller(&robot()), "vps:apiovh:reboot", VPS);
    assert!(
        matches!(decision, Decision::Denied(determining) if determining.policy == PolicyId::new(Uuid::from_u128(2)))
    );
}

#[test]
fn deny_in_a_permissions_group_is_as_strong_as_a_policys_own() {
    let mut by_group = policy(1, Permissions::default());
    by_group.permissions_groups = texts(&[GROUP]);
    let mut set = set([allow(2, &["*"]), by_group]);
    let group = permissions(&[], &[], &["vps:apiovh:reboot"]);
    set.set_permissions_group(GROUP, Arc::new(group.compile().unwrap()));
    let decision = ask(&set, &caller(&robot()), "vps:apiovh:reboot", VPS);
    assert!(
        matches!(decision, Decision::Denied(determining) if determining.block == Block::Group(GROUP))
    );
    assert!(robot_may(&set, "vps:apiovh:get", VPS));
}

#[test]
fn deny_stays_within_the_resources_of_its_policy() {
    let mut deny = policy(2, permissions(&[], &[], &["*"]));
    deny.resources = texts(&["urn:v1:eu:resource:vps:two"]);
    let set = set([allow(1, &["*"]), deny]);
    assert!(robot_may(&set, "vps:apiovh:get", VPS));
    assert!(!robot_may(&set, "vps:apiovh:get", "urn:v1:eu:resource:vps:two"));
}

#[test]
fn deny_wins_over_a_more_specific_allow() {
    let mut narrow = allow(1, &["vps:apiovh:reboot"]);
    narrow.resources = texts(&[VPS]);
    let set = set([narrow, policy(2, permissions(&[], &[], &["*"]))]);
    assert!(!robot_may(&set, "vps:apiovh:reboot", VPS));
}

#[test]
fn root_is_not_restricted_by_a_deny_in_its_own_account() {
    let mut deny = policy(1, permissions(&[], &[], &["*"]));
    deny.identities = texts(&["urn:v1:eu:identity:account:aa1-ovh"]);
    let set = set([deny]);
    let root = Caller::root(Region::Eu, &AccountName::new(HOME), Scope::All);
    assert_eq!(ask(&set, &root, "vps:apiovh:get", VPS), Decision::Root);
}

#[test]
fn an_expired_policy_has_no_effect_from_the_instant_on() {
    let until = |expires| {
        let mut policy = allow(1, &["*"]);
        policy.expires = Some(expires);
        robot_may(&set([policy]), "vps:apiovh:get", VPS)
    };
    assert!(until(NOW.saturating_add(Duration::from_micros(1))));
    assert!(!until(NOW));
    assert!(!until(NOW.saturating_sub(Duration::from_micros(1))));
}

#[test]
fn an_expired_deny_forbids_nothing() {
    let mut deny = policy(2, permissions(&[], &[], &["*"]));
    deny.expires = Some(NOW);
    assert!(robot_may(&set([allow(1, &["*"]), deny]), "vps:apiovh:get", VPS));
}

#[test]
fn a_past_date_is_accepted_and_the_policy_can_live_again() {
    let mut policy = allow(1, &["*"]);
    policy.expires = Some(Instant::EPOCH);
    let mut set = set([policy.clone()]);
    assert!(!robot_may(&set, "vps:apiovh:get", VPS));
    policy.expires = None;
    set.insert(policy.compile(Region::Eu).unwrap());
    assert!(robot_may(&set, "vps:apiovh:get", VPS));
}

#[test]
fn a_user_has_what_each_of_its_groups_has() {
    let mut policy = allow(1, &["*"]);
    policy.identities = texts(&["urn:v1:eu:identity:group:aa1-ovh/admins"]);
    let set = set([policy]);
    let user = Identity::user(Region::Eu, &AccountName::new(HOME), &Login::new("bob"));
    let group =
        |name: &str| Identity::group(Region::Eu, &AccountName::new(HOME), &GroupName::new(name));
    let member = Caller::new(
        Region::Eu,
        &AccountName::new(HOME),
        &user,
        &[group("x"), group("admins")],
        Scope::All,
    );
    assert!(ask(&set, &member, "vps:apiovh:get", VPS).is_allowed());
    let stranger =
        Caller::new(Region::Eu, &AccountName::new(HOME), &user, &[group("x")], Scope::All);
    assert!(!ask(&set, &stranger, "vps:apiovh:get", VPS).is_allowed());
}

#[test]
fn a_user_of_an_identity_provider_has_what_its_groups_have_alone() {
    let mut policy = allow(1, &["*"]);
    policy.identities = texts(&["urn:v1:eu:identity:group:aa1-ovh/admins"]);
    let set = set([policy]);
    assert!(
        ask(
            &set,
            &caller(&Identity::group(
                Region::Eu,
                &AccountName::new(HOME),
                &GroupName::new("admins")
            )),
            "vps:apiovh:get",
            VPS
        )
        .is_allowed()
    );
}

#[test]
fn the_account_in_its_own_policy_does_not_stand_for_its_people() {
    let mut policy = allow(1, &["*"]);
    policy.identities = texts(&["urn:v1:eu:identity:account:aa1-ovh"]);
    let set = set([policy]);
    assert!(!robot_may(&set, "vps:apiovh:get", VPS));
    let user = caller(&Identity::user(Region::Eu, &AccountName::new(HOME), &Login::new("bob")));
    assert!(!ask(&set, &user, "vps:apiovh:get", VPS).is_allowed());
}

#[test]
fn wildcards_match_at_the_start_and_at_the_end() {
    for pattern in ["*", "vps:*", "*get", "*:apiovh:*", "vps:apiovh:g*"] {
        assert!(robot_may(&set([allow(1, &[pattern])]), "vps:apiovh:get", VPS), "{pattern}");
    }
    for pattern in ["vp:*", "*:openstack:*", "*set"] {
        assert!(!robot_may(&set([allow(1, &[pattern])]), "vps:apiovh:get", VPS), "{pattern}");
    }
}

#[test]
fn a_question_mark_parts_an_action_from_its_parameters() {
    let set = set([allow(1, &["pccVMware:vSphere:assumeRole?*"])]);
    let urn = "urn:v1:eu:resource:pccVMware:pcc-1";
    assert!(robot_may(&set, "pccVMware:vSphere:assumeRole?role=admin", urn));
    assert!(!robot_may(&set, "pccVMware:vSphere:assumeRole", urn));
    assert!(!robot_may(&set, "pccVMware:vSphere:assumeRoleX", urn));
}

#[test]
fn a_name_may_hold_slashes_and_colons() {
    let mut policy = allow(1, &["*"]);
    policy.resources = texts(&["urn:v1:eu:resource:ip:2001:db8::/56"]);
    let set = set([policy]);
    assert!(robot_may(&set, "ip:apiovh:get", "urn:v1:eu:resource:ip:2001:db8::/56"));
    assert!(!robot_may(&set, "ip:apiovh:get", "urn:v1:eu:resource:ip:2001:db8::/64"));
}

#[test]
fn an_action_works_on_resources_of_its_type_alone() {
    let set = set([allow(1, &["*"])]);
    let decision = ask(&set, &caller(&robot()), "domain:apiovh:get", VPS);
    assert_eq!(decision, Decision::WrongType);
    let root = Caller::root(Region::Eu, &AccountName::new(HOME), Scope::All);
    assert_eq!(ask(&set, &root, "domain:apiovh:get", VPS), Decision::WrongType);
}

#[test]
fn a_type_in_a_resource_pattern_covers_its_resources_alone() {
    let mut policy = allow(1, &["*"]);
    policy.resources = texts(&["urn:v1:eu:resource:vps:*"]);
    let exact = set([policy.clone()]);
    assert!(robot_may(&exact, "vps:apiovh:get", VPS));
    assert!(!robot_may(&exact, "vpsBackup:apiovh:get", "urn:v1:eu:resource:vpsBackup:one"));
    policy.resources = texts(&["urn:v1:eu:resource:vps*"]);
    let prefix = set([policy]);
    assert!(robot_may(&prefix, "vpsBackup:apiovh:get", "urn:v1:eu:resource:vpsBackup:one"));
}

#[test]
fn a_change_of_a_resource_group_changes_all_its_policies() {
    let group = ResourceGroupId::new(Uuid::from_u128(7));
    let mut policy = allow(1, &["*"]);
    policy.resources = vec![format!("urn:v1:eu:resourceGroup:{group}")];
    let mut set = set([policy]);
    assert!(!robot_may(&set, "vps:apiovh:get", VPS));
    set.set_resource_group(group, Members::from_iter([VPS.into()]));
    assert!(robot_may(&set, "vps:apiovh:get", VPS));
    assert!(!robot_may(&set, "vps:apiovh:get", "urn:v1:eu:resource:vps:two"));
    set.set_resource_group(group, Members::from_iter(["urn:v1:eu:resource:vps:two".into()]));
    assert!(!robot_may(&set, "vps:apiovh:get", VPS));
    set.set_resource_group(group, Members::Everything);
    assert!(robot_may(&set, "vps:apiovh:get", VPS));
    set.remove_resource_group(group);
    assert!(!robot_may(&set, "vps:apiovh:get", VPS));
}

#[test]
fn a_wildcard_group_covers_the_members_of_all_groups_and_no_more() {
    let mut policy = allow(1, &["*"]);
    policy.resources = texts(&["urn:v1:eu:resourceGroup:*"]);
    let mut set = set([policy]);
    set.set_resource_group(
        ResourceGroupId::new(Uuid::from_u128(7)),
        Members::from_iter([VPS.into()]),
    );
    assert!(robot_may(&set, "vps:apiovh:get", VPS));
    assert!(!robot_may(&set, "vps:apiovh:get", "urn:v1:eu:resource:vps:two"));
    // Every account has the group of every resource; the account did not make it.
    set.set_resource_group(ResourceGroupId::new(Uuid::from_u128(8)), Members::Everything);
    assert!(!robot_may(&set, "vps:apiovh:get", "urn:v1:eu:resource:vps:two"));
}

#[test]
fn a_pattern_that_was_written_before_characters_were_checked_still_compiles() {
    let set = set([allow(1, &["vps:apiovh:reboot\n", "vps:api\u{200b}ovh:*"])]);
    assert!(!robot_may(&set, "vps:apiovh:reboot", VPS));
}

#[test]
fn a_change_of_a_permissions_group_changes_all_its_policies() {
    let mut by_group = policy(1, Permissions::default());
    by_group.permissions_groups = texts(&["urn:v1::permissionsGroup:aa1-ovh:team"]);
    let mut set = set([by_group]);
    assert!(!robot_may(&set, "vps:apiovh:get", VPS));
    let group = permissions(&["vps:*"], &[], &[]).compile().unwrap();
    set.set_permissions_group(GROUP, Arc::new(group));
    assert!(robot_may(&set, "vps:apiovh:get", VPS));
    set.remove_permissions_group(GROUP);
    assert!(!robot_may(&set, "vps:apiovh:get", VPS));
}

#[test]
fn what_another_account_gives_ends_when_it_is_withdrawn() {
    let give = |id, identity: &Identity| {
        let mut policy = allow(id, &["vps:apiovh:get", "vps:apiovh:reboot"]);
        policy.identities = vec![identity.urn().to_owned()];
        policy.resources = texts(&[VPS]);
        policy
    };
    let account = Identity::account_of(Region::Eu, &AccountName::new(OTHER));
    let bob = Identity::user(Region::Eu, &AccountName::new(OTHER), &Login::new("bob"));
    let mut owner = set([give(1, &account)]);
    let mut pass = allow(2, &["vps:apiovh:get", "vps:apiovh:delete"]);
    pass.identities = vec![bob.urn().to_owned()];
    let passing = set_of(OTHER, [pass]);
    let root = Caller::root(Region::Eu, &AccountName::new(OTHER), Scope::All);
    let bob = caller(&bob);
    let ask = |owner: &PolicySet, who: &Caller, action: &str| {
        ask_both(owner, Some(&passing), who, action, VPS).is_allowed()
    };
    assert!(ask(&owner, &root, "vps:apiovh:reboot"));
    assert!(ask(&owner, &bob, "vps:apiovh:get"));
    assert!(!ask(&owner, &bob, "vps:apiovh:reboot"), "was not passed on");
    assert!(!ask(&owner, &bob, "vps:apiovh:delete"), "was never given");
    owner.remove(PolicyId::new(Uuid::from_u128(1)));
    assert!(!ask(&owner, &root, "vps:apiovh:get"));
    assert!(!ask(&owner, &bob, "vps:apiovh:get"));
}

#[test]
fn a_user_of_another_account_named_by_the_owner_needs_no_second_policy() {
    let bob = Identity::user(Region::Eu, &AccountName::new(OTHER), &Login::new("bob"));
    let mut give = allow(1, &["vps:apiovh:get"]);
    give.identities = vec![bob.urn().to_owned()];
    let owner = set([give]);
    let empty = set_of(OTHER, []);
    let bob = caller(&bob);
    assert!(ask_both(&owner, Some(&empty), &bob, "vps:apiovh:get", VPS).is_allowed());
}

#[test]
fn either_account_can_forbid_what_was_passed_on() {
    let account = Identity::account_of(Region::Eu, &AccountName::new(OTHER));
    let bob = Identity::user(Region::Eu, &AccountName::new(OTHER), &Login::new("bob"));
    let of = |id, identity: &Identity, permissions| {
        let mut policy = policy(id, permissions);
        policy.identities = vec![identity.urn().to_owned()];
        policy
    };
    let all = || permissions(&["*"], &[], &[]);
    let none = || permissions(&[], &[], &["*"]);
    let who = caller(&bob);
    let may = |owner: &PolicySet, home: &PolicySet| {
        ask_both(owner, Some(home), &who, "vps:apiovh:get", VPS).is_allowed()
    };
    let gives = set([of(1, &account, all())]);
    let passes = set_of(OTHER, [of(2, &bob, all())]);
    assert!(may(&gives, &passes));
    assert!(!may(&set([of(1, &account, all()), of(3, &account, none())]), &passes));
    assert!(!may(&set([of(1, &account, all()), of(3, &bob, none())]), &passes));
    assert!(!may(&gives, &set_of(OTHER, [of(2, &bob, all()), of(4, &bob, none())])));
    assert!(!may(&set([of(1, &bob, all())]), &set_of(OTHER, [of(4, &bob, none())])));
}

#[test]
fn root_of_another_account_is_restricted_like_anybody() {
    let root = Caller::root(Region::Eu, &AccountName::new(OTHER), Scope::All);
    let home = set_of(OTHER, []);
    assert!(!ask_both(&set([]), Some(&home), &root, "vps:apiovh:get", VPS).is_allowed());
}

#[test]
fn a_scope_cuts_what_policies_give_and_is_told_apart() {
    let set = set([allow(1, &["*"])]);
    let scope = || Scope::Types(vec!["account".into()]);
    let cut = Caller::new(Region::Eu, &AccountName::new(HOME), &robot(), &[], scope());
    assert_eq!(ask(&set, &cut, "vps:apiovh:get", VPS), Decision::OutOfScope);
    let account = "urn:v1:eu:resource:account:aa1-ovh";
    assert!(ask(&set, &cut, "account:apiovh:me/get", account).is_allowed());
    let root = Caller::root(Region::Eu, &AccountName::new(HOME), scope());
    assert_eq!(ask(&set, &root, "vps:apiovh:get", VPS), Decision::OutOfScope);
}

#[test]
fn a_condition_that_fails_takes_all_effect_from_its_policy() {
    let conditions = |name: &str| {
        let json = format!(r#"{{"operator":"MATCH","values":{{"resource.Name":"{name}"}}}}"#);
        serde_json::from_str(&json).unwrap()
    };
    let mut give = allow(1, &["*"]);
    give.conditions = conditions("one");
    let mut deny = policy(2, permissions(&[], &[], &["*"]));
    deny.conditions = conditions("two");
    let set = set([give, deny]);
    assert!(robot_may(&set, "vps:apiovh:get", VPS));
    assert!(!robot_may(&set, "vps:apiovh:get", "urn:v1:eu:resource:vps:two"));
    assert!(!robot_may(&set, "vps:apiovh:get", "urn:v1:eu:resource:vps:three"));
}

#[test]
fn a_policy_without_identities_resources_or_permissions_gives_nothing() {
    let mut nobody = allow(1, &["*"]);
    nobody.identities.clear();
    let mut nothing = allow(2, &["*"]);
    nothing.resources.clear();
    let set = set([nobody, nothing, policy(3, Permissions::default())]);
    assert!(!robot_may(&set, "vps:apiovh:get", VPS));
}

#[test]
fn an_older_clone_goes_on_reading_what_it_read() {
    let mut set = set([allow(1, &["*"])]);
    let before = set.clone();
    set.remove(PolicyId::new(Uuid::from_u128(1)));
    assert!(robot_may(&before, "vps:apiovh:get", VPS));
    assert!(!robot_may(&set, "vps:apiovh:get", VPS));
    assert!(set.is_empty());
}

#[test]
fn an_identity_with_many_policies_gains_and_loses_each_of_them() {
    let action = |n: u128| format!("vps:apiovh:a{n}");
    let mut set = set((0..100).map(|n| allow(n, &[&action(n)])));
    for n in 0..100 {
        assert!(robot_may(&set, &action(n), VPS));
        set.remove(PolicyId::new(Uuid::from_u128(n)));
        assert!(!robot_may(&set, &action(n), VPS));
        assert_eq!(set.len(), usize::try_from(99 - n).unwrap());
    }
}

#[test]
fn an_explanation_names_what_each_policy_lacked() {
    let mut expired = allow(1, &["*"]);
    expired.expires = Some(Instant::EPOCH);
    let mut elsewhere = allow(2, &["*"]);
    elsewhere.resources = texts(&["urn:v1:eu:resource:vps:two"]);
    let mut conditional = allow(3, &["*"]);
    let json = r#"{"operator":"MATCH","values":{"request.IP":"192.0.2.1"}}"#;
    conditional.conditions = serde_json::from_str(json).unwrap();
    let excepted = policy(4, permissions(&["*"], &["*get"], &[]));
    let set = set([expired, elsewhere, conditional, excepted, allow(5, &["vps:apiovh:x"])]);
    let robot = caller(&robot());
    let request = Request {
        caller: &robot,
        action: "vps:apiovh:get",
        resource: Resource::bare(VPS, "vps", "one"),
        environment: Environment { now: NOW, ip: None },
    };
    let explanation = explain(&request, &set, None);
    assert_eq!(explanation.decision, Decision::NotAllowed);
    let mut outcomes: Vec<_> = explanation
        .evaluated
        .iter()
        .map(|one| (one.policy.uuid().as_u128(), one.outcome))
        .collect();
    outcomes.sort_by_key(|(id, _)| *id);
    assert_eq!(
        outcomes,
        [
            (1, Outcome::Expired),
            (2, Outcome::OtherResource),
            (3, Outcome::ConditionFails),
            (4, Outcome::Excepted(Block::Own)),
            (5, Outcome::OtherAction),
        ]
    );
}

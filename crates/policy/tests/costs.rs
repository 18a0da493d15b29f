//! The costs of decisions, which are known before anything is decided.

#![expect(clippy::unwrap_used, reason = "a test that fails may panic")]

use std::sync::Arc;

use gatewright_policy::{
    AccountName, Caller, ClientId, Identity, Members, Permissions, Policy, PolicyId, PolicySet,
    Region, ResourceGroupId, Scope, decision_cost, permissions_group_urn,
};
use uuid::Uuid;

fn account() -> AccountName {
    AccountName::new("xx1-ovh")
}

fn identity(client: &str) -> Identity {
    Identity::service_account(Region::Eu, &account(), &ClientId::new(client))
}

fn caller(client: &str) -> Caller {
    Caller::new(Region::Eu, &account(), &identity(client), &[], Scope::All)
}

fn contained(count: usize) -> Permissions {
    let allow = (0..count).map(|number| format!("*x{number}*")).collect();
    Permissions { allow, ..Permissions::default() }
}

fn policy(number: u128, client: &str, permissions: Permissions) -> Policy {
    Policy {
        id: PolicyId::new(Uuid::from_u128(number)),
        identities: vec![identity(client).urn().to_owned()],
        resources: vec!["urn:v1:eu:resource:*".to_owned()],
        permissions,
        ..Policy::default()
    }
}

fn set(policies: impl IntoIterator<Item = Policy>) -> PolicySet {
    let mut set = PolicySet::new(account());
    for policy in policies {
        set.insert(policy.compile(Region::Eu).unwrap());
    }
    set
}

#[test]
fn a_decision_costs_what_the_policies_of_its_caller_do() {
    let set = set([
        policy(1, "a", contained(1)),
        policy(2, "a", contained(1)),
        policy(3, "b", contained(1)),
    ]);
    let cost = |client| decision_cost(&caller(client), &set, None);
    assert_eq!((cost("a") - 1, cost("c")), (2 * (cost("b") - 1), 1));
    assert_eq!(set.cost_of_identity(identity("a").urn()), cost("a") - 1);
    let root = Caller::root(Region::Eu, &account(), Scope::All);
    assert_eq!(decision_cost(&root, &set, None), 1);
}

#[test]
fn many_patterns_cost_hardly_more_than_some() {
    let cost = |count| decision_cost(&caller("a"), &set([policy(1, "a", contained(count))]), None);
    assert!(cost(3) > cost(1));
    assert_eq!(cost(5_000), cost(100));
}

#[test]
fn a_permissions_group_costs_what_it_holds_now() {
    let urn = permissions_group_urn(Region::Eu, &account(), "g");
    let mut set = set([Policy {
        permissions_groups: vec![urn.clone()],
        ..policy(1, "a", Permissions::default())
    }]);
    let before = decision_cost(&caller("a"), &set, None);
    set.set_permissions_group(&urn, Arc::new(contained(100).compile().unwrap()));
    let after = decision_cost(&caller("a"), &set, None);
    let of_policy = |lists| decision_cost(&caller("a"), &self::set([policy(1, "a", lists)]), None);
    let own = of_policy(contained(100)) - of_policy(Permissions::default());
    assert_eq!(after - before, own, "the same as in the policy itself");
}

#[test]
fn a_resource_is_in_any_group_until_the_last_one_lets_it_go() {
    let vps = "urn:v1:eu:resource:vps:a";
    let any = Policy {
        resources: vec!["urn:v1:eu:resourceGroup:*".to_owned()],
        ..policy(1, "a", contained(1))
    };
    let any = any.compile(Region::Eu).unwrap();
    let mut set = PolicySet::new(account());
    let group = |number| ResourceGroupId::new(Uuid::from_u128(number));
    let members = |urns: &[&str]| urns.iter().map(|urn| Box::from(*urn)).collect::<Members>();
    assert!(!set.covers(&any, vps));
    set.set_resource_group(group(1), members(&[vps]));
    set.set_resource_group(group(2), members(&[vps]));
    set.set_resource_group(group(1), members(&[]));
    assert!(set.covers(&any, vps), "it is in the second");
    set.remove_resource_group(group(2));
    set.remove_resource_group(group(2));
    assert!(!set.covers(&any, vps));
    // A group of everything lists nothing.
    set.set_resource_group(group(3), Members::Everything);
    assert!(!set.covers(&any, vps));
    set.set_resource_group(group(3), members(&["urn:v1:eu:resource:vps:b"]));
    assert!(!set.covers(&any, vps));
}

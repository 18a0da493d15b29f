//! Compiles any policy, or refuses it; a compiled one decides without a panic.
#![no_main]

use gatewright_policy::{
    AccountName, Caller, Environment, Identity, Instant, Policy, PolicySet, Region, Request,
    Resource, Scope, decide, explain,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(policy) = serde_json::from_str::<Policy>(text) else { return };
    let Ok(compiled) = policy.compile(Region::Eu) else { return };
    let account = AccountName::new("aa1-ovh");
    let mut set = PolicySet::new(account.clone());
    set.insert(compiled);
    let identities: Vec<Identity> =
        policy.identities.iter().filter_map(|urn| Identity::parse(urn, Region::Eu).ok()).collect();
    let Some((identity, groups)) = identities.split_first() else { return };
    let caller = Caller::new(Region::Eu, &account, identity, groups, Scope::All);
    for action in policy.permissions.allow.iter().chain(&policy.permissions.deny) {
        let request = Request {
            caller: &caller,
            action,
            resource: Resource::bare("urn:v1:eu:resource:vps:a", "vps", "a"),
            environment: Environment { now: Instant::EPOCH, ip: None },
        };
        assert_eq!(explain(&request, &set, None).decision, decide(&request, &set, None));
    }
});

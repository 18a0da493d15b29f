//! Any policy is compiled or refused, and what is compiled decides without a fault.
#![no_main]

use gatewright_policy::{
    Caller, Circumstances, Identity, Plate, Policy, PolicySet, Question, Resource, Scope, decide,
    explain,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(policy) = serde_json::from_str::<Policy>(text) else { return };
    let Ok(compiled) = policy.compile(Plate::Eu) else { return };
    let mut set = PolicySet::new("aa1-ovh");
    set.insert(compiled);
    let identities: Vec<Identity> =
        policy.identities.iter().filter_map(|urn| Identity::parse(urn, Plate::Eu).ok()).collect();
    let caller = Caller::new(Plate::Eu, "aa1-ovh", &identities, Scope::All);
    for action in policy.permissions.allow.iter().chain(&policy.permissions.deny) {
        let question = Question {
            caller: &caller,
            action,
            resource: Resource::bare("urn:v1:eu:resource:vps:a", "vps", "a"),
            circumstances: Circumstances { now: 0, ip: None },
        };
        assert_eq!(explain(&question, &set, None).decision, decide(&question, &set, None));
    }
});

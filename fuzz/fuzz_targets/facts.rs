//! Applies any stream of facts to a replica, or refuses it; the replica decides in any case.
#![no_main]

use gatewright_policy::{
    AccountName, Environment, Fact, Instant, Region, Replica, ReplicaRequest, ResourceUrn, Scope,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let mut replica = Replica::new(Region::Eu, AccountName::new("xx11111-ovh"));
    for line in text.lines() {
        let Ok(fact) = serde_json::from_str::<Fact>(line) else { continue };
        if replica.apply(fact).is_err() {
            return;
        }
    }
    let resource = ResourceUrn::of(Region::Eu, "vps", "a").unwrap();
    let _ = replica.decide(&ReplicaRequest {
        subject: "urn:v1:eu:identity:user:xx11111-ovh/ada",
        scope: &Scope::All,
        token: Some("t"),
        action: "vps:apiovh:get",
        resource: &resource,
        environment: Environment { now: Instant::EPOCH, ip: None },
    });
});

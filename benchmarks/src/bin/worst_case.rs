//! Measures the costliest decisions that can be written: an identity with policies of one shape, of
//! a cost of 5,000 together, half of the default limit. Each request is matched by as many
//! policies and by as few patterns as possible.

use std::hint::black_box;
use std::time::{Duration, Instant as Clock};

use gatewright_policy::{
    AccountName, Caller, ClientId, Condition, Environment, Identity, Instant, Permissions, Policy,
    PolicyId, PolicySet, Region, Request, Resource, ResourceUrn, Scope, decide, decision_cost,
    permissions_group_urn,
};
use serde_json::json;
use uuid::Uuid;

const ACCOUNT: &str = "xx11111-ovh";
const LIMIT: u64 = 5_000;
const ROUNDS: usize = 200;

/// A text of so many bytes in which most patterns are almost found.
fn text(head: &str, bytes: usize) -> String {
    let mut text = head.to_owned();
    while text.len() < bytes {
        text.push(if text.len().is_multiple_of(7) { 'b' } else { 'a' });
    }
    text
}

fn action() -> String {
    text("vps:apiovh:", 256)
}

fn urn() -> ResourceUrn {
    ResourceUrn::new(Region::Eu, "vps", &text("", 1_000))
}

/// Patterns of the action that do not match it, but nearly.
fn contained(count: usize, length: usize) -> Vec<String> {
    (0..count).map(|number| format!("*{}{number:04}*", text("", length))).collect()
}

fn permissions(allow: Vec<String>) -> Permissions {
    Permissions { allow, ..Permissions::default() }
}

fn plain() -> Policy {
    Policy { resources: vec![urn().urn().to_owned()], ..Policy::default() }
}

fn match_all(values: impl Iterator<Item = (String, String)>) -> Option<Condition> {
    let values: serde_json::Map<_, _> = values.map(|(key, value)| (key, value.into())).collect();
    serde_json::from_value(json!({"operator": "NOT", "conditions": [
        {"operator": "MATCH", "values": values}
    ]}))
    .ok()
}

fn shapes() -> Vec<(&'static str, Policy)> {
    let shapes = pattern_shapes().into_iter().chain(condition_shapes()).chain(group_shapes());
    shapes.collect()
}

fn pattern_shapes() -> Vec<(&'static str, Policy)> {
    let prefixes = (0..1_000)
        .map(|number| format!("{}{number:04}*", urn().urn().get(..1_000).unwrap_or_default()));
    vec![
        (
            "one exact action",
            Policy { permissions: permissions(vec!["vps:apiovh:x".into()]), ..plain() },
        ),
        ("3 *…* patterns", Policy { permissions: permissions(contained(3, 16)), ..plain() }),
        ("4 *…* patterns", Policy { permissions: permissions(contained(4, 16)), ..plain() }),
        (
            "1,000 *…* patterns",
            Policy { permissions: permissions(contained(1_000, 100)), ..plain() },
        ),
        (
            "1,000 *…* patterns in each list",
            Policy {
                permissions: Permissions {
                    allow: contained(1_000, 50),
                    except: contained(1_000, 51),
                    deny: contained(1_000, 52),
                },
                ..plain()
            },
        ),
        (
            "15 prefixes",
            Policy {
                permissions: permissions(
                    (0..15)
                        .map(|number| format!("{}{number}*", text("vps:apiovh:", 240)))
                        .collect(),
                ),
                ..plain()
            },
        ),
        (
            "1,000 exact actions",
            Policy {
                permissions: permissions(
                    (0..1_000)
                        .map(|number| format!("{}{number:04}", text("vps:apiovh:", 252)))
                        .collect(),
                ),
                ..plain()
            },
        ),
        (
            "1,000 prefixes of resources",
            Policy {
                resources: prefixes.chain([urn().urn().to_owned()]).collect(),
                permissions: permissions(vec!["vps:apiovh:x".into()]),
                ..Policy::default()
            },
        ),
    ]
}

fn condition_shapes() -> Vec<(&'static str, Policy)> {
    let zones = zones_in_cases();
    let hours = zones.iter().map(|zone| (format!("date({zone}).Hour.GE"), "0".to_owned()));
    let hours: Vec<_> = hours.collect();
    vec![
        (
            "the hour in 100 time zones",
            Policy {
                permissions: permissions(vec!["*".into()]),
                conditions: match_all(hours.into_iter()),
                ..plain()
            },
        ),
        (
            "a list of 1,000 names",
            Policy {
                permissions: permissions(vec!["*".into()]),
                conditions: match_all(std::iter::once((
                    "resource.Name.IN".to_owned(),
                    (0..1_000).map(|one| format!("x{one:04}")).collect::<Vec<_>>().join(","),
                ))),
                ..plain()
            },
        ),
        (
            "a list of 1,000 networks",
            Policy {
                permissions: permissions(vec!["*".into()]),
                conditions: match_all(std::iter::once((
                    "request.IP.IN_RANGE".to_owned(),
                    (0..1_000)
                        .map(|one| format!("2001:db8:{one:x}::/48"))
                        .collect::<Vec<_>>()
                        .join(","),
                ))),
                ..plain()
            },
        ),
    ]
}

fn group_shapes() -> Vec<(&'static str, Policy)> {
    vec![
        (
            "10 permissions groups",
            Policy {
                permissions_groups: (0..10)
                    .map(|one| {
                        permissions_group_urn(
                            Region::Eu,
                            &AccountName::new(ACCOUNT),
                            &format!("g{one}"),
                        )
                    })
                    .collect(),
                ..plain()
            },
        ),
        (
            "100 resource groups",
            Policy {
                resources: (0..100)
                    .map(|one| format!("urn:v1:eu:resourceGroup:{}", Uuid::from_u128(one)))
                    .collect(),
                permissions: permissions(vec!["*".into()]),
                ..Policy::default()
            },
        ),
    ]
}

fn zones_in_cases() -> Vec<String> {
    let names = ["Europe/Paris", "America/New_York", "Asia/Tokyo", "Australia/Sydney", "UTC"];
    let suffixes = (0..20).map(|case: u32| {
        names.iter().map(move |name| {
            // The names of zones may be written in any case, so that keys differ.
            let change = |(at, one): (usize, char)| {
                if at < 5 && case >> at & 1 == 1 { one.to_ascii_uppercase() } else { one }
            };
            name.to_ascii_lowercase().chars().enumerate().map(change).collect::<String>()
        })
    });
    suffixes.flatten().collect()
}

fn main() {
    let account = AccountName::new(ACCOUNT);
    let identity = Identity::service_account(Region::Eu, &account, &ClientId::new("EU.1"));
    let caller = Caller::new(Region::Eu, &account, &identity, &[], Scope::All);
    let (action, urn) = (action(), urn());
    for (name, policy) in shapes() {
        let mut set = PolicySet::new(account.clone());
        let group = permissions(contained(1_000, 50)).compile().expect("permissions");
        let group = std::sync::Arc::new(group);
        for one in 0..10 {
            let urn = permissions_group_urn(Region::Eu, &account, &format!("g{one}"));
            set.set_permissions_group(&urn, std::sync::Arc::clone(&group));
        }
        for number in 0.. {
            let policy = Policy {
                id: PolicyId::new(Uuid::from_u128(number)),
                identities: vec![identity.urn().to_owned()],
                ..policy.clone()
            };
            let mut next = set.clone();
            next.insert(policy.compile(Region::Eu).expect("a policy"));
            if decision_cost(&caller, &next, None) > LIMIT && !set.is_empty() {
                break;
            }
            set = next;
        }
        let request = Request {
            caller: &caller,
            action: &action,
            resource: Resource::bare(urn.urn(), urn.resource_type(), urn.name()),
            environment: Environment {
                now: Instant::from_seconds(1_700_000_000),
                ip: "2001:db9::1".parse().ok(),
            },
        };
        let least = (0..ROUNDS)
            .map(|_| {
                let started = Clock::now();
                black_box(decide(black_box(&request), &set, None));
                started.elapsed()
            })
            .min()
            .unwrap_or(Duration::ZERO);
        let (count, cost) = (set.len(), decision_cost(&caller, &set, None));
        let memory: usize = set.iter().map(|policy| policy.memory()).sum();
        println!(
            "{name}: {count} policies of a cost of {cost}: a decision {:.1} µs, {:.1} ns for 1, {} KiB",
            least.as_secs_f64() * 1e6,
            least.as_secs_f64() * 1e9 / cost as f64,
            memory / 1024
        );
    }
}

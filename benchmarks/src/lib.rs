//! The policies and requests of all engines.

pub mod client;
pub mod dev_server;
pub mod server;

use std::collections::HashMap;

use gatewright_policy::{
    AccountName, Caller, ClientId, Environment, Identity, Instant, Permissions, Policy, PolicySet,
    Region, Request, Resource, ResourceUrn, Scope, decide,
};
use uuid::Uuid;

pub const ACCOUNT: &str = "xx11111-ovh";

pub const TYPES: [&str; 4] = ["vps", "webHosting", "dnsZone", "publicCloudProject"];
pub const VERBS: [&str; 10] =
    ["get", "create", "edit", "delete", "start", "stop", "reboot", "snapshot", "restore", "move"];

/// A policy, in terms that every engine supports.
#[derive(Debug, Clone)]
pub struct Rule {
    pub id: Uuid,
    pub identity: usize,
    pub kind: &'static str,
    /// One resource of the type; none for all of them.
    pub resource: Option<usize>,
    pub verbs: Vec<&'static str>,
    pub deny: bool,
}

/// A request: an identity, an action and a resource.
#[derive(Debug, Clone)]
pub struct Ask {
    pub identity: usize,
    pub kind: &'static str,
    pub resource: usize,
    pub verb: &'static str,
}

/// Generates policies for as many identities; one policy in ten denies.
pub fn rules(count: usize) -> Vec<Rule> {
    let mut random = fastrand::Rng::with_seed(7);
    (0..count)
        .map(|_| Rule {
            id: Uuid::from_u128(random.u128(..)),
            identity: random.usize(..count),
            kind: TYPES[random.usize(..TYPES.len())],
            resource: random.bool().then(|| random.usize(..RESOURCES)),
            verbs: random.choose_multiple(VERBS, 4),
            deny: random.u8(..10) == 0,
        })
        .collect()
}

const RESOURCES: usize = 20;

/// Generates requests, about half of which have a matching policy.
pub fn asks(rules: &[Rule], count: usize) -> Vec<Ask> {
    let mut random = fastrand::Rng::with_seed(11);
    (0..count)
        .map(|_| {
            let rule = &rules[random.usize(..rules.len())];
            if random.bool() {
                let resource = rule.resource.unwrap_or_else(|| random.usize(..RESOURCES));
                let verb = rule.verbs[random.usize(..rule.verbs.len())];
                return Ask { identity: rule.identity, kind: rule.kind, resource, verb };
            }
            Ask {
                identity: random.usize(..rules.len()),
                kind: TYPES[random.usize(..TYPES.len())],
                resource: random.usize(..RESOURCES),
                verb: VERBS[random.usize(..VERBS.len())],
            }
        })
        .collect()
}

pub fn action(kind: &str, verb: &str) -> String {
    format!("{kind}:apiovh:{verb}")
}

pub fn identity(number: usize) -> Identity {
    Identity::service_account(
        Region::Eu,
        &AccountName::new(ACCOUNT),
        &ClientId::new(format!("EU.{number:016x}")),
    )
}

/// Converts a rule into a Gatewright policy.
pub fn policy(rule: &Rule) -> Policy {
    let kind = rule.kind;
    let resource = rule.resource.map_or("*".to_owned(), |number| format!("r{number}"));
    let actions: Vec<String> = rule.verbs.iter().map(|verb| action(kind, verb)).collect();
    let permissions = if rule.deny {
        Permissions { deny: actions, ..Permissions::default() }
    } else {
        Permissions { allow: actions, ..Permissions::default() }
    };
    Policy {
        id: gatewright_policy::PolicyId::new(rule.id),
        identities: vec![identity(rule.identity).urn().to_owned()],
        resources: vec![format!("urn:v1:eu:resource:{kind}:{resource}")],
        permissions,
        ..Policy::default()
    }
}

/// Compiles all rules.
pub fn compiled(rules: &[Rule]) -> PolicySet {
    let mut set = PolicySet::new(AccountName::new(ACCOUNT));
    for rule in rules {
        set.insert(policy(rule).compile(Region::Eu).expect("a policy"));
    }
    set
}

/// A minimal index by identity, as a baseline for the cost of memory access. It has no groups,
/// conditions, expiry, types or reasons, and is rebuilt for each change.
pub type PlainIndex = HashMap<String, Vec<Plain>>;

/// A policy of a [`PlainIndex`].
pub struct Plain {
    deny: bool,
    resource: String,
    actions: Vec<String>,
}

pub fn plain_index(rules: &[Rule]) -> PlainIndex {
    let mut index = PlainIndex::new();
    for rule in rules {
        let Policy { identities, resources, permissions, .. } = policy(rule);
        let actions = [permissions.allow, permissions.deny].concat();
        for (identity, resource) in identities.into_iter().zip(resources) {
            let plain = Plain { deny: rule.deny, resource, actions: actions.clone() };
            index.entry(identity).or_default().push(plain);
        }
    }
    index
}

/// A request that is ready to be decided.
pub struct Prepared {
    caller: Caller,
    action: String,
    urn: ResourceUrn,
}

impl Prepared {
    pub fn new(ask: &Ask) -> Self {
        let identity = identity(ask.identity);
        Self {
            caller: Caller::new(Region::Eu, &AccountName::new(ACCOUNT), &identity, &[], Scope::All),
            action: action(ask.kind, ask.verb),
            urn: ResourceUrn::new(Region::Eu, ask.kind, &format!("r{}", ask.resource)),
        }
    }

    /// Decides the same request with a plain index.
    pub fn is_allowed_by(&self, index: &PlainIndex) -> bool {
        let identity = self.caller.identities().next().unwrap_or_default();
        let mut allowed = false;
        for policy in index.get(identity).into_iter().flatten() {
            let about = match policy.resource.strip_suffix('*') {
                Some(head) => self.urn.urn().starts_with(head),
                None => self.urn.urn() == policy.resource,
            };
            if about && policy.actions.contains(&self.action) {
                if policy.deny {
                    return false;
                }
                allowed = true;
            }
        }
        allowed
    }

    pub fn is_allowed(&self, set: &PolicySet) -> bool {
        let request = Request {
            caller: &self.caller,
            action: &self.action,
            resource: Resource::bare(self.urn.urn(), self.urn.resource_type(), self.urn.name()),
            environment: Environment { now: Instant::from_seconds(1_700_000_000), ip: None },
        };
        decide(&request, set, None).is_allowed()
    }
}

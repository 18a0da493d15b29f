//! Random accounts, policies and requests, with few enough names that they often match.

use std::sync::Arc;

use fastrand::Rng;
use gatewright_policy::{
    AccountName, Caller, ClientId, Condition, Environment, GroupName, Identity, Instant, Login,
    Members, Operator, Permissions, Policy, PolicyId, PolicySet, Region, Request, Resource,
    ResourceGroupId, Scope, Tags, resource_group_urn,
};
use uuid::Uuid;

/// Tuesday 2026-05-12, 09:30 UTC.
const NOW: i64 = 1_778_578_200_000_000;
const HOUR: i64 = 3_600_000_000;

const OWNER: &str = "aa1-ovh";
const HOME: &str = "bb2-ovh";
const TYPES: [&str; 2] = ["vps", "ldp/stream"];
const NAMES: [&str; 4] = ["a", "prod-a", "prod-b", "x/y:z"];
const PATHS: [&str; 5] = ["get", "a/get", "edit", "a/edit", "run?x=1"];
const SPACES: [&str; 2] = ["apiovh", "openstack"];
const IPS: [&str; 4] = ["203.0.113.7", "203.0.113.200", "198.51.100.1", "10.1.2.3"];
const DAYS: [&str; 7] =
    ["Monday", "tuesday", "Wednesday", "thursday", "Friday", "saturday", "Sunday"];

fn pick<'a>(dice: &mut Rng, from: &[&'a str]) -> &'a str {
    dice.choice(from).copied().unwrap_or_default()
}

/// Returns true with a probability of one in `n`.
fn once_in(dice: &mut Rng, n: usize) -> bool {
    dice.usize(0..n) == 0
}

fn some<T>(dice: &mut Rng, most: usize, mut roll: impl FnMut(&mut Rng) -> T) -> Vec<T> {
    (0..dice.usize(0..=most)).map(|_| roll(dice)).collect()
}

#[derive(Debug)]
pub(crate) struct Group {
    pub urn: String,
    pub permissions: Permissions,
}

#[derive(Debug)]
pub(crate) struct ResourceGroup {
    pub id: ResourceGroupId,
    /// The members; none for all resources.
    pub members: Option<Vec<String>>,
}

/// The policies and groups of one account.
#[derive(Debug)]
pub(crate) struct Account {
    pub name: &'static str,
    pub policies: Vec<Policy>,
    pub permissions_groups: Vec<Group>,
    pub resource_groups: Vec<ResourceGroup>,
}

#[derive(Debug)]
pub(crate) struct World {
    pub owner: Account,
    pub home: Account,
}

#[derive(Debug)]
pub(crate) struct Ask {
    pub account: &'static str,
    pub root: bool,
    pub identities: Vec<Identity>,
    pub scope: Vec<&'static str>,
    pub action: String,
    pub kind: &'static str,
    pub name: &'static str,
    pub urn: String,
    pub tags: Tags,
    pub now: Instant,
    pub ip: Option<&'static str>,
}

fn people(account: &AccountName) -> [Identity; 4] {
    [
        Identity::user(Region::Eu, account, &Login::new("bob")),
        Identity::group(Region::Eu, account, &GroupName::new("team")),
        Identity::group(Region::Eu, account, &GroupName::new("ops")),
        Identity::service_account(Region::Eu, account, &ClientId::new("EU.1")),
    ]
}

fn identity(dice: &mut Rng) -> String {
    let account = AccountName::new(if once_in(dice, 3) { OWNER } else { HOME });
    if once_in(dice, 3) {
        return Identity::account_of(Region::Eu, &account).urn().to_owned();
    }
    let urn = people(&account)[dice.usize(0..4)].urn().to_owned();
    if once_in(dice, 8) { urn.replace(":eu:", "::") } else { urn }
}

fn action(dice: &mut Rng) -> String {
    let (kind, space) = (pick(dice, &TYPES), pick(dice, &SPACES));
    format!("{kind}:{space}:{}", pick(dice, &PATHS))
}

/// Returns a part of an action with wildcards at its ends, or a whole action.
fn pattern(dice: &mut Rng) -> String {
    if once_in(dice, 3) {
        return "*".into();
    }
    let action = action(dice);
    let (start, end) = (dice.usize(0..action.len()), dice.usize(1..=action.len()));
    match dice.u8(0..4) {
        0 => action,
        1 => format!("{}*", &action[..end]),
        2 => format!("*{}", &action[start..]),
        _ => format!("*{}*", &action[start.min(end - 1)..end]),
    }
}

fn permissions(dice: &mut Rng) -> Permissions {
    Permissions {
        allow: some(dice, 4, pattern),
        except: if once_in(dice, 3) { some(dice, 2, action) } else { vec![] },
        deny: if once_in(dice, 12) { some(dice, 2, action) } else { vec![] },
    }
}

fn urn(dice: &mut Rng) -> (&'static str, &'static str, String) {
    let (kind, name) = (pick(dice, &TYPES), pick(dice, &NAMES));
    (kind, name, format!("urn:v1:eu:resource:{kind}:{name}"))
}

fn resource(dice: &mut Rng) -> String {
    let one = urn(dice).2;
    match dice.u8(0..9) {
        0..3 => "urn:v1:eu:resource:*".into(),
        3 => one,
        4 => one.replace(":eu:", "::"),
        5 => format!("urn:v1:eu:resource:{}:*", pick(dice, &TYPES)),
        6 => format!("{}*", &one[..dice.usize(20..=one.len())]),
        7 => "urn:v1:eu:resourceGroup:*".into(),
        _ => resource_group_urn(Region::Eu, ResourceGroupId::new(Uuid::from_u128(dice.u128(0..3)))),
    }
}

fn pair(dice: &mut Rng) -> (String, String) {
    let zone = pick(dice, &["UTC", "Europe/Paris", "America/New_York", ""]);
    let order = pick(dice, &["", ".EQ", ".BEFORE", ".AFTER", ".GE", ".LE", ".GT", ".lt", ".In"]);
    let text = pick(dice, &["", ".EQ", ".STARTS_WITH", ".END_WITH"]);
    let fields: [(String, Vec<String>); 6] = [
        (format!("date({zone}).Hour{order}"), some(dice, 2, |dice| dice.u8(0..24).to_string())),
        (
            format!("date({zone}).WeekDay{order}"),
            some(dice, 2, |dice| pick(dice, &DAYS).to_owned()),
        ),
        (
            format!("date({zone}).Date{}", pick(dice, &["", ".BEFORE", ".AFTER", ".IN"])),
            some(dice, 2, |dice| format!("2026-05-{:02}", dice.u8(10..15))),
        ),
        (
            format!("resource.Tag({}){text}", pick(dice, &["env", "team"])),
            vec![pick(dice, &["prod", "staging", "p", "g"]).to_owned()],
        ),
        (
            format!("resource.{}{text}", pick(dice, &["Name", "Type"])),
            vec![pick(dice, &["prod-a", "vps", "prod-", "s", "a"]).to_owned()],
        ),
        (
            "request.IP.IN_RANGE".to_owned(),
            vec![pick(dice, &["203.0.113.0/24", "203.0.113.0/25", "0.0.0.0/0"]).to_owned()],
        ),
    ];
    let (key, mut values) = fields[dice.usize(0..6)].clone();
    if values.is_empty() || !key.to_ascii_lowercase().ends_with(".in") {
        values.truncate(1);
    }
    if values.is_empty() {
        return ("request.IP".into(), pick(dice, &IPS).into());
    }
    (key, values.join(","))
}

fn condition(dice: &mut Rng, depth: usize) -> Condition {
    let deeper = |dice: &mut Rng, least: usize| {
        let more = dice.usize(least..=2);
        Some((0..more).map(|_| condition(dice, depth - 1)).collect())
    };
    let inner = |operator, conditions| Condition { operator, values: None, conditions };
    match if depth == 0 { 0 } else { dice.u8(0..5) } {
        0 | 1 => {
            let pairs = (0..dice.usize(1..=2)).map(|_| pair(dice)).collect();
            Condition { operator: Operator::Match, values: Some(pairs), conditions: None }
        }
        2 => inner(Operator::And, deeper(dice, 0)),
        3 => inner(Operator::Or, deeper(dice, 1)),
        _ => inner(Operator::Not, deeper(dice, 1)),
    }
}

impl Account {
    fn roll(dice: &mut Rng, name: &'static str, policies: usize) -> Self {
        let group = |owner: &str, name: &str| format!("urn:v1:eu:permissionsGroup:{owner}:{name}");
        let policies = (0..policies as u128)
            .map(|id| Policy {
                id: PolicyId::new(Uuid::from_u128(id + 1)),
                identities: some(dice, 5, identity),
                resources: some(dice, 3, resource),
                permissions: permissions(dice),
                permissions_groups: if once_in(dice, 3) {
                    some(dice, 2, |dice| group("ovh", pick(dice, &["one", "two", "gone"])))
                } else {
                    vec![]
                },
                conditions: once_in(dice, 3).then(|| condition(dice, 2)),
                expires: once_in(dice, 4)
                    .then(|| Instant::from_micros(NOW + dice.i64(-1..=1) * HOUR)),
            })
            .collect();
        let permissions_groups = ["one", "two"]
            .map(|name| Group { urn: group("ovh", name), permissions: permissions(dice) })
            .into();
        let resource_groups = (0..2)
            .map(|id| ResourceGroup {
                id: ResourceGroupId::new(Uuid::from_u128(id)),
                members: (!once_in(dice, 5)).then(|| some(dice, 3, |dice| urn(dice).2)),
            })
            .collect();
        Self { name, policies, permissions_groups, resource_groups }
    }

    pub(crate) fn compile(&self) -> PolicySet {
        let mut set = PolicySet::new(AccountName::new(self.name));
        for policy in &self.policies {
            set.insert(policy.compile(Region::Eu).unwrap_or_else(|e| panic!("{e}: {policy:#?}")));
        }
        for group in &self.permissions_groups {
            let permissions = group.permissions.compile().unwrap();
            set.set_permissions_group(&group.urn, Arc::new(permissions));
        }
        for group in &self.resource_groups {
            let members = match &group.members {
                None => Members::Everything,
                Some(urns) => urns.iter().map(|urn| urn.as_str().into()).collect(),
            };
            set.set_resource_group(group.id, members);
        }
        set
    }
}

impl World {
    pub(crate) fn roll(dice: &mut Rng) -> Self {
        let many = dice.usize(3..10);
        let owner = Account::roll(dice, OWNER, many);
        let home = Account::roll(dice, HOME, many);
        Self { owner, home }
    }
}

impl Ask {
    pub(crate) fn roll(dice: &mut Rng) -> Self {
        let account = if dice.bool() { OWNER } else { HOME };
        let root = once_in(dice, 10);
        let [user, team, ops, service] = people(&AccountName::new(account));
        let identities = match dice.u8(0..3) {
            _ if root => vec![Identity::account_of(Region::Eu, &AccountName::new(account))],
            0 => vec![service],
            1 => vec![user, team],
            _ => vec![user, ops, team],
        };
        let (kind, name, urn) = urn(dice);
        let mut action = action(dice);
        if !once_in(dice, 10) {
            let (_, rest) = action.split_once(':').unwrap();
            action = format!("{kind}:{rest}");
        }
        let mut tags = Tags::new();
        for key in ["env", "team"] {
            if dice.bool() {
                tags.insert(key.into(), pick(dice, &["prod", "staging"]).into());
            }
        }
        Self {
            account,
            root,
            identities,
            scope: if once_in(dice, 10) {
                some(dice, 2, |dice| pick(dice, &TYPES))
            } else {
                vec!["all"]
            },
            action,
            kind,
            name,
            urn,
            tags,
            now: Instant::from_micros(NOW + dice.i64(-40..40) * HOUR / 2),
            ip: (!once_in(dice, 6)).then(|| pick(dice, &IPS)),
        }
    }

    pub(crate) fn caller(&self) -> Caller {
        let scope = if self.scope.contains(&"all") {
            Scope::All
        } else {
            Scope::Types(self.scope.iter().map(|kind| (*kind).into()).collect())
        };
        let account = AccountName::new(self.account);
        if self.root {
            Caller::root(Region::Eu, &account, scope)
        } else {
            let (own, groups) = self.identities.split_first().unwrap();
            Caller::new(Region::Eu, &account, own, groups, scope)
        }
    }

    pub(crate) fn request<'a>(&'a self, caller: &'a Caller) -> Request<'a> {
        let (urn, resource_type, name, tags) = (&*self.urn, self.kind, self.name, &self.tags);
        Request {
            caller,
            action: &self.action,
            resource: Resource { urn, resource_type, name, tags },
            environment: Environment { now: self.now, ip: self.ip.map(|ip| ip.parse().unwrap()) },
        }
    }
}

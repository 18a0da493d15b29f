//! The worked examples of the policy language's conditions, as a table.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that fails may panic")]

use std::net::IpAddr;
use std::time::Duration;

use gatewright_policy::{
    AccountName, Caller, ClientId, Environment, Identity, Instant, Policy, PolicySet, Region,
    Request, Resource, Scope, Tags, decide,
};
use serde_json::{Value, json};

/// Tuesday 2026-05-12, 09:30 UTC, which is 11:30 in Paris.
const NOW: Instant = Instant::from_seconds(1_778_578_200);

struct DecisionContext {
    ip: Option<&'static str>,
    now: Instant,
}

const CONTEXT: DecisionContext = DecisionContext { ip: Some("203.0.113.7"), now: NOW };

impl DecisionContext {
    /// Returns whether a policy with this condition grants its action on `vps` `prod-db-1`.
    fn holds(&self, condition: &Value) -> bool {
        let who = Identity::service_account(
            Region::Eu,
            &AccountName::new("aa1-ovh"),
            &ClientId::new("EU.1"),
        );
        let policy: Policy = serde_json::from_value(json!({
            "id": "00000000-0000-0000-0000-000000000001",
            "identities": [who.urn()],
            "resources": ["urn:v1:eu:resource:*"],
            "permissions": {"allow": ["*"]},
            "conditions": condition,
        }))
        .unwrap();
        let mut set = PolicySet::new(AccountName::new("aa1-ovh"));
        set.insert(policy.compile(Region::Eu).unwrap_or_else(|e| panic!("{condition}: {e}")));
        let tags =
            Tags::from([("env", "production"), ("team", "web")].map(|(k, v)| (k.into(), v.into())));
        let resource = Resource {
            urn: "urn:v1:eu:resource:vps:prod-db-1",
            resource_type: "vps",
            name: "prod-db-1",
            tags: &tags,
        };
        let ip = self.ip.map(|ip| ip.parse::<IpAddr>().unwrap());
        let request = Request {
            caller: &Caller::new(Region::Eu, &AccountName::new("aa1-ovh"), &who, &[], Scope::All),
            action: "vps:apiovh:reboot",
            resource,
            environment: Environment { now: self.now, ip },
        };
        decide(&request, &set, None).is_allowed()
    }

    fn pair(&self, key: &str, value: &str) -> bool {
        self.holds(&json!({"operator": "MATCH", "values": {key: value}}))
    }
}

#[test]
fn each_worked_example_holds_or_not_as_the_table_says() {
    let table = [
        ("date(Europe/Paris).Date", "2026-05-12", true),
        ("date(UTC).Date.EQ", "2026-05-13", false),
        ("date(UTC).Date.BEFORE", "2026-05-12", false),
        ("date(UTC).Date.BEFORE", "2026-05-13", true),
        ("date(UTC).Date.AFTER", "2026-05-12", true),
        ("date(UTC).Date.AFTER", "2026-05-13", false),
        ("date(UTC).Date.IN", "2026-05-11,2026-05-12", true),
        ("date(Europe/Paris).Hour.EQ", "11", true),
        ("date(UTC).Hour.EQ", "11", false),
        ("date(Europe/Paris).Hour.BEFORE", "18", true),
        ("date(Europe/Paris).Hour.AFTER", "11", true),
        ("date(Europe/Paris).Hour.GT", "11", false),
        ("date(Europe/Paris).Hour.GE", "11", true),
        ("date(Europe/Paris).Hour.LE", "10", false),
        ("date(Europe/Paris).Hour.LT", "12", true),
        ("date(Europe/Paris).Hour.IN", "9,10,11", true),
        ("date(Europe/Paris).WeekDay", "tuesday", true),
        ("date(Europe/Paris).WeekDay.In", "monday,tuesday", true),
        ("date(UTC).WeekDay.BEFORE", "Tuesday", false),
        ("date(UTC).WeekDay.AFTER", "Tuesday", true),
        ("date(UTC).WeekDay.GT", "Monday", true),
        ("date(UTC).WeekDay.GE", "Tuesday", true),
        ("date(UTC).WeekDay.LT", "Wednesday", true),
        ("date(UTC).WeekDay.LE", "Tuesday", true),
        ("resource.Tag(env)", "production", true),
        ("resource.Tag(env).STARTS_WITH", "prod", true),
        ("resource.Tag(team).ENDS_WITH", "eb", true),
        ("resource.Tag(owner).EQ", "x", false),
        ("resource.Name.EQ", "prod-db-1", true),
        ("resource.Name.IN", "prod-db-1,prod-db-2", true),
        ("resource.Name.STARTS_WITH", "prod-", true),
        ("resource.Name.ENDS_WITH", "-2", false),
        ("resource.Type.EQ", "vps", true),
        ("resource.Type.IN", "vps,dedicatedServer", true),
        ("resource.Type.STARTS_WITH", "dedicated", false),
        ("resource.Type.ENDS_WITH", "ps", true),
        ("request.IP", "203.0.113.7", true),
        ("request.IP.IN", "198.51.100.1,203.0.113.7", true),
        ("request.IP.IN_RANGE", "203.0.113.0/24,10.0.0.0/8", true),
    ];
    for (key, value, expected) in table {
        assert_eq!(CONTEXT.pair(key, value), expected, "{key} = {value}");
    }
}

#[test]
fn the_worked_trees_are_evaluated_whole() {
    let office = json!({"operator": "AND", "conditions": [
        {"operator": "MATCH", "values":
            {"date(UTC).WeekDay.IN": "monday,tuesday,wednesday,thursday,friday"}},
        {"operator": "NOT", "conditions": [
            {"operator": "MATCH", "values": {"request.IP.IN_RANGE": "203.0.113.0/24"}}]}]});
    assert!(!CONTEXT.holds(&office));
    assert!(DecisionContext { ip: Some("198.51.100.1"), ..CONTEXT }.holds(&office));
    let either = json!({"operator": "OR", "conditions": [
        {"operator": "MATCH", "values": {"resource.Tag(env)": "staging"}},
        {"operator": "MATCH", "values":
            {"resource.Tag(env)": "production", "request.IP": "203.0.113.7"}}]});
    assert!(CONTEXT.holds(&either));
    assert!(!DecisionContext { ip: Some("198.51.100.1"), ..CONTEXT }.holds(&either));
}

#[test]
fn a_not_holds_when_none_of_its_conditions_does() {
    let not = |names: [&str; 2]| {
        json!({"operator": "NOT", "conditions": names.map(
            |name| json!({"operator": "MATCH", "values": {"resource.Name": name}}))})
    };
    assert!(CONTEXT.holds(&not(["a", "b"])));
    assert!(!CONTEXT.holds(&not(["a", "prod-db-1"])));
}

#[test]
fn a_time_zone_changes_the_day() {
    // 23:30 UTC on the 12th is 01:30 on the 13th in Paris.
    let late = DecisionContext { now: NOW.saturating_add(Duration::from_hours(14)), ..CONTEXT };
    assert!(late.pair("date(UTC).Date", "2026-05-12"));
    assert!(late.pair("date(Europe/Paris).Date", "2026-05-13"));
    assert!(late.pair("date(Europe/Paris).WeekDay", "Wednesday"));
    assert!(late.pair("date(Europe/Paris).Hour", "1"));
}

#[test]
fn summer_time_moves_the_hour() {
    // 2026-01-13 09:30 UTC is 10:30 in Paris.
    let winter = DecisionContext { now: Instant::from_seconds(1_768_296_600), ..CONTEXT };
    assert!(winter.pair("date(Europe/Paris).Hour", "10"));
}

#[test]
fn utc_is_the_zone_when_none_is_given() {
    for key in ["date.Hour", "date().Hour", "date(utc).Hour.eq"] {
        assert!(CONTEXT.pair(key, "9"), "{key}");
    }
}

#[test]
fn missing_data_makes_a_pair_false_and_its_not_true() {
    let nowhere = DecisionContext { ip: None, ..CONTEXT };
    for (key, value) in [("request.IP.IN_RANGE", "0.0.0.0/0"), ("resource.Tag(owner)", "x")] {
        assert!(!nowhere.pair(key, value));
        let pair = json!({"operator": "MATCH", "values": {key: value}});
        assert!(nowhere.holds(&json!({"operator": "NOT", "conditions": [pair]})));
    }
}

#[test]
fn a_mapped_ipv4_address_counts_as_ipv4() {
    let mapped = DecisionContext { ip: Some("::ffff:203.0.113.7"), ..CONTEXT };
    assert!(mapped.pair("request.IP", "203.0.113.7"));
    assert!(mapped.pair("request.IP.IN_RANGE", "203.0.113.0/24"));
    assert!(CONTEXT.pair("request.IP", "::ffff:203.0.113.7"));
    assert!(CONTEXT.pair("request.IP.IN_RANGE", "::ffff:203.0.113.0/120"));
}

#[test]
fn ipv6_addresses_and_blocks_work() {
    let six = DecisionContext { ip: Some("2001:db8::7"), ..CONTEXT };
    assert!(six.pair("request.IP", "2001:0db8:0::7"));
    assert!(six.pair("request.IP.IN", "192.0.2.1, 2001:db8::7"));
    assert!(six.pair("request.IP.IN_RANGE", "2001:db8::/32"));
    assert!(!six.pair("request.IP.IN_RANGE", "0.0.0.0/0"));
    assert!(!CONTEXT.pair("request.IP.IN_RANGE", "::/0"));
}

#[test]
fn suffixes_have_both_spellings_in_any_case() {
    assert!(CONTEXT.pair("resource.Name.start_with", "prod"));
    assert!(CONTEXT.pair("resource.Name.End_With", "-1"));
    assert!(CONTEXT.pair("resource.Name.Starts_With", "prod"));
    assert!(CONTEXT.pair("resource.Name.ends_with", "-1"));
}

#[test]
fn what_no_decision_could_use_is_refused_when_written() {
    let refused = [
        ("date(Mars/Olympus).Hour", "1"),
        ("date(UTC).Minute", "1"),
        ("date(UTC).Date.GE", "2026-05-12"),
        ("date(UTC).Date", "2026-5-12"),
        ("date(UTC).Date", "2026-02-30"),
        ("date(UTC).Date", "2026-05-12T10:00:00"),
        ("date(UTC).Date.IN", "2026-05-12,"),
        ("date(UTC).Hour", "24"),
        ("date(UTC).Hour", "-1"),
        ("date(UTC).Hour", "1,2"),
        ("date(UTC).Hour.IN", "1;2"),
        ("date(UTC).WeekDay", "mardi"),
        ("date(UTC", "1"),
        ("resource.Tag", "x"),
        ("resource.Tag()", "x"),
        ("resource.Tag(env).IN", "x,y"),
        ("resource.Tag(env)x", "x"),
        ("resource.Name.CONTAINS", "x"),
        ("resource.Name.STARTS_WITH", ""),
        ("resource.Name.IN", "a,,b"),
        ("resource.Colour", "red"),
        ("request.IP", "203.0.113.0/24"),
        ("request.IP", "localhost"),
        ("request.IP.IN_RANGE", "203.0.113.0/33"),
        ("request.IP.STARTS_WITH", "203."),
        ("", "x"),
    ];
    for (key, value) in refused {
        let policy: Policy = serde_json::from_value(json!({
            "id": "00000000-0000-0000-0000-000000000001",
            "conditions": {"operator": "MATCH", "values": {key: value}},
        }))
        .unwrap();
        assert!(policy.compile(Region::Eu).is_err(), "{key} = {value}");
    }
}

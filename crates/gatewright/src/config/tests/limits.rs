//! Compares `docs/limits.md` with the settings.

use std::collections::BTreeMap;

use gatewright_iam::limits;

use super::*;
use crate::config::limits::MIB;

/// The settings that limit nothing. A new setting is either here or a row of the document.
const NO_LIMITS: &[&str] = &[
    "config",
    "database",
    "master-key",
    "listen",
    "operations-listen",
    "ext-authz-listen",
    "public-url",
    "region",
    "plate",
    "algorithm",
    "key-days",
    "products",
    "built-in-products",
    "registrars",
    "only-administrators-grant",
    "trusted-proxies",
    "log-days",
    "log",
    "log-format",
];

/// Returns the value that a limit has where nothing is set.
fn built_in(setting: &str) -> Option<u64> {
    let config = read(LEAST).unwrap();
    let (settings, timeouts) = (&config.settings, &config.timeouts);
    let number = |number: usize| u64::try_from(number).unwrap();
    Some(match setting {
        "max-policies" => number(settings.limits.policies),
        "max-clients" => number(settings.limits.clients),
        "max-users" => number(settings.limits.users),
        "max-groups" => number(settings.limits.groups),
        "max-resources" => number(settings.limits.resources),
        "max-resource-groups" => number(settings.limits.resource_groups),
        "max-permissions-groups" => number(settings.limits.permissions_groups),
        "max-idempotency-keys" => number(settings.limits.idempotency_keys),
        "max-entries" => number(settings.limits.entries),
        "rate-tokens" => settings.rates.tokens.into(),
        "rate-decisions" => settings.rates.decisions.into(),
        "rate-reads" => settings.rates.reads.into(),
        "rate-writes" => settings.rates.writes.into(),
        "rate-anonymous" => settings.rates.anonymous.into(),
        "rate-failures" => settings.rates.failures.into(),
        "rate-journal" => settings.rates.journal.into(),
        "max-policy-bytes" => number(settings.limits.policy_bytes),
        "max-account-policy-bytes" => number(settings.limits.account_policy_bytes),
        "max-decision-cost" => settings.limits.decision_cost,
        "max-request-cost" => settings.limits.request_cost,
        "max-log-size" => u64::try_from(settings.log_sizes.each >> 20).unwrap(),
        "max-total-log-size" => u64::try_from(settings.log_sizes.all >> 20).unwrap(),
        "disk-reserve" => settings.disk_reserve >> 20,
        "accounts-in-memory" => number(settings.accounts_in_memory),
        "database-timeout" => settings.database_timeout.as_secs(),
        "max-connections" => number(crate::descriptors::CLIENTS),
        "max-connections-per-address" => number(config.max_connections_per_address),
        "max-body-memory" => number(config.max_body_memory / MIB),
        "max-response-memory" => number(config.max_response_memory / MIB),
        "header-timeout" => timeouts.header.as_secs(),
        "body-timeout" => timeouts.body.as_secs(),
        "idle-timeout" => timeouts.idle.as_secs(),
        "write-timeout" => timeouts.write.as_secs(),
        _ => return None,
    })
}

/// The limits without a setting, by the beginning of their rows.
const FIXED: &[(&str, usize)] = &[
    ("body of an authenticated request", limits::BODY_BYTES),
    ("body of a request that need not be authenticated", limits::ANONYMOUS_BODY_BYTES),
    ("form without a session", limits::ANONYMOUS_BODY_BYTES),
    ("form of the sign-in", limits::SIGN_IN_FORM_BYTES),
    ("response that counts as small", limits::SMALL_RESPONSE_BYTES),
    ("tags of a resource", limits::TAGS),
    ("replicas of an account", limits::REPLICAS),
    ("properties of an evaluation together", limits::PROPERTIES_BYTES),
    ("properties of an evaluation |", limits::PROPERTIES),
    ("URN, and pattern of URNs", limits::URN_BYTES),
    ("action, and pattern of actions", limits::ACTION_BYTES),
    ("resource type", limits::RESOURCE_TYPE_BYTES),
    ("name of a guarded API", limits::API_NAME_BYTES),
    ("key of a condition", limits::CONDITION_KEY_BYTES),
    ("value of a condition", limits::CONDITION_VALUE_BYTES),
    ("subject of an evaluation", limits::SUBJECT_BYTES),
    ("text in a line of the activity log", limits::LOG_TEXT_BYTES),
];

/// Returns the rows of the document, without the bar at their beginning.
fn rows() -> impl Iterator<Item = &'static str> {
    let lines = include_str!("../../../../../docs/limits.md").lines();
    lines.filter_map(|line| line.strip_prefix("| "))
}

/// Returns the documented limits that have a setting: its name, and the default.
fn documented() -> BTreeMap<String, String> {
    let rows = rows().filter_map(|row| {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let [_, default, setting, _, _, _] = *cells.as_slice() else { return None };
        let setting = setting.strip_prefix('`')?.strip_suffix('`')?;
        Some((setting.to_owned(), default.replace(',', "")))
    });
    rows.collect()
}

/// Reads a documented number, with its unit.
fn number(text: &str) -> usize {
    let (number, unit) = text.split_once(' ').unwrap_or((text, ""));
    let number: usize = number.replace(',', "").parse().unwrap();
    match unit {
        "" => number,
        "KiB" => number << 10,
        "MiB" => number << 20,
        unit => panic!("{unit}"),
    }
}

#[test]
fn every_fixed_limit_is_documented_as_it_is() {
    for (beginning, limit) in FIXED {
        let row = rows().find(|row| row.starts_with(beginning));
        let row = row.unwrap_or_else(|| panic!("docs/limits.md lacks {beginning}"));
        let documented = row.split('|').map(str::trim).nth(1).map(number);
        assert_eq!(documented, Some(*limit), "{row}");
    }
}

/// Returns the settings of the command line, with the defaults that its help states.
fn settings() -> BTreeMap<String, Option<String>> {
    let command = Source::augment_args(clap::Command::new("serve"));
    let settings = command.get_arguments().map(|argument| {
        let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
        let stated = help.rsplit_once("[default: ").and_then(|(_, text)| text.strip_suffix(']'));
        (argument.get_long().unwrap().to_owned(), stated.map(str::to_owned))
    });
    settings.collect()
}

#[test]
fn every_limit_is_documented_with_its_default() {
    let documented = documented();
    for (setting, stated) in settings() {
        match documented.get(&setting) {
            None => assert!(NO_LIMITS.contains(&&*setting), "docs/limits.md lacks {setting}"),
            Some(default) => {
                assert_eq!(Some(default), stated.as_ref(), "the default of {setting}");
                assert_eq!(Some(default), built_in(&setting).map(|n| n.to_string()).as_ref());
            }
        }
    }
}

#[test]
fn every_documented_setting_exists() {
    let settings = settings();
    let documented = documented();
    assert!(documented.len() >= 25, "the rows of docs/limits.md are read");
    for setting in documented.keys() {
        assert!(settings.contains_key(setting), "there is no setting {setting}");
        assert!(!NO_LIMITS.contains(&setting.as_str()), "{setting}");
    }
}

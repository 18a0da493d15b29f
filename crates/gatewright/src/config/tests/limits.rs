//! Compares `docs/limits.md` with the settings.

use std::collections::BTreeMap;

use gatewright_iam::limits;
use gatewright_testing::{documented_limit, limit_rows};

use super::*;
use crate::config::limits::MIB;
use crate::listener::limits as listener;
use crate::{acceptor_pool, descriptors, dispatcher};

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

/// Returns the limits without a setting that this crate sees, by the beginning of their rows.
fn fixed() -> Vec<(&'static str, u64)> {
    let number = |number: usize| u64::try_from(number).unwrap();
    vec![
        ("connections of operators", number(descriptors::OPERATIONS)),
        ("connections of Envoys", number(descriptors::ENVOYS)),
        ("head of a request, with its target", number(listener::MAX_HEAD)),
        ("head of a request on HTTP/2", listener::MAX_HTTP2_HEAD.into()),
        ("fields in a head", number(listener::MAX_FIELDS)),
        ("requests at once on an HTTP/2 connection", listener::MAX_STREAMS.into()),
        ("body that is read and dropped after a refusal", listener::MOST_DROPPED),
        ("bytes that are read and dropped after the last", number(listener::LINGER_BYTES)),
        ("body that is read and answered on a client-facing", dispatcher::SMALL_BODY),
        ("requests in flight when the server stops", acceptor_pool::SHUTDOWN_TIMEOUT.as_secs()),
        ("body of an authenticated request", number(limits::BODY_BYTES)),
        ("body of a request that need not be authenticated", number(limits::ANONYMOUS_BODY_BYTES)),
        ("form without a session", number(limits::ANONYMOUS_BODY_BYTES)),
        ("form of the sign-in", number(limits::SIGN_IN_FORM_BYTES)),
        ("response that counts as small", number(limits::SMALL_RESPONSE_BYTES)),
        ("tags of a resource", number(limits::TAGS)),
        ("replicas of an account", number(limits::REPLICAS)),
        ("properties of an evaluation together", number(limits::PROPERTIES_BYTES)),
        ("properties of an evaluation |", number(limits::PROPERTIES)),
        ("URN, and pattern of URNs", number(limits::URN_BYTES)),
        ("action, and pattern of actions", number(limits::ACTION_BYTES)),
        ("resource type", number(limits::RESOURCE_TYPE_BYTES)),
        ("name of a guarded API", number(limits::API_NAME_BYTES)),
        ("key of a condition", number(limits::CONDITION_KEY_BYTES)),
        ("value of a condition", number(limits::CONDITION_VALUE_BYTES)),
        ("subject of an evaluation", number(limits::SUBJECT_BYTES)),
        ("text in a line of the activity log", number(limits::LOG_TEXT_BYTES)),
    ]
}

/// The limits that no test compares, by the beginning of their rows, each with the reason.
const NOT_COMPARED: &[(&str, &str)] = &[
    ("identity assertion of a request", "the rules of `iam` read it in an assertion"),
    ("keys of a limit", "a constant that only its module sees"),
    ("conditions of a policy, one inside another", "a constant of `policy` that only it sees"),
    ("evaluations of an AuthZEN batch", "a constant of `api` that only it sees"),
    ("evaluations of a batch together", "the same"),
    ("revisions in `X-Gatewright-At-Least`", "the same"),
    ("pending lines of the activity log", "a number for each of two, in one cell"),
    ("lines about failures of an account", "a constant that only its module sees"),
    ("a search of the activity log", "three numbers in one cell"),
    ("page of a log", "two numbers in one cell"),
    ("failures of", "no constants, but arguments of one constructor"),
    ("password hashes", "several numbers in one row"),
];

/// The limits that a test of `iam` compares, as it is written there.
const OF_IAM: &str = include_str!("../../../../iam/src/documented_limits.rs");

#[test]
fn every_documented_limit_without_a_setting_is_compared_or_said_why_not() {
    let named: Vec<&str> = OF_IAM.split("(\"").filter_map(|rest| rest.split('"').next()).collect();
    let fixed = fixed().into_iter().map(|(beginning, _)| beginning);
    let excepted = NOT_COMPARED.iter().map(|(beginning, _)| *beginning);
    let known: Vec<&str> = fixed.chain(excepted).chain(named).collect();
    let limits = limit_rows().filter(|row| {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        matches!(*cells.as_slice(), [_, _, "", _, _, _])
    });
    let mut count = 0;
    for row in limits {
        count += 1;
        assert!(known.iter().any(|one| row.starts_with(one)), "nothing compares the row {row}");
    }
    assert!(count >= 60, "{count} rows were read");
    for (beginning, reason) in NOT_COMPARED {
        assert!(limit_rows().any(|row| row.starts_with(beginning)), "no row {beginning}: {reason}");
    }
}

/// Returns the documented limits that have a setting: its name, and the default.
fn documented() -> BTreeMap<String, String> {
    let rows = limit_rows().filter_map(|row| {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let [_, default, setting, _, _, _] = *cells.as_slice() else { return None };
        let setting = setting.strip_prefix('`')?.strip_suffix('`')?;
        Some((setting.to_owned(), default.replace(',', "")))
    });
    rows.collect()
}

#[test]
fn every_fixed_limit_is_documented_as_it_is() {
    for (beginning, limit) in fixed() {
        assert_eq!(documented_limit(beginning), limit, "{beginning}");
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

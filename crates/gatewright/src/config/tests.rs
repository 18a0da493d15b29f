//! Tests of precedence, validation and error messages.

mod limits;

use std::time::Duration;

use clap::FromArgMatches;

use super::*;

fn read(text: &str) -> Result<Config, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gatewright.toml");
    std::fs::write(&path, text).unwrap();
    let options = Options { region: Some("ca".to_owned()), ..Options::default() };
    let source = Source { config: Some(path), options };
    source.read().map_err(|error| error.to_string())
}

/// Reads a command line of the server, without the environment.
fn parse(flags: &[&str]) -> Result<Config, String> {
    let required = ["serve", "--database", "sqlite:x.db", "--master-key", "key"];
    let command = Source::augment_args(clap::Command::new("serve"));
    let matches = command.try_get_matches_from([&required, flags].concat());
    let matches = matches.map_err(|error| error.to_string())?;
    let source = Source::from_arg_matches(&matches).unwrap();
    source.read().map_err(|error| error.to_string())
}

const LEAST: &str = "database = 'sqlite:x.db'\nmaster-key = 'key'\n";

#[test]
fn flags_win_over_the_file_and_the_file_over_what_is_built_in() {
    let config = read(&format!("{LEAST}region = 'us'\nmax-entries = 7\n")).unwrap();
    assert_eq!(config.settings.region, Region::Ca);
    assert_eq!(config.settings.limits.entries, 7);
    assert_eq!(config.settings.limits.policies, 100_000);
    assert_eq!(config.listen, LISTEN);
}

#[test]
fn a_wrong_setting_is_named() {
    assert!(read("").unwrap_err().starts_with("--database is missing"));
    assert!(read(&format!("{LEAST}algorythm = 'x'")).unwrap_err().contains("algorythm"));
    assert!(read(&format!("{LEAST}algorithm = 'HS256'")).unwrap_err().contains("none of ES256"));
    assert!(read(&format!("{LEAST}public-url = 'x'")).unwrap_err().contains("must be a URL"));
    let error = read(&format!("{LEAST}trusted-proxies = ['10.0.0.1/8', 'x']")).unwrap_err();
    assert!(error.contains("trusted-proxies"), "{error}");
    let error = parse(&["--registrars", "xx1-ovh,nobody"]).unwrap_err();
    assert!(error.starts_with("--registrars: the account name nobody must be"), "{error}");
    let config = parse(&["--registrars", "XX1-OVH"]).unwrap();
    assert_eq!(config.settings.registrars, [AccountName::new("xx1-ovh")]);
    for word in ["warning", "wran", "banana"] {
        let error = parse(&["--log", word]).unwrap_err();
        assert!(error.starts_with("--log: ") && error.contains("off, error, warn"), "{error}");
    }
    assert!(read("database = 'mysql://x'").unwrap_err().contains("sqlite:PATH"));
}

#[test]
fn a_mistake_in_the_file_is_told_with_its_line_and_key() {
    for (lines, place) in [
        ("max-policies = -1", "line 3: max-policies: expected a whole number from 0 on"),
        ("\nlog-days = 'x'", "line 4: log-days: expected a whole number from 0 on"),
        ("log = 'info'\nlog = 'warn'", "line 4: duplicate key"),
        ("region = 'us'\n\nmax policies = 1", "line 5: "),
        ("built-in-products = 'no'", "line 3: built-in-products: expected a boolean"),
    ] {
        let error = read(&format!("{LEAST}{lines}")).unwrap_err();
        assert!(error.contains(&format!("gatewright.toml: {place}")), "{lines}: {error}");
    }
}

#[test]
fn a_number_that_is_negative_is_refused_as_such() {
    for (flag, value) in
        [("--max-policies", "-1"), ("--rate-tokens", "-5"), ("--body-timeout", "-1")]
    {
        let error = parse(&[flag, value]).map(|_| ()).unwrap_err();
        assert!(error.contains(flag) && error.contains("a whole number from 0 on"), "{error}");
    }
}

#[test]
fn behind_https_the_trusted_proxies_must_be_said() {
    let https = ["--public-url", "https://iam.example.com"];
    let trusted =
        |flags: &[&str]| parse(flags)?.trusted_proxies().map_err(|error| error.to_string());
    let error = trusted(&https).unwrap_err();
    assert!(error.contains("--trusted-proxies none"), "{error}");
    let with = |proxies: &'static str| [&https[..], &["--trusted-proxies", proxies]].concat();
    assert_eq!(trusted(&with("none")).unwrap(), []);
    let both: [IpNet; 2] = ["10.0.0.5/32".parse().unwrap(), "fd00::/8".parse().unwrap()];
    assert_eq!(trusted(&with("10.0.0.5,fd00::/8")).unwrap(), both);
    assert!(trusted(&with("none,10.0.0.5")).unwrap_err().contains("stands alone"));
    assert_eq!(trusted(&["--public-url", "http://localhost:8080"]).unwrap(), []);
    let file = |line: &str| {
        let config = read(&format!("{LEAST}public-url = 'https://iam.example.com'\n{line}"))?;
        config.trusted_proxies().map_err(|error| error.to_string())
    };
    assert!(file("").is_err());
    assert_eq!(file("trusted-proxies = []").unwrap(), []);
    assert_eq!(file("trusted-proxies = ['none']").unwrap(), []);
    assert_eq!(file("trusted-proxies = ['10.0.0.5']").unwrap(), both[..1]);
    assert!(file("trusted-proxies = ['nginx']").unwrap_err().contains("no network"));
}

#[test]
fn an_error_never_shows_the_databases_password() {
    let error = read("database = 'postgres://me:hunter2@db/x").unwrap_err();
    assert!(!error.contains("hunter2"), "{error}");
    let error = read(&format!("{LEAST}log-days = 'postgres://me:hunter2@db/x'")).unwrap_err();
    assert!(error.contains("log-days: expected") && !error.contains("hunter2"), "{error}");
    let config = read("database = 'postgres://me:hunter2@db/x'\nmaster-key = 'k'").unwrap();
    assert!(!format!("{config:?}").contains("hunter2"));
}

#[test]
fn a_setting_given_by_its_old_name_counts_and_is_warned_about() {
    let warned = [Renamed { old: "plate", new: "region" }];
    let config = parse(&["--plate", "us"]).unwrap();
    assert_eq!((config.settings.region, &*config.renamed), (Region::Us, &warned[..]));
    let config = parse(&["--plate", "us", "--region", "us"]).unwrap();
    assert_eq!((config.settings.region, &*config.renamed), (Region::Us, &warned[..]));
    // A flag still wins over the file.
    let config = read(&format!("{LEAST}plate = 'us'")).unwrap();
    assert_eq!((config.settings.region, &*config.renamed), (Region::Ca, &warned[..]));
    assert!(parse(&["--region", "us"]).unwrap().renamed.is_empty());
}

#[test]
fn both_names_of_a_setting_with_different_values_are_refused() {
    for error in [
        parse(&["--plate", "us", "--region", "ca"]).unwrap_err(),
        read(&format!("{LEAST}plate = 'us'\nregion = 'eu'")).unwrap_err(),
    ] {
        assert!(error.contains("plate") && error.contains("different values"), "{error}");
    }
}

#[test]
fn a_limit_is_in_its_range() {
    for (setting, value) in [
        ("header-timeout", 0),
        ("body-timeout", 0),
        ("idle-timeout", 0),
        ("write-timeout", 90_000),
        ("database-timeout", 0),
    ] {
        let error = read(&format!("{LEAST}{setting} = {value}")).unwrap_err();
        assert!(error.starts_with(&format!("--{setting}: {value} is not from 1")), "{error}");
    }
    for setting in [
        "max-connections",
        "max-connections-per-address",
        "max-policies",
        "max-clients",
        "max-users",
        "max-groups",
        "max-resources",
        "max-resource-groups",
        "max-permissions-groups",
        "max-entries",
        "max-policy-bytes",
        "max-account-policy-bytes",
        "max-decision-cost",
        "max-request-cost",
        "max-log-size",
        "max-total-log-size",
        "accounts-in-memory",
        "log-days",
    ] {
        let error = read(&format!("{LEAST}{setting} = 0")).unwrap_err();
        assert_eq!(error, format!("--{setting}: 0 is not at least 1"));
    }
    let error = read(&format!("{LEAST}max-body-memory = 3")).unwrap_err();
    assert_eq!(error, "--max-body-memory: 3 is not at least 4");
    let config = parse(&["--idle-timeout", "5"]).unwrap();
    assert_eq!(config.timeouts.idle, Duration::from_secs(5));
}

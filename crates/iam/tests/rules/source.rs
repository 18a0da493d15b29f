//! The use cases that make a check, by their source: tables of tests are compared with them.

use std::collections::BTreeSet;
use std::path::Path;

/// Checks that a caller may grant rights.
pub(crate) const GRANTS: &[&str] = &["demand_grantor(", "demand_token_grant("];

/// Checks that a session was authenticated recently; who may grant rights is asked the same.
pub(crate) const REAUTHENTICATES: &[&str] =
    &["demand_grantor(", "demand_token_grant(", "demand_reauthentication("];

/// Returns the names of the functions of this crate that call one of the checks, but for checks.
pub(crate) fn functions_that_call(checks: &[&str]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                collect(&std::fs::read_to_string(path).unwrap(), checks, &mut found);
            }
        }
    }
    found
}

fn collect(source: &str, checks: &[&str], found: &mut BTreeSet<String>) {
    let mut function = "";
    for line in source.lines() {
        if let Some((_, rest)) = line.split_once("fn ") {
            function = rest.split(['(', '<']).next().unwrap();
        } else if checks.iter().any(|check| line.contains(check))
            && !function.starts_with("demand_")
        {
            found.insert(function.to_owned());
        }
    }
}

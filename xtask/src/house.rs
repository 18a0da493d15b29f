//! Which crate may use which: the floors of the house, as ARCHITECTURE.md draws them.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Each crate of the workspace with the crates of the workspace that it may use.
const FLOORS: &[(&str, &[&str])] = &[
    ("gatewright", &["gatewright-api", "gatewright-iam", "gatewright-panel"]),
    ("gatewright-api", &["gatewright-iam"]),
    ("gatewright-panel", &["gatewright-iam"]),
    ("gatewright-iam", &["gatewright-policy", "gatewright-store"]),
    ("gatewright-store", &[]),
    ("gatewright-policy", &[]),
    ("gatewright-testing", &[]),
    ("gatewright-client", &[]),
    ("gatewright-embedded", &["gatewright-policy"]),
    ("gatewright-example-axum", &["gatewright-client"]),
    ("xtask", &[]),
];

/// Crates that the pure floor must never take in: what does I/O, waits, or is a runtime.
const IMPURE: &[&str] = &["tokio", "async-std", "mio", "socket2", "reqwest", "hyper", "sqlx"];

/// Fails when a crate uses one that it may not.
pub(crate) fn check(root: &Path) -> Result<(), String> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--locked"])
        .current_dir(root)
        .output()
        .map_err(|error| format!("cargo metadata: {error}"))?;
    if !output.status.success() {
        return Err(format!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr)));
    }
    let metadata: Value = serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("cargo metadata: {error}"))?;
    let faults = faults(&metadata);
    if faults.is_empty() { Ok(()) } else { Err(format!("the house:\n  {}", faults.join("\n  "))) }
}

fn faults(metadata: &Value) -> Vec<String> {
    let floors: BTreeMap<&str, &[&str]> = FLOORS.iter().copied().collect();
    let mut faults = Vec::new();
    for package in list(metadata, "packages") {
        let name = text(package, "name");
        let Some(allowed) = floors.get(name) else {
            faults.push(format!("{name} has no floor: give it one in xtask/src/house.rs"));
            continue;
        };
        // A test may use what stands above it; the program may not.
        let used = list(package, "dependencies").iter().filter(|one| text(one, "kind") != "dev");
        for used in used.map(|one| text(one, "name")) {
            if floors.contains_key(used) && !allowed.contains(&used) {
                faults.push(format!("{name} may not use {used}"));
            }
            if name == "gatewright-policy" && IMPURE.contains(&used) {
                faults.push(format!("{name} is pure and may not use {used}"));
            }
        }
    }
    faults
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn package(name: &str, used: &str, kind: Option<&str>) -> Value {
        json!({"packages": [{"name": name, "dependencies": [{"name": used, "kind": kind}]}]})
    }

    #[test]
    fn a_floor_may_not_use_one_above_it() {
        let upward = package("gatewright-policy", "xtask", None);
        assert_eq!(faults(&upward), ["gatewright-policy may not use xtask"]);
        assert!(faults(&package("gatewright-policy", "xtask", Some("dev"))).is_empty());
        assert!(faults(&package("gatewright-policy", "serde", None)).is_empty());
    }

    #[test]
    fn the_pure_floor_takes_no_runtime() {
        assert_eq!(faults(&package("gatewright-policy", "tokio", None)).len(), 1);
    }

    #[test]
    fn every_crate_has_a_floor() {
        assert_eq!(faults(&package("stranger", "serde", None)).len(), 1);
    }
}

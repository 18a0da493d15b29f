//! Checks the dependencies between crates: the floors of the house, as ARCHITECTURE.md draws them.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::rules::CRATES;

/// The crates that pure code must never depend on: I/O, timers and runtimes.
const IMPURE: &[&str] = &["tokio", "async-std", "mio", "socket2", "reqwest", "hyper", "sqlx"];

/// A library, program, test or benchmark of a package.
pub(crate) struct Target {
    pub(crate) package: String,
    /// The path of its root file, from the root of the repository.
    pub(crate) root: String,
    /// True if it is compiled for tests or benchmarks only, or before the package itself.
    pub(crate) beside: bool,
}

/// Reads cargo's metadata of a workspace.
pub(crate) fn metadata(root: &Path, manifest: &str) -> Result<Value, String> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--locked"])
        .args(["--manifest-path", manifest])
        .current_dir(root)
        .output()
        .map_err(|error| format!("cargo metadata: {error}"))?;
    if !output.status.success() {
        return Err(format!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr)));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| format!("cargo metadata: {error}"))
}

/// Lists the targets of a workspace's packages.
pub(crate) fn targets(root: &Path, metadata: &Value) -> Vec<Target> {
    let packages = list(metadata, "packages").iter();
    let targets = packages.flat_map(|package| {
        list(package, "targets").iter().filter_map(|target| {
            let path = Path::new(text(target, "src_path")).strip_prefix(root).ok()?;
            let mut kinds = list(target, "kind").iter().filter_map(Value::as_str);
            Some(Target {
                package: text(package, "name").into(),
                root: path.to_str()?.into(),
                beside: kinds.any(|kind| matches!(kind, "test" | "bench" | "custom-build")),
            })
        })
    });
    targets.collect()
}

/// Finds crates with a dependency that the rules do not allow.
pub(crate) fn faults(metadata: &Value) -> Vec<String> {
    let floors: BTreeMap<&str, &[&str]> = CRATES.iter().copied().collect();
    let mut faults = Vec::new();
    for package in list(metadata, "packages") {
        let name = text(package, "name");
        let Some(allowed) = floors.get(name) else {
            faults.push(format!("{name} has no floor: give it one in xtask/src/house/rules.rs"));
            continue;
        };
        // A test may depend on a crate above it; the program may not.
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

//! Runs the fuzz targets for a bounded time each.

use std::fs;
use std::process::Command;

use super::figures::Figures;
use crate::process::{Failure, command, output, root, run, succeeds, tools};

/// The seconds per target in the whole run: enough to try every seed and its neighbours, and no
/// more than a minute and a half in all.
const SECONDS: u32 = 8;
/// The seconds per target in the long run.
const LONG_SECONDS: u32 = 300;

pub(super) fn short(figures: &mut Figures) -> Result<(), Failure> {
    each_target(SECONDS, figures)
}

pub(super) fn long(figures: &mut Figures) -> Result<(), Failure> {
    each_target(LONG_SECONDS, figures)
}

fn each_target(seconds: u32, figures: &mut Figures) -> Result<(), Failure> {
    let targets = output(cargo_fuzz("list").args(["--fuzz-dir", "fuzz"]))?;
    run(cargo_fuzz("build").args(OPTIONS))?;
    for target in targets.lines() {
        fuzz(target, seconds)?;
    }
    figures.add("time for each target", format!("{seconds} s"));
    Ok(())
}

/// The options of libFuzzer. Address sanitizing is off: no target has unsafe code, and the C code
/// below is not instrumented.
const OPTIONS: &[&str] =
    &["--fuzz-dir", "fuzz", "--target-dir", "target/fuzz", "--sanitizer", "none"];

/// Fuzzes one target, starting from its seeds. New inputs stay under `target`.
fn fuzz(target: &str, seconds: u32) -> Result<(), Failure> {
    let grown = root().join("target/fuzz/corpus").join(target);
    let seeds = root().join("fuzz/seeds").join(target);
    let artifacts = root().join("target/fuzz/artifacts").join(target);
    for folder in [&grown, &artifacts] {
        fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    if !seeds.is_dir() {
        return Err(format!("{target} has no seeds in {}", seeds.display()));
    }
    run(cargo_fuzz("run")
        .args(OPTIONS)
        .arg(target)
        .args([grown, seeds])
        .arg("--")
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-artifact_prefix={}/", artifacts.display()))
        .args(["-verbosity=0", "-print_final_stats=1", "-rss_limit_mb=4096"]))
}

/// Returns cargo-fuzz with a nightly compiler, or with the pinned one with unstable features
/// enabled.
fn cargo_fuzz(subcommand: &str) -> Command {
    let mut fuzz = command(tools().join("bin/cargo-fuzz"));
    fuzz.args(["fuzz", subcommand]);
    if succeeds(command("rustup").args(["run", "nightly", "rustc", "--version"])) {
        fuzz.env("RUSTUP_TOOLCHAIN", "nightly");
    } else {
        fuzz.env("RUSTC_BOOTSTRAP", "1");
    }
    fuzz
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_has_seeds() {
        let manifest = fs::read_to_string(root().join("fuzz/Cargo.toml")).unwrap();
        let targets = manifest.lines().filter_map(|line| line.strip_prefix("path = \""));
        let names = targets.filter_map(|path| {
            Some(path.strip_suffix(".rs\"")?.strip_prefix("fuzz_targets/")?.to_owned())
        });
        let names: Vec<String> = names.collect();
        assert!(!names.is_empty());
        for name in names {
            let seeds = fs::read_dir(root().join("fuzz/seeds").join(&name));
            assert!(seeds.is_ok_and(|mut seeds| seeds.next().is_some()), "{name}");
        }
    }
}

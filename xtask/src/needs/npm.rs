//! The checker of accessibility, axe, in the version that the panel pins.

use std::fs;
use std::path::PathBuf;

use crate::process::{Failure, command, root, run, tools};

/// Returns the path of axe's script.
pub(crate) fn axe_script() -> PathBuf {
    folder().join("node_modules/axe-core/axe.min.js")
}

pub(super) fn has_axe() -> bool {
    let wanted = fs::read(lock_of_panel());
    let there = fs::read(folder().join("package-lock.json"));
    axe_script().exists() && wanted.is_ok_and(|wanted| there.is_ok_and(|there| there == wanted))
}

pub(super) fn install_axe() -> Result<(), Failure> {
    let failed = |error: std::io::Error| error.to_string();
    fs::create_dir_all(folder()).map_err(failed)?;
    let package = root().join("crates/panel/package.json");
    fs::copy(package, folder().join("package.json")).map_err(failed)?;
    fs::copy(lock_of_panel(), folder().join("package-lock.json")).map_err(failed)?;
    let arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix"];
    run(command("npm").args(arguments).arg(folder()))
}

fn folder() -> PathBuf {
    tools().join("npm")
}

fn lock_of_panel() -> PathBuf {
    root().join("crates/panel/package-lock.json")
}

//! Installs Debian packages.

use crate::process::{Failure, command, is_on_path, run};

/// Installs all packages in one call.
pub(super) fn install(packages: &[&str]) -> Result<(), Failure> {
    if !is_on_path("apt-get") {
        return Err("this machine has no apt-get".into());
    }
    apt_get(&["update", "--quiet"])?;
    let install = ["install", "--yes", "--quiet", "--no-install-recommends"];
    apt_get(&[&install[..], packages].concat())
}

fn apt_get(arguments: &[&str]) -> Result<(), Failure> {
    run(command("apt-get").args(arguments).env("DEBIAN_FRONTEND", "noninteractive"))
}

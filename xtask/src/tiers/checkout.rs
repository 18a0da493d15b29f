//! Builds other commits of the repository, or the same one in another folder.

use std::fs;
use std::path::PathBuf;

use crate::process::{Failure, command, output, root, run};
use crate::program::RELEASE;

/// A clone of the repository at one commit, with a target folder of its own.
pub(super) struct Checkout {
    folder: PathBuf,
}

impl Checkout {
    /// Clones a commit below `target/long`, after deleting an older clone.
    pub(super) fn new(name: &str, commit: &str) -> Result<Self, Failure> {
        let folder = root().join("target/long").join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder)
                .map_err(|error| format!("{}: {error}", folder.display()))?;
        }
        run(command("git")
            .args(["clone", "--quiet", "--local", "--no-checkout"])
            .arg(root())
            .arg(&folder))?;
        run(command("git").args(["checkout", "--quiet", "--detach", commit]).current_dir(&folder))?;
        Ok(Self { folder })
    }

    /// Builds the program in a target folder of its own, not optimised, and returns its path.
    pub(super) fn build(&self) -> Result<PathBuf, Failure> {
        self.cargo(&["build", "--package", "gatewright", "--locked"])?;
        Ok(self.folder.join("target/debug/gatewright"))
    }

    /// Builds the program as it is used, in a target folder of its own, and returns its path.
    pub(super) fn build_release(&self) -> Result<PathBuf, Failure> {
        self.cargo(RELEASE)?;
        Ok(self.folder.join("target/release/gatewright"))
    }

    fn cargo(&self, arguments: &[&str]) -> Result<(), Failure> {
        let mut cargo = command(env!("CARGO"));
        run(cargo.args(arguments).args(["--target-dir", "target"]).current_dir(&self.folder))
    }
}

/// Returns the commit of a tag or branch.
pub(super) fn commit(name: &str) -> Result<String, Failure> {
    let name = format!("{name}^{{commit}}");
    output(command("git").args(["rev-parse", "--verify", "--quiet", &name]))
}

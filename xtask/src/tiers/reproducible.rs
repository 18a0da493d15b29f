//! Builds the release twice, in folders of different names, and compares the results.

use std::fs;
use std::path::Path;

use super::checkout::{self, Checkout};
use super::figures::Figures;
use crate::process::{Failure, command, output};

pub(super) fn builds(figures: &mut Figures) -> Result<(), Failure> {
    let commit = checkout::commit("HEAD")?;
    let one = Checkout::new("one", &commit)?.build_release()?;
    let other = Checkout::new("in/another-place", &commit)?.build_release()?;
    let hashes = (hash(&one)?, hash(&other)?);
    figures.add("commit", &commit);
    figures.add("SHA-256 of both builds", &hashes.0);
    let size = fs::metadata(&one).map_err(|error| error.to_string())?.len();
    figures.add("size", format!("{} kB", size / 1_000));
    if hashes.0 == hashes.1 {
        Ok(())
    } else {
        Err(format!("{} and {} differ", one.display(), other.display()))
    }
}

fn hash(file: &Path) -> Result<String, Failure> {
    let said = output(command("sha256sum").arg(file))?;
    said.split_whitespace().next().map(str::to_owned).ok_or_else(|| "no hash".to_owned())
}

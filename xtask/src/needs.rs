//! The tools that a run needs beside cargo: checked before anything runs, and installed where
//! possible.

mod apt;
mod list;
mod npm;
mod python;

use std::fmt;

pub(crate) use npm::axe_script;
pub(crate) use python::interpreter as python_interpreter;

use crate::process::Failure;

/// A tool or file that a run needs and that a machine may lack.
#[derive(Clone, Copy)]
pub(crate) struct Need {
    name: &'static str,
    is_there: fn() -> bool,
    source: Source,
}

/// The source of a missing need.
#[derive(Clone, Copy)]
enum Source {
    /// A Debian package.
    Debian(&'static str),
    /// An installer here, which installs under `target/tools`, with advice for when it fails.
    Own(fn() -> Result<(), Failure>, &'static str),
    /// Nothing here installs it: the advice for the person.
    Person(&'static str),
}

/// A need that was not met, with the error if installing it was tried.
struct Unmet {
    need: Need,
    reason: Option<Failure>,
}

/// Checks the needs, and lists all that are missing; installs nothing.
pub(crate) fn require(needs: &[Need]) -> Result<(), Failure> {
    let unmet = missing(needs).into_iter().map(|need| Unmet { need, reason: None });
    report(&unmet.collect::<Vec<_>>())
}

/// Installs all missing needs; lists those that could not be installed.
pub(crate) fn provide(needs: &[Need]) -> Result<(), Failure> {
    let missing = missing(needs);
    if missing.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = missing.iter().map(|need| need.name).collect();
    eprintln!("missing, and installed now: {}", names.join(", "));
    let packages = debian_packages(&missing);
    let apt = if packages.is_empty() { Ok(()) } else { apt::install(&packages) };
    let unmet: Vec<Unmet> = missing
        .into_iter()
        .filter_map(|need| install(need, &apt).err().map(|reason| Unmet { need, reason }))
        .collect();
    report(&unmet)
}

/// Installs one need, unless it is a Debian package: those are installed all at once.
fn install(need: Need, apt: &Result<(), Failure>) -> Result<(), Option<Failure>> {
    // One need may have installed what another one lacked.
    if (need.is_there)() {
        return Ok(());
    }
    match need.source {
        Source::Debian(_) => Err(apt.clone().err()),
        Source::Own(install, _) => install().map_err(Some),
        Source::Person(_) => Err(None),
    }
}

/// Returns the missing needs, each once and in order.
fn missing(needs: &[Need]) -> Vec<Need> {
    let mut missing: Vec<Need> = Vec::new();
    for need in needs {
        if !missing.contains(need) && !(need.is_there)() {
            missing.push(*need);
        }
    }
    missing
}

fn debian_packages(missing: &[Need]) -> Vec<&'static str> {
    let mut packages: Vec<&str> = missing
        .iter()
        .filter_map(|need| match need.source {
            Source::Debian(package) => Some(package),
            _ => None,
        })
        .collect();
    packages.sort_unstable();
    packages.dedup();
    packages
}

fn report(unmet: &[Unmet]) -> Result<(), Failure> {
    if unmet.is_empty() {
        return Ok(());
    }
    let mut lines = vec!["these are missing:".to_owned()];
    lines.extend(unmet.iter().map(Unmet::line));
    let needs: Vec<Need> = unmet.iter().map(|unmet| unmet.need).collect();
    let packages = debian_packages(&needs);
    if packages.len() > 1 {
        lines.push(format!("  all of Debian's: apt-get install {}", packages.join(" ")));
    }
    Err(lines.join("\n"))
}

impl Unmet {
    fn line(&self) -> String {
        let advice = match self.need.source {
            Source::Debian(package) => format!("apt-get install {package}"),
            Source::Own(_, advice) | Source::Person(advice) => advice.to_owned(),
        };
        let tried = self.reason.as_ref().map(|reason| format!(" (tried: {reason})"));
        format!("  {}: {advice}{}", self.need, tried.unwrap_or_default())
    }
}

impl PartialEq for Need {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl fmt::Display for Need {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const THERE: Need =
        Need { name: "there", is_there: || true, source: Source::Person("do nothing") };
    const ABSENT: Need = Need { name: "a", is_there: || false, source: Source::Person("build it") };
    const PACKAGE: Need = Need { name: "p", is_there: || false, source: Source::Debian("two") };
    const OTHER: Need = Need { name: "o", is_there: || false, source: Source::Debian("one") };
    const BROKEN: Need = Need {
        name: "b",
        is_there: || false,
        source: Source::Own(|| Err("no network".into()), "fetch it"),
    };

    fn names(needs: &[Need]) -> Vec<&'static str> {
        needs.iter().map(|need| need.name).collect()
    }

    #[test]
    fn each_missing_need_is_named_once_in_order() {
        assert_eq!(names(&missing(&[PACKAGE, THERE, ABSENT, PACKAGE])), ["p", "a"]);
        assert!(require(&[THERE]).is_ok());
        assert!(provide(&[THERE]).is_ok());
    }

    #[test]
    fn all_that_is_missing_is_listed_at_once() {
        let text = require(&[ABSENT, PACKAGE, OTHER]).unwrap_err();
        let expected = "these are missing:
  a: build it
  p: apt-get install two
  o: apt-get install one
  all of Debian's: apt-get install one two";
        assert_eq!(text, expected);
    }

    #[test]
    fn what_could_not_be_installed_is_listed_with_the_reason() {
        let text = provide(&[BROKEN, ABSENT]).unwrap_err();
        let expected = "these are missing:
  b: fetch it (tried: no network)
  a: build it";
        assert_eq!(text, expected);
    }
}

//! The command line: the task and its options.

use std::ffi::OsString;

use lexopt::Arg::{Long, Short, Value};
use lexopt::{Error, Parser, ValueExt as _};

use crate::tiers::{Selection, Tier};

pub(crate) const USAGE: &str = "usage: cargo xtask <task>

  build   make the release binary, target/release/gatewright
  dev     build a trial server and start it with everything that it needs; what follows is passed on
  test    pass every test, as CI runs them; installs what is missing
            --quick       format, lints, house and in-process tests; needs Rust and a C compiler only
            --long        soak, attacks, reproducible builds, old data, long random runs
            --only STEP   this step of the tier, and no other; may be repeated
            --list        name the steps of the tier, and run none
  house   show what is against the rules of the house
            --write       renew what documents list
            --lengths     show how long files and functions are
  bench   measure what docs/benchmarks.md shows";

/// The task that the command line names.
#[derive(Debug, PartialEq)]
pub(crate) enum Task {
    Help,
    Build,
    Dev(Vec<OsString>),
    Test(Selection),
    House(Vec<String>),
    Bench,
}

/// Parses the arguments after the program's name.
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Task, Error> {
    let mut parser = Parser::from_args(arguments);
    let task = match parser.next()? {
        None => return Err("no task is given".into()),
        Some(Short('h') | Long("help")) => return Ok(Task::Help),
        Some(Value(task)) => task.string()?,
        Some(other) => return Err(other.unexpected()),
    };
    match task.as_str() {
        "help" => Ok(Task::Help),
        "build" => nothing_else(&mut parser, Task::Build),
        "dev" => Ok(Task::Dev(parser.raw_args()?.collect())),
        "test" => selection(&mut parser).map(Task::Test),
        "house" => house(&mut parser),
        "bench" => nothing_else(&mut parser, Task::Bench),
        _ => Err(format!("there is no task '{task}'").into()),
    }
}

fn nothing_else(parser: &mut Parser, task: Task) -> Result<Task, Error> {
    match parser.next()? {
        None => Ok(task),
        Some(other) => Err(other.unexpected()),
    }
}

fn house(parser: &mut Parser) -> Result<Task, Error> {
    let mut arguments = Vec::new();
    while let Some(argument) = parser.next()? {
        match argument {
            Long(flag @ ("write" | "lengths")) => arguments.push(format!("--{flag}")),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Task::House(arguments))
}

fn selection(parser: &mut Parser) -> Result<Selection, Error> {
    let (mut tier, mut only, mut list) = (None, Vec::new(), false);
    while let Some(argument) = parser.next()? {
        let chosen = match argument {
            Long("quick") => Tier::Quick,
            Long("long") => Tier::Long,
            Long("list") => {
                list = true;
                continue;
            }
            Long("only") => {
                only.push(parser.value()?.string()?);
                continue;
            }
            other => return Err(other.unexpected()),
        };
        if tier.replace(chosen).is_some_and(|before| before != chosen) {
            return Err("--quick and --long exclude each other".into());
        }
    }
    Ok(Selection { tier: tier.unwrap_or(Tier::Whole), only, list })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Task, String> {
        parse(line.split_whitespace().map(OsString::from)).map_err(|error| error.to_string())
    }

    fn test(tier: Tier) -> Selection {
        Selection { tier, only: Vec::new(), list: false }
    }

    #[test]
    fn a_tier_is_chosen_by_its_flag() {
        assert_eq!(parsed("test"), Ok(Task::Test(test(Tier::Whole))));
        assert_eq!(parsed("test --quick"), Ok(Task::Test(test(Tier::Quick))));
        assert_eq!(parsed("test --long"), Ok(Task::Test(test(Tier::Long))));
        assert!(parsed("test --quick --long").is_err());
    }

    #[test]
    fn steps_are_chosen_by_name() {
        let only = vec!["fuzz".to_owned(), "format".to_owned()];
        let chosen = Selection { only, ..test(Tier::Whole) };
        assert_eq!(parsed("test --only fuzz --only=format"), Ok(Task::Test(chosen)));
        assert!(parsed("test --only").is_err());
    }

    #[test]
    fn what_follows_dev_is_passed_on() {
        let passed = ["--listen", "127.0.0.1:1"].map(OsString::from).to_vec();
        assert_eq!(parsed("dev --listen 127.0.0.1:1"), Ok(Task::Dev(passed)));
    }

    #[test]
    fn the_house_takes_its_own_flags() {
        let arguments = vec!["--write".to_owned()];
        assert_eq!(parsed("house --write"), Ok(Task::House(arguments)));
        assert_eq!(parsed("house"), Ok(Task::House(Vec::new())));
    }

    #[test]
    fn unknown_tasks_and_flags_are_refused() {
        for line in
            ["", "tset", "test --fast", "test now", "build --debug", "house --fix", "--verbose"]
        {
            assert!(parsed(line).is_err(), "{line}");
        }
    }
}

//! The project's own commands: `cargo xtask build`, `dev`, `test`, `house` and `bench`.

#![allow(
    clippy::disallowed_methods,
    reason = "the machine of a developer is found out by its environment"
)]

mod house;
mod needs;
mod options;
mod postgres;
mod process;
mod program;
mod tiers;

use std::process::ExitCode;

use options::Task;

fn main() -> ExitCode {
    let task = match options::parse(std::env::args_os().skip(1)) {
        Ok(task) => task,
        Err(error) => {
            eprintln!("xtask: {error}\n\n{}", options::USAGE);
            return ExitCode::from(2);
        }
    };
    let done = match task {
        Task::Help => {
            println!("{}", options::USAGE);
            Ok(())
        }
        Task::Build => program::build(),
        Task::Dev(arguments) => program::dev(&arguments),
        Task::Test(selection) => tiers::test(&selection),
        Task::House(arguments) => house::run(&process::root(), &arguments),
        Task::Bench => program::bench(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("xtask: {failure}");
            ExitCode::FAILURE
        }
    }
}

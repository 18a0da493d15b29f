//! Gatewright: service accounts and access policies for any API.

mod acceptor_pool;
mod account;
mod catalogue;
mod config;
mod descriptors;
mod dev;
mod dispatcher;
mod error;
mod help;
mod journal;
mod key;
mod listener;
mod log;
mod metrics;
mod operations;
mod policy;
mod serve;
mod signals;

use std::io::Write;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use gatewright_iam::CauseChain;

/// Unlike the system's allocator, it gives memory back once it was used in a burst.
#[cfg(feature = "jemalloc")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// The end of the help text of the program.
const EXIT_CODES: &str = "Exit codes: 0 for success, 1 for a failure or for policies to review, 2 for wrong usage or configuration, 3 for a journal \
     that was altered";

/// Service accounts and access policies for any API.
#[derive(Parser)]
#[command(version, about, after_help = EXIT_CODES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start a server for trials, with an account and some resources
    Dev(dev::Arguments),
    /// Start the server
    Serve(serve::Arguments),
    /// Manage accounts
    #[command(subcommand)]
    Account(account::Command),
    /// Manage the master key and the signing keys
    #[command(subcommand)]
    Key(key::Command),
    /// Manage the declarations of products and of guarded APIs
    #[command(subcommand)]
    Catalogue(catalogue::Command),
    /// Verify the journal
    #[command(subcommand)]
    Journal(journal::Command),
    /// Review the policies
    #[command(subcommand)]
    Policy(policy::Command),
}

#[tokio::main]
async fn main() -> ExitCode {
    if let Err(error) = signals::survive_file_size_limit() {
        let warning = "gatewright: warning: the limit of the size of files may end the process";
        let _ = writeln!(std::io::stderr(), "{warning}: {error}");
    }
    let matches = help::with_settings_that_matter(Arguments::command()).get_matches();
    let arguments = Arguments::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let result = match arguments.command {
        Command::Dev(arguments) => Box::pin(dev::run(arguments)).await,
        Command::Serve(arguments) => Box::pin(serve::run(arguments)).await,
        Command::Account(command) => Box::pin(account::run(command)).await,
        Command::Key(command) => Box::pin(key::run(command)).await,
        Command::Catalogue(command) => catalogue::run(command),
        Command::Journal(command) => Box::pin(journal::run(command)).await,
        Command::Policy(command) => Box::pin(policy::run(command)).await,
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // The exit code tells it as well, should nobody be able to read this.
            let _ = writeln!(std::io::stderr(), "gatewright: {}", CauseChain(&failure));
            ExitCode::from(failure.exit_code())
        }
    }
}

//! Implements `gatewright journal`.

use clap::{Args, Subcommand};
use gatewright_iam::AccountName;

use crate::config::Source;
use crate::error::Failure;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Verify the hash chain of the journal, from the first entry to the last
    Verify(Verify),
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The account [default: all]
    #[arg(long)]
    account: Option<String>,
    #[command(flatten)]
    source: Source,
}

pub(crate) async fn run(Command::Verify(verify): Command) -> Result<(), Failure> {
    let iam = verify.source.read()?.open_existing().await?;
    let mut accounts = iam.accounts().await?;
    if let Some(name) = verify.account {
        let name = AccountName::new(name);
        accounts.retain(|account| *account == name);
        if accounts.is_empty() {
            return Err(Failure::NoAccount(name.to_string()));
        }
    }
    for account in accounts {
        let entries = iam.verify_journal(&account).await?;
        println!("{account}: {entries} entries, the chain holds");
    }
    iam.close().await;
    Ok(())
}

//! `gatewright journal`.

use clap::{Args, Subcommand};
use gatewright_iam::Iam;

use crate::Done;
use crate::config::Source;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Follow the journal's chain of hashes from its first entry to its last
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

pub(crate) async fn run(Command::Verify(verify): Command) -> Done {
    let config = verify.source.read()?;
    let settings = config.settings(std::net::SocketAddr::from(([127, 0, 0, 1], 0)))?;
    let iam = Iam::open(&config.database, config.master_key()?, settings).await?;
    let accounts = match verify.account {
        Some(account) => vec![account],
        None => iam.accounts().await?,
    };
    for account in accounts {
        let entries = iam.verify_journal(&account).await?;
        println!("{account}: {entries} entries, the chain holds");
    }
    iam.close().await;
    Ok(())
}

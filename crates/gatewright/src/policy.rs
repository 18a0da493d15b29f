//! Implements `gatewright policy`.

use clap::{Args, Subcommand};
use gatewright_iam::{AccountName, Context, Iam, PolicyId};

use crate::config::Source;
use crate::error::Failure;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List policies that deserve a review, with the reason; ends with 1 if there are any
    Lint(Lint),
}

#[derive(Debug, Args)]
pub(crate) struct Lint {
    /// The account [default: all]
    #[arg(long)]
    account: Option<String>,
    #[command(flatten)]
    source: Source,
}

pub(crate) async fn run(Command::Lint(lint): Command) -> Result<(), Failure> {
    let iam = lint.source.read()?.open_existing().await?;
    let mut accounts = iam.accounts().await?;
    if let Some(name) = lint.account {
        let name = AccountName::new(name);
        accounts.retain(|account| *account == name);
        if accounts.is_empty() {
            return Err(Failure::NoAccount(name.to_string()));
        }
    }
    let mut count = 0;
    for account in &accounts {
        let owner = iam.as_owner(account);
        for (id, reason) in findings(&iam, &owner).await? {
            let name = iam.policy(&owner, Ok(id)).await?.name;
            println!("{account}: policy {name} ({id}): {reason}");
            count += 1;
        }
    }
    iam.close().await;
    if count == 0 { Ok(()) } else { Err(Failure::Findings(count)) }
}

/// Returns the policies of an account that deserve a review, each with the reason.
async fn findings(iam: &Iam, owner: &Context) -> Result<Vec<(PolicyId, String)>, Failure> {
    let all = iam.findings(owner).await?;
    let kinds = [
        (all.everything, "permissions: it allows every action, now and later"),
        (all.gone, "identities: it names one of the account that no longer exists"),
        (all.nobody, "identities: it names none"),
        (all.expired, "expiredAt: it has expired"),
        (
            all.exact_denies,
            "resources: it denies a resource behind a guarded API by its name, to somebody who may do \
             the same on every other name",
        ),
    ];
    let of_kind = |(ids, reason): (Vec<PolicyId>, &'static str)| {
        ids.into_iter().map(move |id| (id, reason.to_owned()))
    };
    let mut found: Vec<(PolicyId, String)> = kinds.into_iter().flat_map(of_kind).collect();
    let expiring = all.expiring.into_iter();
    found.extend(expiring.map(|(at, id)| (id, format!("expiredAt: it expires at {at}"))));
    Ok(found)
}

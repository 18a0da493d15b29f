//! Implements `gatewright account`.

use clap::{Args, Subcommand};
use gatewright_iam::{AccountName, IamError, NewAccount, SecondFactor};
use serde_json::json;

use crate::config::Source;
use crate::error::Failure;

/// The warning that there are several accounts and no registrars.
pub(crate) const SHARED_REGISTRATION: &str = "there are several accounts, and no registrars: each may register any resource and declare any API \
     first, and shut the others out of it. Unless all accounts trust each other, name those that may \
     in the setting registrars";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Create an account, and show its owner's password once
    Create(Create),
    /// No longer demand a second factor of an account's people
    ResetSecondFactor(ResetSecondFactor),
}

#[derive(Debug, Args)]
pub(crate) struct ResetSecondFactor {
    /// The name of the account
    #[arg(long)]
    name: String,
    #[command(flatten)]
    source: Source,
}

#[derive(Debug, Args)]
pub(crate) struct Create {
    /// Two letters and some digits, then -ovh, -sys or -ks, as in xx11111-ovh
    #[arg(long)]
    name: String,
    /// The owner's email address
    #[arg(long)]
    email: String,
    /// Also create a service account with full access, and show its secret once
    #[arg(long)]
    service_account: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    source: Source,
}

pub(crate) async fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Create(create) => Box::pin(self::create(create)).await,
        Command::ResetSecondFactor(reset) => Box::pin(reset_second_factor(reset)).await,
    }
}

async fn reset_second_factor(reset: ResetSecondFactor) -> Result<(), Failure> {
    let iam = reset.source.read()?.open_existing().await?;
    let owner = iam.as_owner(&AccountName::new(reset.name.to_lowercase()));
    let done = iam.set_second_factor(&owner, Ok(SecondFactor::Optional)).await;
    iam.close().await;
    done.map_err(|error| match error {
        IamError::NotFound => Failure::NoAccount(owner.account().to_string()),
        error => error.into(),
    })?;
    println!("{} demands no second factor", owner.account());
    Ok(())
}

async fn create(create: Create) -> Result<(), Failure> {
    let iam = create.source.read()?.open().await?;
    let password = iam.new_password()?;
    let new = NewAccount {
        name: create.name.clone(),
        email: create.email,
        password: password.clone(),
        service_account: create.service_account,
    };
    let service_account = iam.create_account(new).await;
    let shares_registration = iam.shares_registration().await;
    iam.close().await;
    let service_account = service_account?;
    if shares_registration? {
        eprintln!("gatewright: warning: {SHARED_REGISTRATION}");
    }
    let login = create.name.to_lowercase();
    if create.json {
        let mut shown = json!({"account": login, "login": login, "password": password.reveal()});
        if let (Some(service_account), Some(shown)) = (&service_account, shown.as_object_mut()) {
            shown.insert("clientId".to_owned(), service_account.client_id.as_str().into());
            shown.insert("clientSecret".to_owned(), service_account.secret.reveal().into());
        }
        println!("{shown}");
    } else {
        println!("account        {login}\npassword       {}", password.reveal());
        if let Some(service_account) = &service_account {
            println!(
                "client id      {}\nclient secret  {}",
                service_account.client_id,
                service_account.secret.reveal()
            );
        }
        println!("Keep these: they are not shown again.");
    }
    Ok(())
}

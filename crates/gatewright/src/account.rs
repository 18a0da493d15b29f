//! `gatewright account`.

use clap::{Args, Subcommand};
use gatewright_iam::{NewAccount, Secret};
use serde_json::json;

use crate::config::Source;
use crate::error::Failure;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Create an account, and show its owner's password once
    Create(Create),
}

#[derive(Debug, Args)]
pub(crate) struct Create {
    /// Two letters and some digits, then -ovh, -sys or -ks, as in xx11111-ovh
    #[arg(long)]
    name: String,
    /// The owner's address
    #[arg(long)]
    email: String,
    /// Also create a service account that may do everything, and show its secret once
    #[arg(long)]
    service_account: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    source: Source,
}

pub(crate) async fn run(Command::Create(create): Command) -> Result<(), Failure> {
    let iam = create.source.read()?.open().await?;
    let password = Secret::password()?;
    let new = NewAccount {
        name: create.name.clone(),
        email: create.email,
        password: password.clone(),
        robot: create.service_account,
    };
    let robot = iam.create_account(new).await;
    iam.close().await;
    let robot = robot?;
    let login = create.name.to_lowercase();
    if create.json {
        let mut shown = json!({"account": login, "login": login, "password": password.reveal()});
        if let (Some(robot), Some(shown)) = (&robot, shown.as_object_mut()) {
            shown.insert("clientId".to_owned(), robot.client_id.clone().into());
            shown.insert("clientSecret".to_owned(), robot.secret.reveal().into());
        }
        println!("{shown}");
    } else {
        println!("account        {login}\npassword       {}", password.reveal());
        if let Some(robot) = &robot {
            println!(
                "client id      {}\nclient secret  {}",
                robot.client_id,
                robot.secret.reveal()
            );
        }
        println!("Keep these: they are not shown again.");
    }
    Ok(())
}

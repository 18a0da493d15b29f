//! Implements `gatewright key`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use gatewright_iam::{KeyRotation, MasterKey, Sources};

use crate::config::Source;
use crate::error::Failure;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Create a master key in a new file
    Create {
        /// The file; it must not exist
        #[arg(long)]
        file: PathBuf,
    },
    /// Create a new signing key: it is published at once, and signs after an hour
    Rotate(Box<Rotate>),
}

#[derive(Debug, Args)]
pub(crate) struct Rotate {
    /// In an emergency: sign with it immediately, and reject all tokens signed by other keys
    #[arg(long)]
    at_once: bool,
    #[command(flatten)]
    source: Source,
}

pub(crate) async fn run(command: Command) -> Result<(), Failure> {
    let rotate = match command {
        Command::Create { file } => return Ok(MasterKey::create(&file, &Sources::system())?),
        Command::Rotate(rotate) => rotate,
    };
    let iam = rotate.source.read()?.open_existing().await?;
    let emergency = rotate.at_once;
    let rotation = if emergency { KeyRotation::Emergency } else { KeyRotation::Planned };
    let rotated = iam.rotate_key(rotation).await;
    iam.close().await;
    let id = rotated?;
    if emergency {
        println!(
            "{id} is the only signing key; servers that run follow within a second, and clients must \
             request new tokens"
        );
    } else {
        println!("{id} is published, and signs in an hour");
    }
    Ok(())
}

//! The errors of commands, in one line that says what to do.

use std::net::SocketAddr;
use std::path::PathBuf;

use gatewright_iam::{CatalogueError, IamError, KeyError, OpenError, StoreError};
use gatewright_panel::TextsError;

/// The error that ended a command.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("{}: {source}", path.display())]
    File { path: PathBuf, source: std::io::Error },
    #[error("configuration file {}: {message}", path.display())]
    Configuration { path: PathBuf, message: String },
    #[error("{0} is missing: give it as a flag, in the environment or in the configuration")]
    Missing(&'static str),
    #[error("{name}: {message}")]
    Setting { name: &'static str, message: String },
    #[error("{0}, and both are given with different values: remove the old one")]
    Renamed(String),
    #[error(
        "--trusted-proxies is missing: {0} is served by a proxy that terminates TLS, and unless the \
         server trusts it, all clients have the proxy's address, in conditions and where failed \
         sign-ins are counted. Name the proxy, as in --trusted-proxies 10.0.0.5 or \
         trusted-proxies = [\"10.0.0.0/8\"]; write --trusted-proxies none if it must not be trusted"
    )]
    UnknownProxies(String),
    #[error("cannot listen on {address}: {source}")]
    Listen { address: SocketAddr, source: std::io::Error },
    #[error(
        "there is no database at {}: correct --database; `gatewright account create` makes a new one",
        .0.display()
    )]
    NoDatabase(PathBuf),
    #[error("there is no account {0}: `gatewright journal verify` without --account lists all")]
    NoAccount(String),
    #[error("{0} findings: see above")]
    Findings(usize),
    #[error("the folder {} has an account but not its credentials: remove it to start over", .0.display())]
    LostSecrets(PathBuf),
    #[error("the account was created without the service account that was asked for")]
    NoServiceAccount,
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Iam(#[from] IamError),
    #[error(transparent)]
    Texts(#[from] TextsError),
    #[error("the metrics recorder cannot be installed: {0}")]
    Metrics(#[from] metrics_exporter_prometheus::BuildError),
    #[error("the server stopped: {0}")]
    Serve(#[source] std::io::Error),
    #[error(
        "the server stopped: its thread that accepts connections has ended, which is a fault: restart it"
    )]
    NotAccepting,
}

/// The exit code for wrong usage or configuration, as of arguments that cannot be parsed.
const USAGE: u8 = 2;

/// The exit code for a failure at work.
const FAILURE: u8 = 1;

/// The exit code for a journal that does not verify, which a monitor must tell from a failure.
const ALTERED: u8 = 3;

impl Failure {
    /// Returns the exit code of the command.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Store(StoreError::Journal(_)) => ALTERED,
            Self::File { .. }
            | Self::Configuration { .. }
            | Self::Missing(_)
            | Self::Setting { .. }
            | Self::Renamed(_)
            | Self::UnknownProxies(_)
            | Self::NoDatabase(_)
            | Self::NoAccount(_)
            | Self::Catalogue(_)
            | Self::Iam(IamError::Invalid { .. })
            | Self::Store(StoreError::Address)
            | Self::Open(OpenError::Catalogue(_)) => USAGE,
            Self::Key(error) | Self::Open(OpenError::Key(error)) => match error {
                KeyError::Missing(_)
                | KeyError::File { .. }
                | KeyError::Malformed(_)
                | KeyError::OtherMaster => USAGE,
                _ => FAILURE,
            },
            _ => FAILURE,
        }
    }

    /// Creates the error of a setting with an invalid value.
    pub(crate) fn setting(name: &'static str) -> impl FnOnce(String) -> Self {
        move |message| Self::Setting { name, message }
    }
}

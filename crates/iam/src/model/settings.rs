//! Settings of an installation.

use std::path::PathBuf;
use std::time::Duration;

use gatewright_policy::{AccountName, Region};
use gatewright_store::TIMEOUT;

use crate::model::limits::Limits;
use crate::model::rate::Rates;
use crate::model::token::Algorithm;

/// The maximum sizes of the logs of activity in the database, in bytes: the oldest lines beyond them
/// are deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogSizes {
    /// The size of each log of an account: of tokens, of decisions, of calls.
    pub each: i64,
    /// The size of all logs of all accounts.
    pub all: i64,
}

impl Default for LogSizes {
    fn default() -> Self {
        Self { each: 4 << 30, all: 16 << 30 }
    }
}

/// OVHcloud's products in the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BuiltInProducts {
    /// They are there.
    Included,
    /// They are left out.
    LeftOut,
}

/// The settings of an installation.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The region in every URN.
    pub region: Region,
    /// The public URL, without a slash at its end; it is the issuer of every token.
    pub public_url: String,
    /// The algorithm that signs new tokens.
    pub algorithm: Algorithm,
    /// The age at which a signing key is rotated, in days; none for never.
    pub key_days: Option<u32>,
    /// OVHcloud's products in the catalogue.
    pub built_in_products: BuiltInProducts,
    /// The folder with files that declare products.
    pub products: Option<PathBuf>,
    /// The accounts whose people alone may register resources, for any account; with none, each
    /// account registers its own.
    pub registrars: Vec<AccountName>,
    /// True if only callers who may do everything in their account may give rights.
    pub only_administrators_grant: bool,
    /// The limits of an account.
    pub limits: Limits,
    /// The limits of the rates of requests.
    pub rates: Rates,
    /// The maximum time of a statement of the database.
    pub database_timeout: Duration,
    /// The room that is kept on the disk of a SQLite database for what must not fail when the disk is
    /// full, in bytes; 0 for none.
    pub disk_reserve: u64,
    /// Retention of log lines, in days.
    pub log_days: u32,
    /// The maximum sizes of logs.
    pub log_sizes: LogSizes,
    /// The maximum number of accounts held in memory.
    pub accounts_in_memory: usize,
}

impl Settings {
    /// Returns the settings that an installation at a public URL has where nothing else is set.
    pub fn new(public_url: String) -> Self {
        Self {
            region: Region::default(),
            public_url,
            algorithm: Algorithm::default(),
            key_days: Some(90),
            built_in_products: BuiltInProducts::Included,
            products: None,
            registrars: Vec::new(),
            only_administrators_grant: false,
            limits: Limits::default(),
            rates: Rates::default(),
            database_timeout: TIMEOUT,
            disk_reserve: 32 << 20,
            log_days: 30,
            log_sizes: LogSizes::default(),
            accounts_in_memory: 1_000,
        }
    }

    /// Returns the policy that browsers use HTTPS alone for a year (`Strict-Transport-Security`, RFC
    /// 6797), if they reach the public URL by it. Other hosts are none of ours.
    pub fn hsts(&self) -> Option<&'static str> {
        self.public_url.starts_with("https:").then_some("max-age=31536000")
    }
}

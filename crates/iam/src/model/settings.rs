//! How an installation is set up.

use std::path::PathBuf;

use gatewright_policy::Region;

use crate::model::token::Algorithm;

/// What an account may hold.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Policies of an account.
    pub policies: usize,
    /// Service accounts of an account.
    pub clients: usize,
    /// Entries of any list.
    pub entries: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { policies: 100_000, clients: 1_000_000, entries: 5_000 }
    }
}

/// How an installation is set up.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The region in every URN.
    pub region: Region,
    /// The public URL, without a slash at its end; it is the issuer of every token.
    pub public_url: String,
    /// What new tokens are signed with.
    pub algorithm: Algorithm,
    /// After so many days another key takes over; none for never.
    pub key_days: Option<u32>,
    /// Whether OVHcloud's products are in the catalogue.
    pub built_in_products: bool,
    /// A folder with files that declare products.
    pub products: Option<PathBuf>,
    /// The accounts whose people alone may register resources, for any account; with none, each
    /// account registers its own.
    pub registrars: Vec<String>,
    /// What an account may hold.
    pub limits: Limits,
    /// Lines of logs are kept for so many days.
    pub log_days: u32,
    /// So many accounts are held in memory.
    pub accounts_in_memory: usize,
}

//! The nodes of one installation on PostgreSQL.

use std::path::Path;

use gatewright_benchmarks::ACCOUNT;
use gatewright_benchmarks::client::Anyhow;
use gatewright_benchmarks::server::{self, Account, Server};

/// An installation with one account.
pub(crate) struct Installation {
    installation: server::Installation,
    account: Account,
}

impl Installation {
    pub(crate) fn create(program: &Path, database: &str) -> Anyhow<Self> {
        let installation = server::Installation::on(program, database)?;
        let account = installation.create_account(ACCOUNT)?;
        Ok(Self { installation, account })
    }

    /// Starts a node that reaches the database at this URL.
    pub(crate) fn start(&self, database: &str) -> Anyhow<Server> {
        let settings = ["--public-url", "http://localhost", "--accounts-in-memory", "1000"];
        self.installation.start_at(database, &settings)
    }

    /// Returns the credentials of the account's service account, which may do everything.
    pub(crate) fn credentials(&self) -> String {
        self.account.basic()
    }
}

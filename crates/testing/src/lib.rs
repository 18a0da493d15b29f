//! The databases that the tests of several crates share.

#![allow(clippy::disallowed_methods, reason = "a run of tests is set up by its environment")]
#![allow(clippy::missing_panics_doc, reason = "a test that cannot be set up fails")]
#![allow(clippy::expect_used, reason = "a test that cannot be set up fails")]
#![allow(clippy::panic, reason = "a test that cannot be set up fails")]

mod documented_limits;
mod relay;

use std::time::{Duration, Instant};

use sqlx::postgres::PgListener;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};

pub use documented_limits::{documented_limit, limit_rows};
pub use relay::Relay;

/// The variable with the URL of a PostgreSQL server on which databases may be created.
///
/// `cargo xtask test` sets it. Without it, tests of both databases run on SQLite alone, so that
/// they run on a machine with Rust and a C compiler and nothing else.
pub const POSTGRES: &str = "GATEWRIGHT_TEST_POSTGRES";

/// A database that was created for one test.
pub struct TestDatabase {
    /// The address of the database, as the program takes it.
    pub address: String,
    _folder: Option<tempfile::TempDir>,
}

impl TestDatabase {
    /// Names a database that another has created.
    pub fn at(address: String) -> Self {
        Self { address, _folder: None }
    }

    /// Creates an SQLite database in a new file.
    pub fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("test.db");
        Self { address: format!("sqlite:{}", path.display()), _folder: Some(folder) }
    }

    /// Creates a database on the PostgreSQL server that `cargo xtask test` starts.
    pub async fn postgres() -> Self {
        Self::postgres_if_any()
            .await
            .expect("GATEWRIGHT_TEST_POSTGRES is not set: run the tests with `cargo xtask test`")
    }

    /// Creates a database on PostgreSQL, or returns `None` if no server is named: then the test
    /// says that it did not run.
    pub async fn postgres_if_any() -> Option<Self> {
        let Ok(server) = std::env::var(POSTGRES) else {
            eprintln!("not run: {POSTGRES} names no PostgreSQL server");
            return None;
        };
        let name = format!("test_{}", uuid::Uuid::new_v4().simple());
        let mut connection = PgConnection::connect(&server).await.expect("a connection");
        sqlx::query(AssertSqlSafe(format!("CREATE DATABASE {name}")))
            .execute(&mut connection)
            .await
            .expect("a database");
        let (host, _) = server.rsplit_once('/').expect("a database at the end of the URL");
        Some(Self { address: format!("{host}/{name}"), _folder: None })
    }
}

/// A database that cannot be reached for the moment.
pub struct TakenAway {
    server: String,
    name: String,
}

impl TestDatabase {
    /// Disconnects everybody from the database and refuses connections. Requires PostgreSQL.
    pub async fn take_away(&self) -> TakenAway {
        let server = std::env::var(POSTGRES).expect("a PostgreSQL server");
        let (_, name) = self.address.rsplit_once('/').expect("a database at the end of the URL");
        let taken = TakenAway { server, name: name.to_owned() };
        taken.run(format!("ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false")).await;
        taken
            .run(format!(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
            ))
            .await;
        taken
    }
}

impl TestDatabase {
    /// Measures how long a notification takes from one connection to another. Requires PostgreSQL.
    pub async fn notice_times(&self, count: usize) -> Vec<Duration> {
        let mut listener = PgListener::connect(&self.address).await.expect("a connection");
        listener.listen("test_notices").await.expect("a channel");
        let mut notifier = PgConnection::connect(&self.address).await.expect("a connection");
        let mut times = Vec::with_capacity(count);
        for _ in 0..count {
            let started = Instant::now();
            let notify = sqlx::query("NOTIFY test_notices");
            notify.execute(&mut notifier).await.expect("a notice");
            listener.recv().await.expect("a notice");
            times.push(started.elapsed());
        }
        times
    }
}

impl TestDatabase {
    /// Runs a statement on a connection of its own.
    pub async fn run(&self, sql: &str) {
        let sql = AssertSqlSafe(sql.to_owned());
        if let Some(path) = self.address.strip_prefix("sqlite:") {
            let options = SqliteConnectOptions::new().filename(path).foreign_keys(false);
            let mut connection = options.connect().await.expect("a connection");
            sqlx::query(sql).execute(&mut connection).await.expect("a statement");
        } else {
            let mut connection = PgConnection::connect(&self.address).await.expect("a connection");
            sqlx::query(sql).execute(&mut connection).await.expect("a statement");
        }
    }
}

impl TestDatabase {
    /// Loses the last change of an account, which must have created an object: as a promoted replica
    /// does that had not received it.
    pub async fn lose_last_change(&self, account: &str) {
        let last = format!("(SELECT revision FROM account WHERE name = '{account}')");
        for lost in [
            format!(
                "DELETE FROM mention WHERE id IN (SELECT id FROM object WHERE account = '{account}' AND created = {last})"
            ),
            format!("DELETE FROM object WHERE account = '{account}' AND created = {last}"),
            format!("DELETE FROM journal WHERE account = '{account}' AND revision = {last}"),
            format!(
                "UPDATE account SET revision = revision - 1, head = (SELECT hash FROM journal
                 WHERE journal.account = account.name AND journal.revision = account.revision - 1)
                 WHERE name = '{account}'"
            ),
        ] {
            self.run(&lost).await;
        }
    }
}

impl TakenAway {
    /// Allows connections again.
    pub async fn give_back(self) {
        self.run(format!("ALTER DATABASE {} WITH ALLOW_CONNECTIONS true", self.name)).await;
    }

    async fn run(&self, sql: String) {
        let mut connection = PgConnection::connect(&self.server).await.expect("a connection");
        sqlx::query(AssertSqlSafe(sql)).execute(&mut connection).await.expect("a statement");
    }
}

/// Declares the tests of a rule, an `async fn rule(database: TestDatabase)`: one on SQLite, one on
/// PostgreSQL. It takes names only, so that rustfmt formats the rules.
///
/// The test on PostgreSQL does nothing if no server is named: see [`POSTGRES`].
#[macro_export]
macro_rules! on_both_databases {
    ($($rule:ident),+ $(,)?) => {
        $(mod $rule {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite() {
                super::$rule($crate::TestDatabase::sqlite()).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_postgres() {
                if let Some(database) = $crate::TestDatabase::postgres_if_any().await {
                    super::$rule(database).await;
                }
            }
        })+
    };
}

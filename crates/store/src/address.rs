//! Addresses of databases.

use std::str::FromStr;

use sqlx::postgres::PgConnectOptions;

use crate::error::StoreError;

/// The address of a database: `sqlite:PATH` or `postgres://…`.
#[derive(Clone)]
pub enum Address {
    /// A file, which is created if it is missing.
    Sqlite(String),
    /// A server, with credentials in its URL.
    Postgres(Box<PgConnectOptions>),
}

impl FromStr for Address {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, StoreError> {
        if let Some(path) = text.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            return if path.is_empty() {
                Err(StoreError::Address)
            } else {
                Ok(Self::Sqlite(path.to_owned()))
            };
        }
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return text
                .parse()
                .map(|options| Self::Postgres(Box::new(options)))
                .map_err(|_| StoreError::Address);
        }
        Err(StoreError::Address)
    }
}

impl std::fmt::Display for Address {
    /// Writes the address without credentials.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{path}"),
            Self::Postgres(options) => {
                let database = options.get_database().unwrap_or(options.get_username());
                if let Some(folder) = options.get_socket() {
                    return write!(f, "postgres:///{database}?host={}", folder.display());
                }
                let (host, port) = (options.get_host(), options.get_port());
                write!(f, "postgres://{host}:{port}/{database}")
            }
        }
    }
}

impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

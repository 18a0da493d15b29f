//! Reads the settings, in rising order of precedence: a file, the environment, flags.

mod environment;
mod limits;
mod log_filter;
mod log_format;
mod options;
mod renamed;
#[cfg(test)]
mod tests;
mod timeouts;
mod trusted_proxies;

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use gatewright_iam::{
    AccountName, Address, Algorithm, BuiltInProducts, Iam, MasterKey, Region, ServerLock, Settings,
    Sources, check_account,
};
use ipnet::IpNet;

use crate::error::Failure;
use environment::Misspelled;
use limits::{BODY_MEMORY, RESPONSE_MEMORY, memory, positive, seconds};
pub(crate) use log_filter::LogFilter;
pub(crate) use log_format::LogFormat;
use options::{COUNT, Options};
use renamed::Renamed;
pub(crate) use timeouts::Timeouts;

const LISTEN: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8080);
const OPERATIONS: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 9080);

/// The connections of one client address: more than a browser or a program has, even where many
/// share an address, and a twentieth of what all may have.
const CONNECTIONS_PER_ADDRESS: usize = 500;

/// The place of the configuration file, given on the command line.
#[derive(Debug, Args)]
pub(crate) struct Source {
    /// The configuration file
    #[arg(long, env = "GATEWRIGHT_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    options: Options,
}

/// All settings, validated.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) database: Address,
    pub(crate) master_key: PathBuf,
    pub(crate) listen: SocketAddr,
    pub(crate) operations_listen: SocketAddr,
    pub(crate) ext_authz_listen: Option<SocketAddr>,
    pub(crate) timeouts: Timeouts,
    /// None for as many as there are file descriptors for, up to a number.
    pub(crate) max_connections: Option<usize>,
    pub(crate) max_connections_per_address: usize,
    /// In bytes.
    pub(crate) max_body_memory: usize,
    /// In bytes.
    pub(crate) max_response_memory: usize,
    /// The proxies whose `X-Forwarded-For` is trusted; none where that was not set.
    trusted_proxies: Option<Vec<IpNet>>,
    pub(crate) log: LogFilter,
    pub(crate) log_format: LogFormat,
    /// The settings that were given, without secrets.
    given: String,
    renamed: Vec<Renamed>,
    misspelled: Vec<Misspelled>,
    public_url: Option<String>,
    settings: Settings,
}

impl Source {
    pub(crate) fn read(self) -> Result<Config, Failure> {
        #[expect(
            clippy::disallowed_methods,
            reason = "the names alone, to find misspelled settings"
        )]
        let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
        let command = Self::augment_args(clap::Command::new(""));
        let known = command.get_arguments().filter_map(|argument| argument.get_env()?.to_str());
        let misspelled = environment::misspelled(names, &known.collect::<Vec<_>>());
        let (mut options, mut file) = (self.options, Options::default());
        if let Some(path) = &self.config {
            file = read(path)?;
        }
        let renamed = [options.rename()?, file.rename()?].concat();
        let config = options.with_defaults_of(file).validate(renamed)?;
        Ok(Config { misspelled, ..config })
    }
}

fn read(path: &Path) -> Result<Options, Failure> {
    let failed = |message| Failure::Configuration { path: path.to_owned(), message };
    let text = std::fs::read_to_string(path);
    let text = text.map_err(|error| failed(format!("it cannot be read: {error}")))?;
    // The full error quotes the line, which may contain the database's password.
    let line = |error: &toml::de::Error| {
        let before = error.span().and_then(|span| text.get(..span.start));
        before.map_or(String::new(), |text| format!("line {}: ", text.matches('\n').count() + 1))
    };
    let syntax = |error: toml::de::Error| failed(format!("{}{}", line(&error), error.message()));
    let document = toml::Deserializer::parse(&text).map_err(syntax)?;
    serde_path_to_error::deserialize(document).map_err(|error| {
        let (key, message) = (error.path().to_string(), without_value(error.inner().message()));
        let key = if key == "." { String::new() } else { format!("{key}: ") };
        failed(format!("{}{key}{message}", line(error.inner())))
    })
}

/// Leaves out the value that a message of serde's quotes, which may be a password at a wrong key.
fn without_value(message: &str) -> String {
    match message.rsplit_once(", expected ") {
        Some((wrong, "usize" | "u64" | "u32")) if wrong.starts_with("invalid ") => {
            format!("expected {COUNT}")
        }
        Some((wrong, expected)) if wrong.starts_with("invalid ") => format!("expected {expected}"),
        _ => message.to_owned(),
    }
}

impl Options {
    fn validate(self, renamed: Vec<Renamed>) -> Result<Config, Failure> {
        let database: Address =
            self.database.as_deref().ok_or(Failure::Missing("--database"))?.parse()?;
        let (settings, timeouts) = (self.settings()?, self.timeouts()?);
        let given = self.shown();
        let public_url = self.public_url.as_deref().map(check_url).transpose();
        let log_format = self.log_format.as_deref().map_or(Ok(LogFormat::default()), str::parse);
        let log = self.log.as_deref().map_or(Ok(LogFilter::default()), str::parse);
        let trusted_proxies =
            self.trusted_proxies.as_deref().map(trusted_proxies::networks).transpose();
        Ok(Config {
            database,
            public_url: public_url.map_err(Failure::setting("--public-url"))?,
            log_format: log_format.map_err(Failure::setting("--log-format"))?,
            master_key: self.master_key.ok_or(Failure::Missing("--master-key"))?,
            listen: self.listen.unwrap_or(LISTEN),
            operations_listen: self.operations_listen.unwrap_or(OPERATIONS),
            ext_authz_listen: self.ext_authz_listen,
            timeouts,
            max_body_memory: memory("--max-body-memory", self.max_body_memory, BODY_MEMORY)?,
            max_response_memory: memory(
                "--max-response-memory",
                self.max_response_memory,
                RESPONSE_MEMORY,
            )?,
            max_connections: self
                .max_connections
                .map(|number| positive("--max-connections", Some(number), number))
                .transpose()?,
            max_connections_per_address: positive(
                "--max-connections-per-address",
                self.max_connections_per_address,
                CONNECTIONS_PER_ADDRESS,
            )?,
            trusted_proxies: trusted_proxies.map_err(Failure::setting("--trusted-proxies"))?,
            log: log.map_err(Failure::setting("--log"))?,
            given,
            renamed,
            misspelled: Vec::new(),
            settings,
        })
    }

    /// Validates the names of the registrars.
    fn account_names(&self) -> Result<Vec<AccountName>, Failure> {
        let names = self.registrars.iter().flatten().map(|name| check_account(name));
        names
            .collect::<Result<_, _>>()
            .map_err(|error| Failure::setting("--registrars")(error.to_string()))
    }

    /// Builds the settings of the use cases, except for the public URL.
    fn settings(&self) -> Result<Settings, Failure> {
        let region = self.region.as_deref().map_or(Ok(Region::default()), |text| {
            text.parse().map_err(|_| format!("{text} is none of eu, ca, us"))
        });
        let algorithm = self.algorithm.as_deref().map_or(Ok(Algorithm::default()), str::parse);
        let defaults = Settings::new(String::new());
        Ok(Settings {
            region: region.map_err(Failure::setting("--region"))?,
            algorithm: algorithm.map_err(Failure::setting("--algorithm"))?,
            key_days: self.key_days.map_or(defaults.key_days, Some).filter(|days| *days > 0),
            built_in_products: match self.built_in_products {
                Some(false) => BuiltInProducts::LeftOut,
                None | Some(true) => BuiltInProducts::Included,
            },
            products: self.products.clone(),
            registrars: self.account_names()?,
            limits: self.limits(&defaults.limits)?,
            only_administrators_grant: self
                .only_administrators_grant
                .unwrap_or(defaults.only_administrators_grant),
            rates: self.rates(&defaults.rates),
            log_days: positive("--log-days", self.log_days, defaults.log_days)?,
            log_sizes: self.log_sizes(&defaults.log_sizes)?,
            disk_reserve: self
                .disk_reserve
                .map_or(defaults.disk_reserve, |mib| u64::from(mib) << 20),
            database_timeout: seconds(
                "--database-timeout",
                self.database_timeout,
                defaults.database_timeout,
            )?,
            accounts_in_memory: positive(
                "--accounts-in-memory",
                self.accounts_in_memory,
                defaults.accounts_in_memory,
            )?,
            ..defaults
        })
    }
}

fn check_url(url: &str) -> Result<String, String> {
    let url = url.trim_end_matches('/');
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    match rest {
        Some(rest) if !rest.is_empty() && !rest.contains(['?', '#', ' ']) => Ok(url.to_owned()),
        _ => Err(format!("{url} must be a URL like https://iam.example.com")),
    }
}

impl Config {
    /// Builds the configuration of `gatewright dev`, with all files in one folder.
    pub(crate) fn of_folder(
        folder: &Path,
        listen: SocketAddr,
        products: Option<PathBuf>,
    ) -> Result<Self, Failure> {
        let options = Options {
            database: Some(format!("sqlite:{}", folder.join("gatewright.db").display())),
            master_key: Some(folder.join("master.key")),
            listen: Some(listen),
            products,
            log: Some("warn".to_owned()),
            log_format: Some("text".to_owned()),
            ..Options::default()
        };
        options.validate(Vec::new())
    }

    pub(crate) fn master_key(&self) -> Result<MasterKey, Failure> {
        Ok(MasterKey::read(&self.master_key)?)
    }

    /// Opens a database that exists, for a command that would do nothing on a new one: a path with a
    /// mistake must not pass for done.
    pub(crate) async fn open_existing(self) -> Result<Arc<Iam>, Failure> {
        // A server that did not start may have left an empty file.
        let is_empty = |path| std::fs::metadata(path).is_ok_and(|file| file.len() == 0);
        if let Address::Sqlite(path) = &self.database
            && (!Path::new(path).exists() || is_empty(path))
        {
            return Err(Failure::NoDatabase(path.into()));
        }
        self.open().await
    }

    /// Opens the database for a command of the operator. It issues no token, so the issuer does
    /// not matter.
    pub(crate) async fn open(self) -> Result<Arc<Iam>, Failure> {
        for renamed in &self.renamed {
            let _ = writeln!(std::io::stderr(), "gatewright: warning: {renamed}");
        }
        for misspelled in &self.misspelled {
            let _ = writeln!(std::io::stderr(), "gatewright: warning: {misspelled}");
        }
        let settings = self.settings(SocketAddr::from(([127, 0, 0, 1], 0)))?;
        ServerLock::check_name(&self.database).await?;
        let opening = Iam::open(&self.database, self.master_key()?, settings, Sources::system());
        Ok(Box::pin(opening).await?)
    }

    /// Logs the settings that were given, all others having their defaults, and a warning for each that was given by its old name, or by none.
    pub(crate) fn log_settings(&self) {
        let database = self.database.to_string();
        tracing::info!(database, given = self.given, "settings");
        for Renamed { old, new } in &self.renamed {
            tracing::warn!(old, new, "a deprecated setting is used");
        }
        for Misspelled { name, nearest } in &self.misspelled {
            tracing::warn!(name, nearest, "an environment variable is nearly a setting");
        }
    }

    /// Returns the proxies whose `X-Forwarded-For` is trusted. Fails where a proxy must be in front,
    /// since the public URL is https, and nobody said which: all clients would count as one.
    pub(crate) fn trusted_proxies(&self) -> Result<Vec<IpNet>, Failure> {
        match (&self.trusted_proxies, &self.public_url) {
            (None, Some(url)) if url.starts_with("https:") => {
                Err(Failure::UnknownProxies(url.clone()))
            }
            (trusted, _) => Ok(trusted.clone().unwrap_or_default()),
        }
    }

    /// Completes the settings for a server at this address.
    pub(crate) fn settings(&self, address: SocketAddr) -> Result<Settings, Failure> {
        let public_url = match &self.public_url {
            Some(url) => url.clone(),
            None if address.ip().is_unspecified() => return Err(Failure::Missing("--public-url")),
            None => format!("http://{address}"),
        };
        Ok(Settings { public_url, ..self.settings.clone() })
    }
}

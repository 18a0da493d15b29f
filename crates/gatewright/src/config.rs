//! Reads the settings, in rising order of precedence: a file, the environment, flags.

mod environment;
mod limits;
mod log_format;
mod renamed;
#[cfg(test)]
mod tests;
mod timeouts;
mod trusted_proxies;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use gatewright_iam::{
    AccountName, Address, Algorithm, BuiltInProducts, Iam, MasterKey, Region, ServerLock, Settings,
    Sources,
};
use ipnet::IpNet;
use serde::Deserialize;

use crate::error::Failure;
use environment::Misspelled;
use limits::{at_least_one, body_memory, seconds};
pub(crate) use log_format::LogFormat;
use renamed::Renamed;
pub(crate) use timeouts::Timeouts;
use trusted_proxies::TrustedProxy;

const LISTEN: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8080);
const OPERATIONS: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 9080);

/// The connections of one client address: more than a browser or a program has, even where many
/// share an address, and a twentieth of what all may have.
const CONNECTIONS_PER_ADDRESS: usize = 500;

/// The memory for the bodies of requests, in MiB.
const BODY_MEMORY: usize = 64;

/// The bytes of a MiB.
const MIB: usize = 1 << 20;

/// The settings as they were given; each is optional. Lists are separated by commas.
#[derive(Debug, Clone, Default, Args, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct Options {
    /// The database: sqlite:PATH or postgres://…
    #[arg(long, env = "GATEWRIGHT_DATABASE", hide_env_values = true)]
    database: Option<String>,
    /// The file of the master key that encrypts the signing keys
    #[arg(long, env = "GATEWRIGHT_MASTER_KEY", value_name = "FILE")]
    master_key: Option<PathBuf>,
    /// The address to serve on [default: 127.0.0.1:8080]
    #[arg(long, env = "GATEWRIGHT_LISTEN")]
    listen: Option<SocketAddr>,
    /// The address for /healthz, /readyz and /metrics [default: 127.0.0.1:9080]
    #[arg(long, env = "GATEWRIGHT_OPERATIONS_LISTEN")]
    operations_listen: Option<SocketAddr>,
    /// The address for Envoy's external authorization over gRPC [default: none]
    #[arg(long, env = "GATEWRIGHT_EXT_AUTHZ_LISTEN")]
    ext_authz_listen: Option<SocketAddr>,
    /// The URL that clients use, the issuer of tokens [default: http:// and the address]
    #[arg(long, env = "GATEWRIGHT_PUBLIC_URL")]
    public_url: Option<String>,
    /// The region in URNs: eu, ca or us [default: eu]
    #[arg(long, env = "GATEWRIGHT_REGION")]
    region: Option<String>,
    #[arg(long = "plate", env = "GATEWRIGHT_PLATE", hide = true)]
    #[serde(rename = "plate")]
    old_region: Option<String>,
    /// The algorithm that signs tokens: ES256, EdDSA or RS256 [default: ES256]
    #[arg(long, env = "GATEWRIGHT_ALGORITHM")]
    algorithm: Option<String>,
    /// Days after which the signing key is rotated; 0 for never [default: 90]
    #[arg(long, env = "GATEWRIGHT_KEY_DAYS")]
    key_days: Option<u32>,
    /// The folder with the declarations of products and of guarded APIs
    #[arg(long, env = "GATEWRIGHT_PRODUCTS", value_name = "FOLDER")]
    products: Option<PathBuf>,
    /// Include OVHcloud's products in the catalogue [default: true]
    #[arg(long, env = "GATEWRIGHT_BUILT_IN_PRODUCTS")]
    built_in_products: Option<bool>,
    /// The only accounts that may register resources [default: each its own]
    #[arg(long, env = "GATEWRIGHT_REGISTRARS", value_delimiter = ',')]
    registrars: Option<Vec<String>>,
    /// Let only those who may do everything in their account give rights [default: false]
    #[arg(long, env = "GATEWRIGHT_ONLY_ADMINISTRATORS_GRANT")]
    only_administrators_grant: Option<bool>,
    /// The proxies whose X-Forwarded-For is trusted, or none; must be set where the public URL is https
    #[arg(long, env = "GATEWRIGHT_TRUSTED_PROXIES", value_delimiter = ',')]
    trusted_proxies: Option<Vec<TrustedProxy>>,
    /// The limit of policies per account [default: 100000]
    #[arg(long, env = "GATEWRIGHT_MAX_POLICIES")]
    max_policies: Option<usize>,
    /// The limit of service accounts per account [default: 1000000]
    #[arg(long, env = "GATEWRIGHT_MAX_CLIENTS")]
    max_clients: Option<usize>,
    /// The limit of entries per list in a request [default: 5000]
    #[arg(long, env = "GATEWRIGHT_MAX_ENTRIES")]
    max_entries: Option<usize>,
    /// The limit of idempotency keys per account within 24 hours [default: 10000]
    #[arg(long, env = "GATEWRIGHT_MAX_IDEMPOTENCY_KEYS")]
    max_idempotency_keys: Option<usize>,
    /// The rate limit of token requests, per second and client; 0 for none [default: 10000]
    #[arg(long, env = "GATEWRIGHT_RATE_TOKENS")]
    rate_tokens: Option<u32>,
    /// The rate limit of decisions, per second and credential; 0 for none [default: 100000]
    #[arg(long, env = "GATEWRIGHT_RATE_DECISIONS")]
    rate_decisions: Option<u32>,
    /// The rate limit of reads, per second and credential; 0 for none [default: 5000]
    #[arg(long, env = "GATEWRIGHT_RATE_READS")]
    rate_reads: Option<u32>,
    /// The rate limit of changes, per second and credential; 0 for none [default: 1000]
    #[arg(long, env = "GATEWRIGHT_RATE_WRITES")]
    rate_writes: Option<u32>,
    /// The rate limit of requests without credentials, per second and network; 0 for none
    /// [default: 1000]
    #[arg(long, env = "GATEWRIGHT_RATE_ANONYMOUS")]
    rate_anonymous: Option<u32>,
    /// The rate limit of wrong credentials, per second and network; 0 for none [default: 10]
    #[arg(long, env = "GATEWRIGHT_RATE_FAILURES")]
    rate_failures: Option<u32>,
    /// The limit of bytes in the lists of a policy or a permissions group [default: 1048576]
    #[arg(long, env = "GATEWRIGHT_MAX_POLICY_BYTES")]
    max_policy_bytes: Option<usize>,
    /// The limit of bytes of all policies of an account in memory [default: 268435456]
    #[arg(long, env = "GATEWRIGHT_MAX_ACCOUNT_POLICY_BYTES")]
    max_account_policy_bytes: Option<usize>,
    /// The limit of the cost of a decision by the policies of one caller [default: 50000]
    #[arg(long, env = "GATEWRIGHT_MAX_DECISION_COST")]
    max_decision_cost: Option<u64>,
    /// The limit of the cost of the decisions of one request [default: 500000000]
    #[arg(long, env = "GATEWRIGHT_MAX_REQUEST_COST")]
    max_request_cost: Option<u64>,
    /// The limit of accounts cached in memory [default: 1000]
    #[arg(long, env = "GATEWRIGHT_ACCOUNTS_IN_MEMORY")]
    accounts_in_memory: Option<usize>,
    /// Seconds within which the database must answer a statement [default: 5]
    #[arg(long, env = "GATEWRIGHT_DATABASE_TIMEOUT", value_name = "SECONDS")]
    database_timeout: Option<u64>,
    /// The limit of connections of clients [default: 10000]
    #[arg(long, env = "GATEWRIGHT_MAX_CONNECTIONS")]
    max_connections: Option<usize>,
    /// The limit of connections per client address, trusted proxies excepted [default: 500]
    #[arg(long, env = "GATEWRIGHT_MAX_CONNECTIONS_PER_ADDRESS")]
    max_connections_per_address: Option<usize>,
    /// The limit of all bodies of requests in memory, in MiB [default: 64]
    #[arg(long, env = "GATEWRIGHT_MAX_BODY_MEMORY", value_name = "MIB")]
    max_body_memory: Option<usize>,
    /// Seconds within which a client must send the head of a request [default: 10]
    #[arg(long, env = "GATEWRIGHT_HEADER_TIMEOUT", value_name = "SECONDS")]
    header_timeout: Option<u64>,
    /// Seconds within which a client must send the body of a request [default: 30]
    #[arg(long, env = "GATEWRIGHT_BODY_TIMEOUT", value_name = "SECONDS")]
    body_timeout: Option<u64>,
    /// Seconds after which a connection without a request is closed [default: 75]
    #[arg(long, env = "GATEWRIGHT_IDLE_TIMEOUT", value_name = "SECONDS")]
    idle_timeout: Option<u64>,
    /// Seconds within which a client must take more of a response [default: 30]
    #[arg(long, env = "GATEWRIGHT_WRITE_TIMEOUT", value_name = "SECONDS")]
    write_timeout: Option<u64>,
    /// Days after which logs of tokens, decisions and calls are deleted [default: 30]
    #[arg(long, env = "GATEWRIGHT_LOG_DAYS")]
    log_days: Option<u32>,
    /// The limit of each log of an account in the database, in MiB [default: 4096]
    #[arg(long, env = "GATEWRIGHT_MAX_LOG_SIZE", value_name = "MIB")]
    max_log_size: Option<u32>,
    /// The limit of all logs in the database, in MiB [default: 16384]
    #[arg(long, env = "GATEWRIGHT_MAX_TOTAL_LOG_SIZE", value_name = "MIB")]
    max_total_log_size: Option<u32>,
    /// The log level or filter, as in info or warn [default: info]
    #[arg(long, env = "GATEWRIGHT_LOG")]
    log: Option<String>,
    /// The log format: text or json [default: json]
    #[arg(long, env = "GATEWRIGHT_LOG_FORMAT")]
    log_format: Option<String>,
}

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
    /// The proxies whose `X-Forwarded-For` is trusted; none where that was not set.
    trusted_proxies: Option<Vec<IpNet>>,
    pub(crate) log: String,
    pub(crate) log_format: LogFormat,
    renamed: Vec<Renamed>,
    misspelled: Vec<Misspelled>,
    public_url: Option<String>,
    settings: Settings,
}

impl Source {
    pub(crate) fn read(self) -> Result<Config, Failure> {
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
    let syntax = |error: toml::de::Error| failed(error.message().to_owned());
    let document = toml::Deserializer::parse(&text).map_err(syntax)?;
    serde_path_to_error::deserialize(document).map_err(|error| {
        let (key, message) = (error.path().to_string(), without_value(error.inner().message()));
        failed(if key == "." { message } else { format!("{key}: {message}") })
    })
}

/// Leaves out the value that a message of serde's quotes, which may be a password at a wrong key.
fn without_value(message: &str) -> String {
    match message.rsplit_once(", expected ") {
        Some((wrong, expected)) if wrong.starts_with("invalid ") => format!("expected {expected}"),
        _ => message.to_owned(),
    }
}

impl Options {
    /// Moves values that were given by old names to the new ones; returns the old names that were
    /// used.
    fn rename(&mut self) -> Result<Vec<Renamed>, Failure> {
        let all = [Renamed { old: "plate", new: "region" }
            .move_value(self.old_region.take(), &mut self.region)?];
        Ok(all.into_iter().flatten().collect())
    }

    /// Fills in the settings that only the file has.
    fn with_defaults_of(self, file: Self) -> Self {
        Self {
            database: self.database.or(file.database),
            master_key: self.master_key.or(file.master_key),
            listen: self.listen.or(file.listen),
            operations_listen: self.operations_listen.or(file.operations_listen),
            ext_authz_listen: self.ext_authz_listen.or(file.ext_authz_listen),
            public_url: self.public_url.or(file.public_url),
            region: self.region.or(file.region),
            old_region: None,
            algorithm: self.algorithm.or(file.algorithm),
            key_days: self.key_days.or(file.key_days),
            products: self.products.or(file.products),
            built_in_products: self.built_in_products.or(file.built_in_products),
            registrars: self.registrars.or(file.registrars),
            only_administrators_grant: self
                .only_administrators_grant
                .or(file.only_administrators_grant),
            trusted_proxies: self.trusted_proxies.or(file.trusted_proxies),
            max_policies: self.max_policies.or(file.max_policies),
            max_clients: self.max_clients.or(file.max_clients),
            max_entries: self.max_entries.or(file.max_entries),
            max_idempotency_keys: self.max_idempotency_keys.or(file.max_idempotency_keys),
            rate_tokens: self.rate_tokens.or(file.rate_tokens),
            rate_decisions: self.rate_decisions.or(file.rate_decisions),
            rate_reads: self.rate_reads.or(file.rate_reads),
            rate_writes: self.rate_writes.or(file.rate_writes),
            rate_anonymous: self.rate_anonymous.or(file.rate_anonymous),
            rate_failures: self.rate_failures.or(file.rate_failures),
            max_policy_bytes: self.max_policy_bytes.or(file.max_policy_bytes),
            max_account_policy_bytes: self
                .max_account_policy_bytes
                .or(file.max_account_policy_bytes),
            max_decision_cost: self.max_decision_cost.or(file.max_decision_cost),
            max_request_cost: self.max_request_cost.or(file.max_request_cost),
            accounts_in_memory: self.accounts_in_memory.or(file.accounts_in_memory),
            database_timeout: self.database_timeout.or(file.database_timeout),
            max_connections: self.max_connections.or(file.max_connections),
            max_connections_per_address: self
                .max_connections_per_address
                .or(file.max_connections_per_address),
            max_body_memory: self.max_body_memory.or(file.max_body_memory),
            header_timeout: self.header_timeout.or(file.header_timeout),
            body_timeout: self.body_timeout.or(file.body_timeout),
            idle_timeout: self.idle_timeout.or(file.idle_timeout),
            write_timeout: self.write_timeout.or(file.write_timeout),
            log_days: self.log_days.or(file.log_days),
            max_log_size: self.max_log_size.or(file.max_log_size),
            max_total_log_size: self.max_total_log_size.or(file.max_total_log_size),
            log: self.log.or(file.log),
            log_format: self.log_format.or(file.log_format),
        }
    }

    fn validate(self, renamed: Vec<Renamed>) -> Result<Config, Failure> {
        let database: Address =
            self.database.as_deref().ok_or(Failure::Missing("--database"))?.parse()?;
        let (settings, timeouts) = (self.settings()?, self.timeouts()?);
        let public_url = self.public_url.as_deref().map(check_url).transpose();
        let log_format = self.log_format.as_deref().map_or(Ok(LogFormat::default()), str::parse);
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
            max_body_memory: body_memory(self.max_body_memory)?,
            max_connections: self
                .max_connections
                .map(|number| at_least_one("--max-connections", Some(number), number))
                .transpose()?,
            max_connections_per_address: at_least_one(
                "--max-connections-per-address",
                self.max_connections_per_address,
                CONNECTIONS_PER_ADDRESS,
            )?,
            trusted_proxies: trusted_proxies.map_err(Failure::setting("--trusted-proxies"))?,
            log: self.log.unwrap_or_else(|| "info".to_owned()),
            renamed,
            misspelled: Vec::new(),
            settings,
        })
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
            registrars: self.registrars.iter().flatten().cloned().map(AccountName::new).collect(),
            limits: self.limits(&defaults.limits)?,
            only_administrators_grant: self
                .only_administrators_grant
                .unwrap_or(defaults.only_administrators_grant),
            rates: self.rates(&defaults.rates),
            log_days: at_least_one("--log-days", self.log_days, defaults.log_days)?,
            log_sizes: self.log_sizes(&defaults.log_sizes)?,
            database_timeout: seconds(
                "--database-timeout",
                self.database_timeout,
                defaults.database_timeout,
            )?,
            accounts_in_memory: at_least_one(
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
            eprintln!("gatewright: warning: {renamed}");
        }
        for misspelled in &self.misspelled {
            eprintln!("gatewright: warning: {misspelled}");
        }
        let settings = self.settings(SocketAddr::from(([127, 0, 0, 1], 0)))?;
        ServerLock::check_name(&self.database).await?;
        Ok(Iam::open(&self.database, self.master_key()?, settings, Sources::system()).await?)
    }

    /// Logs a warning for each setting that was given by its old name, or by none.
    pub(crate) fn warn_of_names(&self) {
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

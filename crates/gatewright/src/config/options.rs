//! The settings as they are given: flags, variables of the environment, and keys of the file.

use std::any::TypeId;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use clap::builder::ValueParser;
use clap::{Arg, Args};
use serde::{Deserialize, Serialize};

use super::renamed::Renamed;
use super::trusted_proxies::TrustedProxy;
use crate::error::Failure;

/// The form of a number among the settings.
pub(super) const COUNT: &str = "a whole number from 0 on, and not too large";

/// The settings as they were given; each is optional. Lists are separated by commas.
#[derive(Debug, Clone, Default, Args, Serialize, Deserialize)]
#[command(mut_args = with_counts)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct Options {
    /// The database: sqlite:PATH or postgres://…
    #[arg(long, env = "GATEWRIGHT_DATABASE", hide_env_values = true)]
    pub(super) database: Option<String>,
    /// The file of the master key that encrypts the signing keys
    #[arg(long, env = "GATEWRIGHT_MASTER_KEY", value_name = "FILE")]
    pub(super) master_key: Option<PathBuf>,
    /// The address to serve on [default: 127.0.0.1:8080]
    #[arg(long, env = "GATEWRIGHT_LISTEN")]
    pub(super) listen: Option<SocketAddr>,
    /// The address for /healthz, /readyz and /metrics [default: 127.0.0.1:9080]
    #[arg(long, env = "GATEWRIGHT_OPERATIONS_LISTEN")]
    pub(super) operations_listen: Option<SocketAddr>,
    /// The address for Envoy's external authorization over gRPC [default: none]
    #[arg(long, env = "GATEWRIGHT_EXT_AUTHZ_LISTEN")]
    pub(super) ext_authz_listen: Option<SocketAddr>,
    /// The URL that clients use, the issuer of tokens [default: http:// and the address]
    #[arg(long, env = "GATEWRIGHT_PUBLIC_URL")]
    pub(super) public_url: Option<String>,
    /// The region in URNs: eu, ca or us [default: eu]
    #[arg(long, env = "GATEWRIGHT_REGION")]
    pub(super) region: Option<String>,
    #[arg(long = "plate", env = "GATEWRIGHT_PLATE", hide = true)]
    #[serde(rename = "plate")]
    pub(super) old_region: Option<String>,
    /// The algorithm that signs tokens: ES256, EdDSA or RS256 [default: ES256]
    #[arg(long, env = "GATEWRIGHT_ALGORITHM")]
    pub(super) algorithm: Option<String>,
    /// Days after which the signing key is rotated; 0 for never [default: 90]
    #[arg(long, env = "GATEWRIGHT_KEY_DAYS")]
    pub(super) key_days: Option<u32>,
    /// The folder with the declarations of products and of guarded APIs
    #[arg(long, env = "GATEWRIGHT_PRODUCTS", value_name = "FOLDER")]
    pub(super) products: Option<PathBuf>,
    /// Include OVHcloud's products in the catalogue [default: true]
    #[arg(long, env = "GATEWRIGHT_BUILT_IN_PRODUCTS")]
    pub(super) built_in_products: Option<bool>,
    /// The only accounts that may register resources [default: each its own]
    #[arg(long, env = "GATEWRIGHT_REGISTRARS", value_delimiter = ',')]
    pub(super) registrars: Option<Vec<String>>,
    /// Let only those who may do everything in their account give rights [default: false]
    #[arg(long, env = "GATEWRIGHT_ONLY_ADMINISTRATORS_GRANT")]
    pub(super) only_administrators_grant: Option<bool>,
    /// The proxies whose X-Forwarded-For is trusted, or none; must be set where the public URL is https
    #[arg(long, env = "GATEWRIGHT_TRUSTED_PROXIES", value_delimiter = ',')]
    pub(super) trusted_proxies: Option<Vec<TrustedProxy>>,
    /// The limit of policies per account [default: 100000]
    #[arg(long, env = "GATEWRIGHT_MAX_POLICIES")]
    pub(super) max_policies: Option<usize>,
    /// The limit of service accounts per account [default: 1000000]
    #[arg(long, env = "GATEWRIGHT_MAX_CLIENTS")]
    pub(super) max_clients: Option<usize>,
    /// The limit of users per account [default: 10000]
    #[arg(long, env = "GATEWRIGHT_MAX_USERS")]
    pub(super) max_users: Option<usize>,
    /// The limit of groups of users per account [default: 1000]
    #[arg(long, env = "GATEWRIGHT_MAX_GROUPS")]
    pub(super) max_groups: Option<usize>,
    /// The limit of registered resources per account [default: 200000]
    #[arg(long, env = "GATEWRIGHT_MAX_RESOURCES")]
    pub(super) max_resources: Option<usize>,
    /// The limit of resource groups per account [default: 10000]
    #[arg(long, env = "GATEWRIGHT_MAX_RESOURCE_GROUPS")]
    pub(super) max_resource_groups: Option<usize>,
    /// The limit of permissions groups per account [default: 1000]
    #[arg(long, env = "GATEWRIGHT_MAX_PERMISSIONS_GROUPS")]
    pub(super) max_permissions_groups: Option<usize>,
    /// The limit of entries per list in a request [default: 5000]
    #[arg(long, env = "GATEWRIGHT_MAX_ENTRIES")]
    pub(super) max_entries: Option<usize>,
    /// The limit of idempotency keys per account within 24 hours [default: 10000]
    #[arg(long, env = "GATEWRIGHT_MAX_IDEMPOTENCY_KEYS")]
    pub(super) max_idempotency_keys: Option<usize>,
    /// The rate limit of token requests, per second and client; 0 for none [default: 10000]
    #[arg(long, env = "GATEWRIGHT_RATE_TOKENS")]
    pub(super) rate_tokens: Option<u32>,
    /// The rate limit of decisions, per second and credential; 0 for none [default: 100000]
    #[arg(long, env = "GATEWRIGHT_RATE_DECISIONS")]
    pub(super) rate_decisions: Option<u32>,
    /// The rate limit of reads, per second and credential; 0 for none [default: 5000]
    #[arg(long, env = "GATEWRIGHT_RATE_READS")]
    pub(super) rate_reads: Option<u32>,
    /// The rate limit of changes, per second and credential; 0 for none [default: 1000]
    #[arg(long, env = "GATEWRIGHT_RATE_WRITES")]
    pub(super) rate_writes: Option<u32>,
    /// The rate limit of requests without credentials, per second and network; 0 for none
    /// [default: 1000]
    #[arg(long, env = "GATEWRIGHT_RATE_ANONYMOUS")]
    pub(super) rate_anonymous: Option<u32>,
    /// The rate limit of wrong credentials, per second and network; 0 for none [default: 10]
    #[arg(long, env = "GATEWRIGHT_RATE_FAILURES")]
    pub(super) rate_failures: Option<u32>,
    /// The rate limit of what a caller adds to the journal, in KiB per second; 0 for none [default: 64]
    #[arg(long, env = "GATEWRIGHT_RATE_JOURNAL", value_name = "KIB")]
    pub(super) rate_journal: Option<u32>,
    /// The limit of bytes in the lists of a policy or a permissions group [default: 1048576]
    #[arg(long, env = "GATEWRIGHT_MAX_POLICY_BYTES")]
    pub(super) max_policy_bytes: Option<usize>,
    /// The limit of bytes of all policies of an account in memory [default: 268435456]
    #[arg(long, env = "GATEWRIGHT_MAX_ACCOUNT_POLICY_BYTES")]
    pub(super) max_account_policy_bytes: Option<usize>,
    /// The limit of the cost of a decision by the policies of one caller [default: 50000]
    #[arg(long, env = "GATEWRIGHT_MAX_DECISION_COST")]
    pub(super) max_decision_cost: Option<u64>,
    /// The limit of the cost of the decisions of one request [default: 500000000]
    #[arg(long, env = "GATEWRIGHT_MAX_REQUEST_COST")]
    pub(super) max_request_cost: Option<u64>,
    /// The limit of accounts cached in memory [default: 1000]
    #[arg(long, env = "GATEWRIGHT_ACCOUNTS_IN_MEMORY")]
    pub(super) accounts_in_memory: Option<usize>,
    /// Seconds within which the database must answer a statement [default: 4]
    #[arg(long, env = "GATEWRIGHT_DATABASE_TIMEOUT", value_name = "SECONDS")]
    pub(super) database_timeout: Option<u64>,
    /// The limit of connections of clients [default: 10000]
    #[arg(long, env = "GATEWRIGHT_MAX_CONNECTIONS")]
    pub(super) max_connections: Option<usize>,
    /// The limit of connections per client address, trusted proxies excepted [default: 500]
    #[arg(long, env = "GATEWRIGHT_MAX_CONNECTIONS_PER_ADDRESS")]
    pub(super) max_connections_per_address: Option<usize>,
    /// The limit of all bodies of requests in memory, in MiB [default: 64]
    #[arg(long, env = "GATEWRIGHT_MAX_BODY_MEMORY", value_name = "MIB")]
    pub(super) max_body_memory: Option<usize>,
    /// The limit of all responses in memory that are not small, in MiB [default: 256]
    #[arg(long, env = "GATEWRIGHT_MAX_RESPONSE_MEMORY", value_name = "MIB")]
    pub(super) max_response_memory: Option<usize>,
    /// Seconds within which a client must send the head of a request [default: 10]
    #[arg(long, env = "GATEWRIGHT_HEADER_TIMEOUT", value_name = "SECONDS")]
    pub(super) header_timeout: Option<u64>,
    /// Seconds within which a client must send the body of a request [default: 30]
    #[arg(long, env = "GATEWRIGHT_BODY_TIMEOUT", value_name = "SECONDS")]
    pub(super) body_timeout: Option<u64>,
    /// Seconds after which a connection without a request is closed [default: 75]
    #[arg(long, env = "GATEWRIGHT_IDLE_TIMEOUT", value_name = "SECONDS")]
    pub(super) idle_timeout: Option<u64>,
    /// Seconds within which a client must take more of a response [default: 30]
    #[arg(long, env = "GATEWRIGHT_WRITE_TIMEOUT", value_name = "SECONDS")]
    pub(super) write_timeout: Option<u64>,
    /// Days after which logs of tokens, decisions and calls are deleted [default: 30]
    #[arg(long, env = "GATEWRIGHT_LOG_DAYS")]
    pub(super) log_days: Option<u32>,
    /// The limit of each log of an account in the database, in MiB [default: 4096]
    #[arg(long, env = "GATEWRIGHT_MAX_LOG_SIZE", value_name = "MIB")]
    pub(super) max_log_size: Option<u32>,
    /// The limit of all logs in the database, in MiB [default: 16384]
    #[arg(long, env = "GATEWRIGHT_MAX_TOTAL_LOG_SIZE", value_name = "MIB")]
    pub(super) max_total_log_size: Option<u32>,
    /// The room kept on the disk of a SQLite database for deletions and the like when it is full, in MiB; 0
    /// for none [default: 32]
    #[arg(long, env = "GATEWRIGHT_DISK_RESERVE", value_name = "MIB")]
    pub(super) disk_reserve: Option<u32>,
    /// The log level or filter, as in info or warn [default: info]
    #[arg(long, env = "GATEWRIGHT_LOG")]
    pub(super) log: Option<String>,
    /// The log format: text or json [default: json]
    #[arg(long, env = "GATEWRIGHT_LOG_FORMAT")]
    pub(super) log_format: Option<String>,
}

/// Lets the arguments that take numbers say what they must be, of negative ones too, which would count
/// as flags.
fn with_counts(argument: Arg) -> Arg {
    let number = argument.get_value_parser().type_id();
    let parser = if number == TypeId::of::<u32>() {
        ValueParser::new(count::<u32>)
    } else if number == TypeId::of::<u64>() {
        ValueParser::new(count::<u64>)
    } else if number == TypeId::of::<usize>() {
        ValueParser::new(count::<usize>)
    } else {
        return argument;
    };
    argument.value_parser(parser).allow_negative_numbers(true)
}

fn count<N: FromStr + Clone + Send + Sync + 'static>(text: &str) -> Result<N, String> {
    text.parse().map_err(|_| format!("it must be {COUNT}"))
}

/// Builds options of those that take precedence and of others. The compiler asks for each field.
macro_rules! first_given {
    ($options:ident, $others:ident; $($field:ident),* $(,)?) => {
        Self { $($field: $options.$field.or($others.$field)),* }
    };
}

impl Options {
    /// Returns the settings that were given, as a JSON object, without where secrets are.
    pub(super) fn shown(&self) -> String {
        let public = Self { database: None, master_key: None, ..self.clone() };
        let mut shown = serde_json::to_value(public).unwrap_or_default();
        if let Some(settings) = shown.as_object_mut() {
            settings.retain(|_, value| !value.is_null());
        }
        shown.to_string()
    }

    /// Moves values that were given by old names to the new ones; returns the old names that were
    /// used.
    pub(super) fn rename(&mut self) -> Result<Vec<Renamed>, Failure> {
        let all = [Renamed { old: "plate", new: "region" }
            .move_value(self.old_region.take(), &mut self.region)?];
        Ok(all.into_iter().flatten().collect())
    }

    /// Fills in the settings that only the file has.
    pub(super) fn with_defaults_of(self, file: Self) -> Self {
        first_given!(
            self, file;
            database,
            master_key,
            listen,
            operations_listen,
            ext_authz_listen,
            public_url,
            region,
            old_region,
            algorithm,
            key_days,
            products,
            built_in_products,
            registrars,
            only_administrators_grant,
            trusted_proxies,
            max_policies,
            max_clients,
            max_users,
            max_groups,
            max_resources,
            max_resource_groups,
            max_permissions_groups,
            max_entries,
            max_idempotency_keys,
            rate_tokens,
            rate_decisions,
            rate_reads,
            rate_writes,
            rate_anonymous,
            rate_failures,
            rate_journal,
            max_policy_bytes,
            max_account_policy_bytes,
            max_decision_cost,
            max_request_cost,
            accounts_in_memory,
            database_timeout,
            max_connections,
            max_connections_per_address,
            max_body_memory,
            max_response_memory,
            header_timeout,
            body_timeout,
            idle_timeout,
            write_timeout,
            log_days,
            max_log_size,
            max_total_log_size,
            disk_reserve,
            log,
            log_format,
        )
    }
}

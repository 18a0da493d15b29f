//! The limits among the settings: their values, and what these may be.

use std::time::Duration;

use gatewright_iam::limits::BODY_BYTES;
use gatewright_iam::{Limits, LogSizes, Rates};

use super::options::Options;
use super::timeouts::Timeouts;
use crate::error::Failure;

/// The memory for the bodies of requests, in MiB.
pub(super) const BODY_MEMORY: usize = 64;

/// The memory for responses that are not small, in MiB.
pub(super) const RESPONSE_MEMORY: usize = 256;

/// The bytes of a MiB.
pub(super) const MIB: usize = 1 << 20;

impl Options {
    /// Builds the limits of the time that a client may let the server wait.
    pub(super) fn timeouts(&self) -> Result<Timeouts, Failure> {
        let defaults = Timeouts::default();
        let idle = seconds("--idle-timeout", self.idle_timeout, defaults.idle)?;
        Ok(Timeouts {
            header: seconds("--header-timeout", self.header_timeout, defaults.header)?,
            body: seconds("--body-timeout", self.body_timeout, defaults.body)?,
            idle,
            proxy_idle: idle.max(defaults.proxy_idle),
            write: seconds("--write-timeout", self.write_timeout, defaults.write)?,
        })
    }

    /// Builds the limits of an account.
    pub(super) fn limits(&self, defaults: &Limits) -> Result<Limits, Failure> {
        Ok(Limits {
            policies: positive("--max-policies", self.max_policies, defaults.policies)?,
            clients: positive("--max-clients", self.max_clients, defaults.clients)?,
            users: positive("--max-users", self.max_users, defaults.users)?,
            groups: positive("--max-groups", self.max_groups, defaults.groups)?,
            resources: positive("--max-resources", self.max_resources, defaults.resources)?,
            resource_groups: positive(
                "--max-resource-groups",
                self.max_resource_groups,
                defaults.resource_groups,
            )?,
            permissions_groups: positive(
                "--max-permissions-groups",
                self.max_permissions_groups,
                defaults.permissions_groups,
            )?,
            entries: positive("--max-entries", self.max_entries, defaults.entries)?,
            // Without any, nobody can use them.
            idempotency_keys: self.max_idempotency_keys.unwrap_or(defaults.idempotency_keys),
            policy_bytes: positive(
                "--max-policy-bytes",
                self.max_policy_bytes,
                defaults.policy_bytes,
            )?,
            account_policy_bytes: positive(
                "--max-account-policy-bytes",
                self.max_account_policy_bytes,
                defaults.account_policy_bytes,
            )?,
            decision_cost: positive(
                "--max-decision-cost",
                self.max_decision_cost,
                defaults.decision_cost,
            )?,
            request_cost: positive(
                "--max-request-cost",
                self.max_request_cost,
                defaults.request_cost,
            )?,
        })
    }

    /// Builds the limits of rates; 0 is none.
    pub(super) fn rates(&self, defaults: &Rates) -> Rates {
        Rates {
            tokens: self.rate_tokens.unwrap_or(defaults.tokens),
            decisions: self.rate_decisions.unwrap_or(defaults.decisions),
            reads: self.rate_reads.unwrap_or(defaults.reads),
            writes: self.rate_writes.unwrap_or(defaults.writes),
            anonymous: self.rate_anonymous.unwrap_or(defaults.anonymous),
            failures: self.rate_failures.unwrap_or(defaults.failures),
            journal: self.rate_journal.unwrap_or(defaults.journal),
        }
    }

    /// Builds the sizes of logs, in bytes; the settings are in MiB.
    pub(super) fn log_sizes(&self, defaults: &LogSizes) -> Result<LogSizes, Failure> {
        let bytes = |name, given: Option<u32>, default| match given {
            None => Ok(default),
            Some(mib) => positive(name, Some(mib), mib).map(|mib| i64::from(mib) << 20),
        };
        Ok(LogSizes {
            each: bytes("--max-log-size", self.max_log_size, defaults.each)?,
            all: bytes("--max-total-log-size", self.max_total_log_size, defaults.all)?,
        })
    }
}

/// Checks a number that may not be 0.
pub(super) fn positive<N: Copy + PartialEq + From<bool>>(
    name: &'static str,
    given: Option<N>,
    default: N,
) -> Result<N, Failure> {
    match given {
        Some(number) if number == N::from(false) => {
            Err(Failure::setting(name)("0 is not at least 1".to_owned()))
        }
        given => Ok(given.unwrap_or(default)),
    }
}

/// Checks a limit of time: from a second to a day.
pub(super) fn seconds(
    name: &'static str,
    given: Option<u64>,
    default: Duration,
) -> Result<Duration, Failure> {
    match given {
        None => Ok(default),
        Some(seconds @ 1..=86_400) => Ok(Duration::from_secs(seconds)),
        Some(other) => Err(Failure::setting(name)(format!("{other} is not from 1 to 86400"))),
    }
}

/// Checks the memory for bodies or for responses, in MiB, half of which must hold a body of the maximum
/// size; returns it in bytes.
pub(super) fn memory(
    name: &'static str,
    given: Option<usize>,
    default: usize,
) -> Result<usize, Failure> {
    let least = 2 * BODY_BYTES / MIB;
    match given.unwrap_or(default) {
        few if few < least => Err(Failure::setting(name)(format!("{few} is not at least {least}"))),
        enough => Ok(enough.saturating_mul(MIB)),
    }
}

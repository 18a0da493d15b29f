//! Limits the rates of requests, by the generic cell rate algorithm.
//!
//! Invariants:
//! - A credential that is right is never limited by the failures of others: failures have limits of
//!   their own, which are asked only once a credential was found to be wrong.
//! - What ends something is never limited.
//! - The classes that are answered from memory take their cells in advance, several at once and per
//!   thread, so that threads do not meet at a counter for each request.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use foldhash::quality::RandomState;
use gatewright_policy::{AccountName, ClientId};
use tokio::task::JoinHandle;

use crate::engine::rate_limit::{Limit, WINDOW};
use crate::engine::refusal_log::{RefusalLog, Refused};
use crate::model::caller::Principal;
use crate::model::error::IamError;
use crate::model::network::Network;
use crate::model::rate::{JOURNAL, RateLimit, Rates, RequestClass};
use crate::sources::Sources;

/// The number of networks whose worth of failures an IPv6 /48 may have.
const NETWORKS_OF_SITE: u32 = 10;

/// Interval at which keys are forgotten.
const CLEAN_UP_INTERVAL: Duration = Duration::from_secs(10);

/// The number of credentials whose worth of requests an account may make.
const CREDENTIALS_OF_ACCOUNT: u32 = 10;

/// The number of seconds whose growth of a journal may come at once: an account is set up in one go.
const JOURNAL_WINDOW: u32 = 1_024;

/// The bytes of a cell by which a journal grows.
const JOURNAL_CELL: usize = 1_024;

/// The number of callers whose worth of growth the journal of an account may have.
const CALLERS_OF_JOURNAL: u32 = 4;

/// The limits of a class: those of a credential, and of its account.
struct Pair {
    credential: Limit,
    account: Limit,
}

/// The limits of the rates of requests.
pub(crate) struct RateLimits {
    tokens: Pair,
    decisions: Pair,
    reads: Pair,
    writes: Pair,
    anonymous: Limit,
    /// Wrong credentials by network, by IPv6 /48, and by client and network.
    failures: Limit,
    site_failures: Limit,
    client_failures: Limit,
    /// The growth of journals, by caller and by account.
    journal: Pair,
    /// The callers and accounts who made a journal grow too fast, with the time until which they are refused
    /// changes.
    grown: Mutex<HashMap<u64, Duration>>,
    refusals: RefusalLog,
    sources: Sources,
    hasher: RandomState,
}

impl RateLimits {
    pub(crate) fn new(rates: &Rates, sources: &Sources) -> Self {
        let limit = |name, rate| Limit::new(name, rate, WINDOW, sources);
        let pair = |[credential, account]: [&'static str; 2], rate: u32| Pair {
            credential: limit(credential, rate),
            account: limit(account, rate.saturating_mul(CREDENTIALS_OF_ACCOUNT)),
        };
        let journal = |times| {
            Limit::new(JOURNAL, rates.journal.saturating_mul(times), JOURNAL_WINDOW, sources)
        };
        let client_failures = rates.failures.div_ceil(10);
        let site_failures = rates.failures.saturating_mul(NETWORKS_OF_SITE);
        Self {
            tokens: pair(["tokens-per-client", "tokens-per-account"], rates.tokens),
            decisions: pair(["decisions-per-credential", "decisions-per-account"], rates.decisions),
            reads: pair(["reads-per-credential", "reads-per-account"], rates.reads),
            writes: pair(["writes-per-credential", "writes-per-account"], rates.writes),
            anonymous: limit("anonymous-per-network", rates.anonymous),
            failures: limit("failures-per-network", rates.failures),
            site_failures: limit("failures-per-site", site_failures),
            client_failures: limit("failures-per-client", client_failures),
            journal: Pair { credential: journal(1), account: journal(CALLERS_OF_JOURNAL) },
            grown: Mutex::default(),
            refusals: RefusalLog::default(),
            sources: sources.clone(),
            hasher: RandomState::default(),
        }
    }

    /// Admits a request for a decision, or introspection, from memory.
    pub(crate) fn admit_decision(&self, principal: &Principal) -> Result<(), IamError> {
        self.decisions
            .lease(self.keys(principal))
            .map_err(|limit| self.refuse_caller(limit, principal))
    }

    /// Admits a token request of a client whose secret is right.
    pub(crate) fn admit_token_request(&self, client: &Principal) -> Result<(), IamError> {
        self.tokens.lease(self.keys(client)).map_err(|limit| self.refuse_caller(limit, client))
    }

    /// Admits a request of an authenticated caller; returns the state of the limit that is nearest,
    /// if there is one.
    pub(crate) fn admit(
        &self,
        class: RequestClass,
        principal: &Principal,
    ) -> Result<Option<RateLimit>, IamError> {
        let pair = match class {
            RequestClass::Decisions => {
                return self.admit_decision(principal).map(|()| None);
            }
            RequestClass::Reads => &self.reads,
            RequestClass::Writes => &self.writes,
            RequestClass::Revocations => return Ok(None),
        };
        let (credential, account) = self.keys(principal);
        // What the account's limit refuses has used a cell of the credential, which is its own loss.
        let refuse = |limit| self.refuse_caller(limit, principal);
        let credential = pair.credential.admit(credential).map_err(refuse)?;
        let account = pair.account.admit(account).map_err(refuse)?;
        let nearest = [credential, account].into_iter().flatten().min_by_key(|one| one.remaining);
        Ok(nearest)
    }

    fn grown(&self) -> MutexGuard<'_, HashMap<u64, Duration>> {
        self.grown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Admits a change, unless the caller, or all of the account together, have made its journal grow too
    /// fast.
    pub(crate) fn admit_growth(&self, principal: &Principal) -> Result<(), IamError> {
        let (urn, account) = (principal.identity.urn(), principal.account().as_str());
        let now = self.sources.monotonic();
        for (limit, name) in [(&self.journal.credential, urn), (&self.journal.account, account)] {
            let until = self.grown().get(&self.key(name)).copied();
            if let Some(wait) = until.and_then(|until| until.checked_sub(now)) {
                return Err(self.refuse_caller(limit.refuse(wait), principal));
            }
        }
        Ok(())
    }

    /// Counts the bytes that a caller has added to the journal of an account, which is never deleted.
    pub(crate) fn count_growth(&self, account: &AccountName, caller: &str, bytes: usize) {
        let cells = u32::try_from(bytes / JOURNAL_CELL + 1).unwrap_or(u32::MAX);
        let now = self.sources.monotonic();
        let Pair { credential: of_caller, account: of_account } = &self.journal;
        for (limit, name) in [(of_caller, caller), (of_account, account.as_str())] {
            let key = self.key(name);
            if let Err(wait) = limit.take(key, cells) {
                self.grown().insert(key, now.saturating_add(wait));
            }
        }
    }

    /// Admits a request without credentials.
    pub(crate) fn admit_anonymous(&self, from: Option<IpAddr>) -> Result<(), IamError> {
        let admitted = self.anonymous.admit(self.network(from)).map(drop);
        admitted.map_err(|limit| self.refuse_network(limit, from))
    }

    /// Counts a wrong credential; fails where there were too many from the network.
    pub(crate) fn count_failure(&self, from: Option<IpAddr>) -> Result<(), IamError> {
        let refuse = |limit| self.refuse_network(limit, from);
        self.failures.admit(self.network(from)).map_err(refuse)?;
        if let Some(site) = from.and_then(Network::site_of) {
            let site = self.hasher.hash_one(site);
            self.site_failures.admit(site).map_err(refuse)?;
        }
        Ok(())
    }

    /// Counts a wrong secret of a client; fails where there were too many for the client from the
    /// network, or from the network.
    pub(crate) fn count_client_failure(
        &self,
        client: &ClientId,
        from: Option<IpAddr>,
    ) -> Result<(), IamError> {
        self.count_failure(from)?;
        let network = self.network(from);
        let key = self.key(client.as_str()) ^ network.rotate_left(1);
        let admitted = self.client_failures.admit(key).map(drop);
        admitted.map_err(|limit| self.refuse_network(limit, from))
    }

    /// Starts the task that forgets keys, until it is aborted.
    pub(crate) fn run(self: &Arc<Self>) -> JoinHandle<()> {
        let limits = Arc::clone(self);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(CLEAN_UP_INTERVAL).await;
                limits.clean_up();
            }
        })
    }

    /// Forgets the keys that have all their cells again.
    fn clean_up(&self) {
        let Self { tokens, decisions, reads, writes, journal, anonymous, .. } = self;
        for Pair { credential, account } in [tokens, decisions, reads, writes, journal] {
            credential.clean_up();
            account.clean_up();
        }
        let Self { failures, site_failures, client_failures, .. } = self;
        for limit in [anonymous, failures, site_failures, client_failures] {
            limit.clean_up();
        }
        let now = self.sources.monotonic();
        self.grown().retain(|_, until| *until > now);
        self.refusals.clean_up(now);
    }

    fn refuse_caller(&self, limit: RateLimit, caller: &Principal) -> IamError {
        self.refuse(limit, &Refused::Account(caller.account().clone()))
    }

    fn refuse_network(&self, limit: RateLimit, from: Option<IpAddr>) -> IamError {
        self.refuse(limit, &Refused::at(from))
    }

    fn refuse(&self, limit: RateLimit, refused: &Refused) -> IamError {
        self.refusals.note(limit.name, refused, self.sources.monotonic());
        IamError::RateLimited(limit)
    }

    fn keys(&self, principal: &Principal) -> (u64, u64) {
        (principal.caller.identity_hash(), self.key(principal.account().as_str()))
    }

    fn key(&self, text: &str) -> u64 {
        self.hasher.hash_one(text)
    }

    fn network(&self, from: Option<IpAddr>) -> u64 {
        self.hasher.hash_one(from.map(Network::of))
    }
}

impl Pair {
    fn lease(&self, (credential, account): (u64, u64)) -> Result<(), RateLimit> {
        self.credential.lease(credential)?;
        self.account.lease(account)
    }
}

//! Rates of requests: their classes, and the refusal of those beyond a limit.

/// The class of a request, whose rate is limited apart from the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestClass {
    /// Requests for decisions, which are answered from memory.
    Decisions,
    /// Requests that read from the database.
    Reads,
    /// Requests that change something.
    Writes,
    /// Requests that end something: they delete, disable, revoke or sign out. They are never limited,
    /// so that what must stop can be stopped.
    Revocations,
}

/// The name of the limits on the growth of journals.
pub(crate) const JOURNAL: &str = "journal";

/// The limits of rates, in requests per second unless stated otherwise; 0 for none. Ten seconds' worth may
/// come at once. An account may do ten times as much as each of its credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rates {
    /// Token requests of a client.
    pub tokens: u32,
    /// Requests for decisions of a credential.
    pub decisions: u32,
    /// Reading requests of a credential.
    pub reads: u32,
    /// Changes by a credential.
    pub writes: u32,
    /// Requests without credentials from a network.
    pub anonymous: u32,
    /// Wrong credentials from a network; for one client, a tenth of it.
    pub failures: u32,
    /// The growth of the journal by the changes of a caller, in KiB per second; 1,024 seconds' worth may come at
    /// once. Those of an account may make it grow four times as fast.
    pub journal: u32,
}

impl Rates {
    /// No limits.
    pub const UNLIMITED: Self = Self {
        tokens: 0,
        decisions: 0,
        reads: 0,
        writes: 0,
        anonymous: 0,
        failures: 0,
        journal: 0,
    };
}

impl Default for Rates {
    fn default() -> Self {
        Self {
            tokens: 10_000,
            decisions: 100_000,
            reads: 5_000,
            writes: 1_000,
            anonymous: 1_000,
            failures: 10,
            journal: 64,
        }
    }
}

/// The state of a limit, as a client is told (draft-ietf-httpapi-ratelimit-headers).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// The name of the limit.
    pub name: &'static str,
    /// The number of requests in a window.
    pub quota: u32,
    /// The window, in seconds.
    pub window: u32,
    /// The number of requests that are left.
    pub remaining: u32,
    /// The time until the next request is allowed, or until the whole quota is there again, in
    /// seconds.
    pub seconds: u64,
}

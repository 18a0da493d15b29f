//! The state that is kept in memory between requests, and the tasks that run beside them.

pub(crate) mod background_tasks;
pub(crate) mod claims;
pub(crate) mod concurrency_limit;
mod current;
pub(crate) mod follow;
mod freshness;
pub(crate) mod hash_queue;
pub(crate) mod held;
pub(crate) mod key;
pub(crate) mod keyed_semaphores;
pub(crate) mod keyring;
pub(crate) mod live_catalogue;
pub(crate) mod lookups;
pub(crate) mod objects;
mod rate_limit;
pub(crate) mod rate_limits;
pub(crate) mod recorder;
pub(crate) mod relying_party;
mod renewal;
pub(crate) mod revocation_watch;
pub(crate) mod sign_in_attempts;
pub(crate) mod throttle;
pub(crate) mod tokens;
pub(crate) mod vault;
pub(crate) mod view;
pub(crate) mod views;
pub(crate) mod weight;

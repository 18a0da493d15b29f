//! Tells which revocations of tokens may be deleted.
//!
//! A revocation that is deleted while its token could be valid again is a wrong "allowed", and the clocks
//! of all nodes would have to be right to exclude that. So a node deletes only what it has itself known
//! for longer than a token lives, by its monotonic clock, and what expired long ago by the other one.

use std::sync::Arc;
use std::time::Duration;

use gatewright_policy::{AccountName, Instant, TokenId};
use imbl::OrdSet;
use quick_cache::sync::Cache;

use crate::engine::view::View;
use crate::sources::TRUSTED_AFTER;

/// The time that a token must have been expired, by the clock.
pub(crate) const MARGIN: Duration = Duration::from_hours(24);

/// The number of accounts whose revocations are remembered.
pub(crate) const ACCOUNTS: usize = 10_000;

/// The revocations of an account that were known at a time of the monotonic clock, less those that were
/// deleted since.
struct Watched {
    since: Duration,
    revoked: OrdSet<(Instant, Box<str>)>,
}

/// The revocations that this process has known for some time, by account.
pub(crate) struct RevocationWatch(Cache<AccountName, Arc<Watched>>);

impl RevocationWatch {
    pub(crate) fn new() -> Self {
        Self(Cache::new(ACCOUNTS))
    }

    /// Returns up to `most` revocations of an account to delete, which this counts as done. Without a
    /// settled time there are none.
    pub(crate) fn take_deletable(
        &self,
        view: &View,
        (settled, monotonic): (Option<Instant>, Duration),
        most: usize,
    ) -> Vec<TokenId> {
        let account = view.account();
        let known = self.0.get(account);
        let held = known.filter(|known| monotonic >= known.since.saturating_add(TRUSTED_AFTER));
        let mut deletable = Vec::new();
        if let (Some(known), Some(settled)) = (&held, settled) {
            let is_old = |(expires, _): &&(_, _)| is_long_over(*expires, settled);
            deletable.extend(known.revoked.iter().take_while(is_old).take(most).cloned());
        }
        match held {
            Some(known) if !deletable.is_empty() => {
                let mut revoked = known.revoked.clone();
                for one in &deletable {
                    revoked.remove(one);
                }
                self.0.insert(account.clone(), Arc::new(Watched { since: known.since, revoked }));
            }
            // What came since then is waited for in its turn.
            Some(_) => self.remember(view, monotonic),
            None if self.0.get(account).is_none() => self.remember(view, monotonic),
            None => {}
        }
        let tokens = deletable.into_iter().map(|(_, token)| TokenId::new(token));
        // Another node may have deleted it.
        tokens.filter(|token| view.is_revoked(token)).collect()
    }

    fn remember(&self, view: &View, monotonic: Duration) {
        let known = Watched { since: monotonic, revoked: view.revoked_in_order.clone() };
        self.0.insert(view.account().clone(), Arc::new(known));
    }
}

/// Returns whether a token is over, whatever the clocks of the nodes show.
pub(crate) fn is_long_over(expires: Instant, settled: Instant) -> bool {
    expires.saturating_add(MARGIN) < settled
}

//! Records who calls in the tracing span of the request.

use gatewright_policy::AccountName;
use tracing::Span;

/// Records the account of the caller in the current span, as soon as it is authenticated. A span
/// that is disabled, or has no such field, stays as it is.
pub(crate) fn record_account(account: &AccountName) {
    Span::current().record("account", account.as_str());
}

//! Unused service accounts.

use std::time::Duration;

/// Time without use after which a service account counts as unused: 90 days.
pub(super) const UNUSED_AFTER: Duration = Duration::from_hours(90 * 24);

//! Service accounts that nobody uses.

use std::time::Duration;

/// Time after which a service account that was not used is displayed as unused: 90 days.
pub(super) const UNUSED_AFTER: Duration = Duration::from_hours(90 * 24);

//! The clock of the machine.

use jiff::Timestamp;

pub use crate::model::instant::{parse, text};

/// The instant that the clock of the machine shows: microseconds since 1970, UTC.
pub fn now() -> i64 {
    Timestamp::now().as_microsecond()
}

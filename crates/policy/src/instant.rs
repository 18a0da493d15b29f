//! Instants: points in time, in UTC, to the microsecond.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_HOUR: i64 = 3_600 * MICROS_PER_SECOND;

/// A point in time.
///
/// Documents, rows and facts store it as a number, microseconds since 1970 in UTC; people and other
/// programs read it as RFC 3339, which is how it displays. There is no `now`: the clock is read at
/// the beginning of an operation, and passed in.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Instant(i64);

impl Instant {
    /// The beginning of 1970.
    pub const EPOCH: Self = Self(0);
    /// Before every other instant.
    pub const MIN: Self = Self(i64::MIN);
    /// After every other instant.
    pub const MAX: Self = Self(i64::MAX);

    /// Creates an instant from microseconds since [`Instant::EPOCH`].
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Creates an instant from seconds since [`Instant::EPOCH`], the dates of tokens (RFC 7519,
    /// section 2).
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(MICROS_PER_SECOND))
    }

    /// Creates an instant from hours since [`Instant::EPOCH`].
    pub const fn from_hours(hours: i64) -> Self {
        Self(hours.saturating_mul(MICROS_PER_HOUR))
    }

    /// Returns the microseconds since [`Instant::EPOCH`].
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Returns the whole seconds since [`Instant::EPOCH`].
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(MICROS_PER_SECOND)
    }

    /// Returns the whole hours since [`Instant::EPOCH`].
    pub const fn hours(self) -> i64 {
        self.0.div_euclid(MICROS_PER_HOUR)
    }

    /// Adds a duration; none on overflow.
    pub fn checked_add(self, duration: Duration) -> Option<Self> {
        i64::try_from(duration.as_micros()).ok()?.checked_add(self.0).map(Self)
    }

    /// Adds a duration, up to [`Instant::MAX`].
    #[must_use]
    pub fn saturating_add(self, duration: Duration) -> Self {
        self.checked_add(duration).unwrap_or(Self::MAX)
    }

    /// Subtracts a duration, down to [`Instant::MIN`].
    #[must_use]
    pub fn saturating_sub(self, duration: Duration) -> Self {
        let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        Self(self.0.saturating_sub(micros))
    }

    /// Returns the time since an earlier instant; none if that is later.
    pub fn since(self, earlier: Self) -> Option<Duration> {
        let micros = i128::from(self.0) - i128::from(earlier.0);
        u64::try_from(micros).ok().map(Duration::from_micros)
    }

    /// Returns whether the instant has a date in RFC 3339, whose years have four digits.
    pub fn has_date(self) -> bool {
        Timestamp::from_microsecond(self.0).is_ok()
    }

    /// Parses RFC 3339, with any offset.
    pub fn parse(text: &str) -> Option<Self> {
        // jiff also accepts a space instead of the T, and a zone in brackets, which are not RFC
        // 3339.
        let plain = text.bytes().all(|b| b.is_ascii_digit() || b"-+:.TtZz".contains(&b));
        let instant = plain.then(|| text.parse::<Timestamp>().ok()).flatten()?;
        Some(Self(instant.as_microsecond()))
    }

    /// Converts the instant to jiff's type; none if it has no date there.
    pub(crate) fn timestamp(self) -> Option<Timestamp> {
        Timestamp::from_microsecond(self.0).ok()
    }
}

/// Displays RFC 3339, always with six digits of a second, so that each instant has one text. An
/// instant beyond the range displays as the first or the last date.
impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nearest = if self.0 < 0 { Timestamp::MIN } else { Timestamp::MAX };
        let instant = self.timestamp().unwrap_or(nearest);
        write!(f, "{}", instant.strftime("%Y-%m-%dT%H:%M:%S.%6fZ"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_read_as_it_was_written() {
        assert_eq!(Instant::EPOCH.to_string(), "1970-01-01T00:00:00.000000Z");
        for micros in [0, 1, 1_700_000_000_123_456] {
            let instant = Instant::from_micros(micros);
            assert_eq!(Instant::parse(&instant.to_string()), Some(instant));
            assert_eq!(serde_json::to_string(&instant).unwrap(), micros.to_string());
        }
        let parse = Instant::parse;
        assert_eq!(parse("2026-05-12T11:30:00+02:00"), parse("2026-05-12T09:30:00Z"));
        for wrong in ["", "tomorrow", "2026-05-12", "2026-13-01T00:00:00Z", "2026-05-12 09:30:00Z"]
        {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn arithmetic_ends_at_the_last_instant() {
        let (second, end) = (Duration::from_secs(1), Instant::MAX);
        assert_eq!(Instant::EPOCH.checked_add(second), Some(Instant::from_seconds(1)));
        assert_eq!(end.checked_add(second), None);
        assert_eq!(end.saturating_add(second), end);
        assert_eq!(Instant::MIN.saturating_sub(Duration::MAX), Instant::MIN);
        assert_eq!(Instant::from_seconds(3).since(Instant::from_seconds(2)), Some(second));
        assert_eq!(Instant::EPOCH.since(Instant::from_micros(1)), None);
        assert!(end.since(Instant::MIN).is_some());
    }

    #[test]
    fn what_has_no_date_displays_as_the_last_that_has_one() {
        assert!(!Instant::MAX.has_date());
        assert!(Instant::MAX.to_string().starts_with("9999-12-30T"));
        assert_eq!(Instant::from_micros(-1).hours(), -1);
    }
}

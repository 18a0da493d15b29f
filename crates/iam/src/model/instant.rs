//! Instants: microseconds since 1970, UTC, and RFC 3339 outside.

use jiff::Timestamp;

/// An instant as RFC 3339, always with six digits of a second, so that it never reads two ways.
pub fn text(instant: i64) -> String {
    let instant = Timestamp::from_microsecond(instant).unwrap_or_default();
    instant.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
}

/// Whether an instant can be said as a date.
pub(crate) fn is_sayable(instant: i64) -> bool {
    Timestamp::from_microsecond(instant).is_ok()
}

/// Reads RFC 3339, with any offset.
pub fn parse(text: &str) -> Option<i64> {
    // A space for the T and a zone in brackets, which the parser also takes, are not RFC 3339.
    let plain = text.bytes().all(|b| b.is_ascii_digit() || b"-+:.TtZz".contains(&b));
    plain.then(|| text.parse::<Timestamp>().ok()).flatten().map(Timestamp::as_microsecond)
}

pub(crate) const MICROSECONDS: i64 = 1_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_read_as_it_was_written() {
        assert_eq!(text(0), "1970-01-01T00:00:00.000000Z");
        for instant in [0, 1, 1_700_000_000_123_456] {
            assert_eq!(parse(&text(instant)), Some(instant));
        }
        assert_eq!(parse("2026-05-12T11:30:00+02:00"), parse("2026-05-12T09:30:00Z"));
        for wrong in ["", "tomorrow", "2026-05-12", "2026-13-01T00:00:00Z", "2026-05-12 09:30:00Z"]
        {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}

//! Errors of conditions.

/// Why a condition is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConditionError {
    /// Nested deeper than conditions may be.
    #[error("conditions may nest at most {0} deep")]
    TooDeep(usize),
    /// More pairs and inner conditions than a policy may have.
    #[error("conditions may hold at most {0} parts")]
    TooMany(usize),
    /// `MATCH` without a pair, `OR` or `NOT` without an inner condition.
    #[error("{0} needs at least one entry in \"{1}\"")]
    Empty(&'static str, &'static str),
    /// `MATCH` with inner conditions, or another operator with pairs.
    #[error("{0} takes no \"{1}\"")]
    Misplaced(&'static str, &'static str),
    /// The key names nothing that conditions know.
    #[error(
        "\"{0}\" is no condition key: use date(<time zone>).Date, date(<time zone>).Hour, \
         date(<time zone>).WeekDay, resource.Tag(<key>), resource.Name, resource.Type or request.IP"
    )]
    UnknownKey(String),
    /// The key exists, the suffix does not go with it.
    #[error("\"{key}\" ends in an operator that is none of {allowed}")]
    UnknownSuffix {
        /// The key as written.
        key: String,
        /// The operators that the key may end in.
        allowed: &'static str,
    },
    /// No such time zone.
    #[error("\"{0}\" is no IANA time zone")]
    UnknownTimeZone(String),
    /// The value is not what the key compares with.
    #[error("the value \"{value}\" of \"{key}\" must be {expected}")]
    BadValue {
        /// The key as written.
        key: String,
        /// The value as written.
        value: String,
        /// The expected type or format.
        expected: &'static str,
    },
}

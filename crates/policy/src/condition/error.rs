//! Errors of conditions.

/// The error of a condition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConditionError {
    /// Conditions nested too deeply.
    #[error("conditions may nest at most {0} deep")]
    TooDeep(usize),
    /// Too many pairs and inner conditions in a policy.
    #[error("conditions may hold at most {0} parts")]
    TooMany(usize),
    /// A `MATCH` without a pair, or an `OR` or `NOT` without an inner condition.
    #[error("{0} needs at least one entry in \"{1}\"")]
    Empty(&'static str, &'static str),
    /// A `MATCH` with inner conditions, or another operator with pairs.
    #[error("{0} takes no \"{1}\"")]
    Misplaced(&'static str, &'static str),
    /// An unknown key.
    #[error(
        "\"{0}\" is no condition key: use date(<time zone>).Date, date(<time zone>).Hour, \
         date(<time zone>).WeekDay, resource.Tag(<key>), resource.Name, resource.Type or request.IP"
    )]
    UnknownKey(String),
    /// A suffix that the key does not support.
    #[error("\"{key}\" ends in an operator that is none of {allowed}")]
    UnknownSuffix {
        /// The key as written.
        key: String,
        /// The suffixes that the key supports.
        allowed: &'static str,
    },
    /// An unknown time zone.
    #[error("\"{0}\" is no IANA time zone")]
    UnknownTimeZone(String),
    /// A value of the wrong type or format.
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

//! Query IDs: they identify a request in its response, in the log and in the journal.

use std::fmt;

use gatewright_policy::Region;
use uuid::Uuid;

/// A query ID, as in `EU.ext-0123…`. It stays a number until it is formatted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueryId(Option<(Region, u128)>);

impl QueryId {
    /// The query ID of the operator's commands.
    pub(crate) const OPERATOR: Self = Self(None);

    /// Creates the query ID of a region from a number.
    pub(crate) fn new(region: Region, number: u128) -> Self {
        Self(Some((region, number)))
    }
}

impl fmt::Display for QueryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((region, number)) = self.0 else { return f.write_str("operator") };
        let mut digits = Uuid::encode_buffer();
        let digits = Uuid::from_u128(number).simple().encode_lower(&mut digits);
        f.write_str(match region {
            Region::Eu => "EU.ext-",
            Region::Ca => "CA.ext-",
            Region::Us => "US.ext-",
        })?;
        f.write_str(digits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_called_by_its_region_and_32_digits() {
        let one = QueryId(Some((Region::Eu, 0x1f)));
        assert_eq!(one.to_string(), "EU.ext-0000000000000000000000000000001f");
    }
}

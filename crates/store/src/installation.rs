//! The identity of a database, and its generation.

use std::fmt;
use std::num::ParseIntError;
use std::str::FromStr;

use crate::error::StoreError;
use crate::row::from_row;

/// A generation of a database: it tells the pasts of the database apart.
///
/// A revision of an account means the same change for as long as the generation stays the same. A
/// node that finds that changes were lost, or that the file is another, begins a new one, since
/// revisions are given out again then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Generation(u64);

impl Generation {
    /// Makes a generation of a random number.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// Returns its number.
    pub const fn number(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for Generation {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, ParseIntError> {
        u64::from_str_radix(text, 16).map(Self)
    }
}

/// The identity of a database, with its generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installation {
    /// The identifier of the database, which it keeps.
    pub id: String,
    /// Its generation.
    pub generation: Generation,
}

pub(crate) struct InstallationRow {
    id: String,
    generation: String,
}

from_row!(InstallationRow: id, generation);

impl TryFrom<InstallationRow> for Installation {
    type Error = StoreError;

    fn try_from(row: InstallationRow) -> Result<Self, StoreError> {
        Ok(Self { id: row.id, generation: read_generation(&row.generation)? })
    }
}

/// Reads the generation that is stored.
pub(crate) fn read_generation(text: &str) -> Result<Generation, StoreError> {
    text.parse().map_err(|_| StoreError::Malformed("a generation"))
}

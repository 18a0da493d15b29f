//! Accepts the old names of renamed settings, for one version.
//!
//! To rename a setting: give `Options` a hidden field with the old flag, variable and key, and add a
//! line to its `rename`.

use std::fmt;

use crate::error::Failure;

/// A setting that was given by its old name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Renamed {
    pub(super) old: &'static str,
    pub(super) new: &'static str,
}

impl fmt::Display for Renamed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { old, new } = self;
        write!(f, "the setting {old} is deprecated: its name is {new} now")
    }
}

impl Renamed {
    /// Moves a value to the new name, unless both names were given with different values.
    pub(super) fn move_value<T: PartialEq>(
        self,
        old: Option<T>,
        new: &mut Option<T>,
    ) -> Result<Option<Self>, Failure> {
        match (old, &*new) {
            (None, _) => return Ok(None),
            (Some(old), Some(new)) if old != *new => {
                return Err(Failure::Renamed(self.to_string()));
            }
            (old, _) => *new = old,
        }
        Ok(Some(self))
    }
}

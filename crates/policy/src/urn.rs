//! URNs: `urn:v1:<region>:<kind>:<rest>`, the names of identities, resources and groups.
//!
//! Only the first five colons part a URN: a resource's name may hold `:` and `/`. An empty region
//! is read as the server's own, because some clients leave it out; the canonical form, which is
//! what decisions compare, has it filled in. Parts are compared exactly, case included.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::id::{AccountName, ResourceGroupId};

/// The region of a server, which is part of all its URNs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Region {
    /// `eu`
    #[default]
    Eu,
    /// `ca`
    Ca,
    /// `us`
    Us,
}

impl Region {
    /// Returns the text of the region in a URN.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Eu => "eu",
            Self::Ca => "ca",
            Self::Us => "us",
        }
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Region {
    type Err = UrnError;

    fn from_str(text: &str) -> Result<Self, UrnError> {
        match text {
            "eu" => Ok(Self::Eu),
            "ca" => Ok(Self::Ca),
            "us" => Ok(Self::Us),
            _ => Err(UrnError::UnknownRegion),
        }
    }
}

/// The error of a text that is not a URN of the expected kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UrnError {
    /// A region other than `eu`, `ca`, `us`.
    #[error("has a region that is none of eu, ca, us")]
    UnknownRegion,
    /// The region of another server.
    #[error("belongs to another region")]
    OtherRegion,
    /// Parts that do not fit the expected kind.
    #[error("is malformed")]
    Malformed,
    /// A `*` where none is allowed.
    #[error("has a * where none is allowed")]
    Wildcard,
}

/// Splits a URN of this region into its kind and the rest.
pub(crate) fn split(text: &str, region: Region) -> Result<(&str, &str), UrnError> {
    let mut parts = text.splitn(5, ':');
    let (Some("urn"), Some("v1"), Some(text), Some(kind), Some(rest)) =
        (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(UrnError::Malformed);
    };
    if !text.is_empty() && text.parse::<Region>()? != region {
        return Err(UrnError::OtherRegion);
    }
    Ok((kind, rest))
}

/// Checks whether a text can be a name inside a URN: printable, without spaces.
pub(crate) fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| !c.is_whitespace() && !c.is_control())
}

/// Returns the URN of a resource group.
pub fn resource_group_urn(region: Region, id: ResourceGroupId) -> String {
    format!("urn:v1:{region}:resourceGroup:{id}")
}

/// Returns the URN of a permissions group of `owner`.
pub fn permissions_group_urn(region: Region, owner: &AccountName, name: &str) -> String {
    format!("urn:v1:{region}:permissionsGroup:{owner}:{name}")
}

/// Returns the canonical URN of a permissions group; wildcards are refused.
pub(crate) fn canonical_permissions_group(
    text: &str,
    region: Region,
) -> Result<Box<str>, UrnError> {
    let ("permissionsGroup", rest) = split(text, region)? else {
        return Err(UrnError::Malformed);
    };
    if rest.contains('*') {
        return Err(UrnError::Wildcard);
    }
    let (owner, name) = rest.split_once(':').ok_or(UrnError::Malformed)?;
    if !is_name(owner) || !is_name(name) || name.contains(':') {
        return Err(UrnError::Malformed);
    }
    Ok(permissions_group_urn(region, &AccountName::new(owner), name).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissions_groups_have_an_owner_and_a_name() {
        let canonical = |text| canonical_permissions_group(text, Region::Eu);
        assert_eq!(
            canonical("urn:v1::permissionsGroup:ovh:globalAdmin").as_deref(),
            Ok("urn:v1:eu:permissionsGroup:ovh:globalAdmin")
        );
        assert!(canonical("urn:v1:eu:permissionsGroup:ovh").is_err());
        assert!(canonical("urn:v1:eu:permissionsGroup:*:globalAdmin").is_err());
    }
}

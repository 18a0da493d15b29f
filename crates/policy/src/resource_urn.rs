//! URNs of resources, and patterns of them.

use std::fmt;

use crate::id::ResourceGroupId;
use crate::urn::{Region, UrnError, is_name, split};

/// One resource, `urn:v1:<region>:resource:<type>:<name>`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ResourceUrn {
    urn: Box<str>,
    resource_type: Box<str>,
    name: Box<str>,
}

impl ResourceUrn {
    /// Parses the URN of one resource; wildcards are refused.
    pub fn parse(text: &str, region: Region) -> Result<Self, UrnError> {
        let ("resource", rest) = split(text, region)? else {
            return Err(UrnError::Malformed);
        };
        if rest.contains('*') {
            return Err(UrnError::Wildcard);
        }
        let (resource_type, name) = rest.split_once(':').ok_or(UrnError::Malformed)?;
        Self::of(region, resource_type, name)
    }

    /// Creates the URN of a resource; wildcards are refused.
    pub fn of(region: Region, resource_type: &str, name: &str) -> Result<Self, UrnError> {
        if resource_type.contains('*') || name.contains('*') {
            return Err(UrnError::Wildcard);
        }
        if !is_name(resource_type) || !is_name(name) || resource_type.contains(':') {
            return Err(UrnError::Malformed);
        }
        Ok(Self::new(region, resource_type, name))
    }

    /// Creates the URN of a resource whose type and name are known to be valid.
    pub fn new(region: Region, resource_type: &str, name: &str) -> Self {
        let urn = ["urn:v1:", region.as_str(), ":resource:", resource_type, ":", name].concat();
        Self { urn: urn.into(), resource_type: resource_type.into(), name: name.into() }
    }

    /// Returns the prefix of the URNs of all resources.
    pub fn prefix(region: Region) -> String {
        ["urn:v1:", region.as_str(), ":resource:"].concat()
    }

    /// Returns the resource type, as in `vps`.
    pub fn resource_type(&self) -> &str {
        &self.resource_type
    }

    /// Returns the name, which may contain `:` and `/`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the canonical URN.
    pub fn urn(&self) -> &str {
        &self.urn
    }
}

impl fmt::Display for ResourceUrn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.urn)
    }
}

/// A pattern of resources in a policy.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ResourcePattern {
    /// `urn:v1:eu:resource:*`, and `urn:v1:eu:resource:*:*`
    Everything,
    /// One resource, by its canonical URN.
    One(Box<str>),
    /// All resources whose canonical URN has a prefix, as in `urn:v1:eu:resource:vps:*`.
    Prefix(Box<str>),
    /// The members of a resource group.
    Group(ResourceGroupId),
    /// The members of any resource group that the policy's owner made, which the server's group of
    /// every resource is not.
    AnyGroup,
}

impl ResourcePattern {
    /// Returns the text of the pattern of all resources.
    pub fn everything(region: Region) -> String {
        ResourceUrn::prefix(region) + "*"
    }

    /// Returns the text of the pattern of all resources of a type.
    pub fn of_type(region: Region, resource_type: &str) -> String {
        format!("{}{resource_type}:*", ResourceUrn::prefix(region))
    }

    /// Returns the resource type that the pattern names; none if it covers several, or a group.
    pub fn resource_type(&self) -> Option<&str> {
        match self {
            Self::One(urn) | Self::Prefix(urn) => {
                let (_, rest) = urn.split_once(":resource:")?;
                rest.split_once(':').map(|(resource_type, _)| resource_type)
            }
            Self::Everything | Self::Group(_) | Self::AnyGroup => None,
        }
    }

    /// Parses a URN or pattern among a policy's resources.
    pub fn parse(text: &str, region: Region) -> Result<Self, UrnError> {
        match split(text, region)? {
            ("resourceGroup", "*") => Ok(Self::AnyGroup),
            ("resourceGroup", id) => {
                // Short and braced forms of a UUID would be second names of the same group.
                let id = Some(id).filter(|id| id.len() == 36).ok_or(UrnError::Malformed)?;
                id.parse().map(Self::Group).map_err(|_| UrnError::Malformed)
            }
            ("resource", "*" | "*:*") => Ok(Self::Everything),
            ("resource", rest) => match rest.strip_suffix('*') {
                Some(head) if head.contains('*') => Err(UrnError::Wildcard),
                Some(head) if head.split(':').next().is_some_and(is_name) => {
                    let name = head.split_once(':').map_or("", |(_, name)| name);
                    if !name.is_empty() && !is_name(name) {
                        return Err(UrnError::Malformed);
                    }
                    Ok(Self::Prefix(format!("urn:v1:{region}:resource:{head}").into()))
                }
                Some(_) => Err(UrnError::Malformed),
                None => ResourceUrn::parse(text, region).map(|one| Self::One(one.urn)),
            },
            _ => Err(UrnError::Malformed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pattern(text: &str) -> Result<ResourcePattern, UrnError> {
        ResourcePattern::parse(text, Region::Eu)
    }

    #[test]
    fn only_the_first_five_colons_part_a_urn() {
        let urn = ResourceUrn::parse("urn:v1:eu:resource:ldp/stream:a/b:c.d", Region::Eu).unwrap();
        assert_eq!((urn.resource_type(), urn.name()), ("ldp/stream", "a/b:c.d"));
    }

    #[test]
    fn an_empty_region_is_the_servers_own() {
        let urn = ResourceUrn::parse("urn:v1::resource:vps:a", Region::Ca).unwrap();
        assert_eq!(urn.urn(), "urn:v1:ca:resource:vps:a");
    }

    #[test]
    fn another_region_is_refused() {
        let text = "urn:v1:ca:resource:vps:a";
        assert_eq!(ResourceUrn::parse(text, Region::Eu), Err(UrnError::OtherRegion));
        let text = "urn:v1:mars:resource:vps:a";
        assert_eq!(ResourceUrn::parse(text, Region::Eu), Err(UrnError::UnknownRegion));
    }

    #[test]
    fn a_pattern_names_one_type_or_none() {
        let found = |text| pattern(text).unwrap().resource_type().map(str::to_owned);
        assert_eq!(found("urn:v1::resource:vps:*"), Some("vps".to_owned()));
        assert_eq!(found("urn:v1:eu:resource:vps:a:resource:b"), Some("vps".to_owned()));
        assert_eq!(
            pattern(&ResourcePattern::of_type(Region::Eu, "vps")).unwrap().resource_type(),
            Some("vps")
        );
        let group = "urn:v1:eu:resourceGroup:8d4b3c4e-0f0f-4d5e-9b1a-000000000001";
        for text in ["urn:v1:eu:resource:*", "urn:v1:eu:resource:vp*", group] {
            assert_eq!(found(text), None, "{text}");
        }
        assert_eq!(
            pattern(&ResourcePattern::everything(Region::Eu)),
            Ok(ResourcePattern::Everything)
        );
    }

    #[test]
    fn resource_patterns_have_a_wildcard_at_the_end_alone() {
        assert_eq!(pattern("urn:v1:eu:resource:*"), Ok(ResourcePattern::Everything));
        assert_eq!(pattern("urn:v1:eu:resource:*:*"), Ok(ResourcePattern::Everything));
        assert_eq!(pattern("urn:v1:eu:resourceGroup:*"), Ok(ResourcePattern::AnyGroup));
        assert_eq!(
            pattern("urn:v1:eu:resource:vps:*"),
            Ok(ResourcePattern::Prefix("urn:v1:eu:resource:vps:".into()))
        );
        assert_eq!(
            pattern("urn:v1::resource:dedicated*"),
            Ok(ResourcePattern::Prefix("urn:v1:eu:resource:dedicated".into()))
        );
        for text in [
            "*",
            "urn:*",
            "urn:v1:eu:*",
            "urn:v1:eu:resource*",
            "urn:v1:eu:resource:",
            "urn:v1:eu:resource:vps",
            "urn:v1:eu:resource:vps:",
            "urn:v1:eu:resource::a",
            "urn:v1:eu:resource::*",
            "urn:v1:eu:resource:*:a",
            "urn:v1:eu:resource:v*s:a",
            "urn:v1:eu:resource:vps:a*b",
            "urn:v1:eu:resource:vps:**",
            "urn:v1:eu:resourceGroup:abc",
            "urn:v1:eu:resourceGroup:{8d4b3c4e-0f0f-4d5e-9b1a-000000000001}",
            "urn:v1:eu:identity:account:aa1-ovh",
        ] {
            assert!(pattern(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_and_the_canonical_form_is_stable(text in "(urn:v1:(eu|):(resource|identity|resourceGroup):)?\\PC{0,24}") {
            if let Ok(urn) = ResourceUrn::parse(&text, Region::Eu) {
                prop_assert_eq!(ResourceUrn::parse(urn.urn(), Region::Eu), Ok(urn));
            }
            let _ = pattern(&text);
        }
    }
}

//! URNs: `urn:v1:<region>:<kind>:<rest>`, the names of identities, resources and groups.
//!
//! Only the first five colons part a URN: a resource's name may hold `:` and `/`. An empty region
//! is read as the server's own, because some clients leave it out; the canonical form, which is
//! what decisions compare, has it filled in. Parts are compared exactly, case included.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The part of the world that a server serves; it stands in every URN of that server.
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
    /// The text of it in a URN.
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

/// Why a text is no URN of the wanted kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UrnError {
    /// The region is none of `eu`, `ca`, `us`.
    #[error("has a region that is none of eu, ca, us")]
    UnknownRegion,
    /// The region is one that another server serves.
    #[error("belongs to another region")]
    OtherRegion,
    /// The parts are not those of the wanted kind.
    #[error("is malformed")]
    Malformed,
    /// A `*` stands where none is allowed.
    #[error("has a * where none is allowed")]
    Wildcard,
}

/// The kind and the rest of a URN of this region.
fn split(text: &str, region: Region) -> Result<(&str, &str), UrnError> {
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

/// Printable, without spaces: what names inside URNs are made of.
fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| !c.is_whitespace() && !c.is_control())
}

/// What an [`Identity`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IdentityKind {
    /// A whole account, and its root login.
    Account,
    /// A local user of an account.
    User,
    /// A group of users of an account.
    Group,
    /// A service account.
    Credential,
}

impl IdentityKind {
    /// The text of it in a URN.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::User => "user",
            Self::Group => "group",
            Self::Credential => "credential",
        }
    }
}

/// Somebody that policies can name, `urn:v1:<region>:identity:<kind>:<account>[/<name>]`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Identity {
    kind: IdentityKind,
    urn: Arc<str>,
    account: std::ops::Range<usize>,
}

impl Identity {
    /// Reads the URN of an identity; wildcards are refused.
    pub fn parse(text: &str, region: Region) -> Result<Self, UrnError> {
        let ("identity", rest) = split(text, region)? else {
            return Err(UrnError::Malformed);
        };
        let (kind, who) = rest.split_once(':').ok_or(UrnError::Malformed)?;
        if who.contains('*') {
            return Err(UrnError::Wildcard);
        }
        let (account, name) = who.split_once('/').map_or((who, None), |(a, n)| (a, Some(n)));
        let kind = match (kind, name) {
            ("account", None) => IdentityKind::Account,
            ("user", Some(_)) => IdentityKind::User,
            ("group", Some(_)) => IdentityKind::Group,
            ("credential", Some(_)) => IdentityKind::Credential,
            _ => return Err(UrnError::Malformed),
        };
        let sound = |part: &str| is_name(part) && !part.contains([':', '/']);
        if !sound(account) || name.is_some_and(|name| !is_name(name)) {
            return Err(UrnError::Malformed);
        }
        Ok(Self::new(region, kind, account, name))
    }

    fn new(region: Region, kind: IdentityKind, account: &str, name: Option<&str>) -> Self {
        let head = format!("urn:v1:{region}:identity:{}:", kind.as_str());
        let range = head.len()..head.len() + account.len();
        let urn = match name {
            None => head + account,
            Some(name) => format!("{head}{account}/{name}"),
        };
        Self { kind, urn: urn.into(), account: range }
    }

    /// The account as an identity: its root login, and for other accounts all its people.
    pub fn account_of(region: Region, account: &str) -> Self {
        Self::new(region, IdentityKind::Account, account, None)
    }

    /// A local user.
    pub fn user(region: Region, account: &str, login: &str) -> Self {
        Self::new(region, IdentityKind::User, account, Some(login))
    }

    /// A group of users.
    pub fn group(region: Region, account: &str, group: &str) -> Self {
        Self::new(region, IdentityKind::Group, account, Some(group))
    }

    /// A service account by its client identifier.
    pub fn service_account(region: Region, account: &str, client_id: &str) -> Self {
        Self::new(region, IdentityKind::Credential, account, Some(&format!("oauth2-{client_id}")))
    }

    /// What it is.
    pub fn kind(&self) -> IdentityKind {
        self.kind
    }

    /// The name of the account that it belongs to.
    pub fn account(&self) -> &str {
        self.urn.get(self.account.clone()).unwrap_or_default()
    }

    /// Its name in the account; an account has none.
    pub fn name(&self) -> Option<&str> {
        self.urn.get(self.account.end + 1..)
    }

    /// The canonical URN.
    pub fn urn(&self) -> &str {
        &self.urn
    }

    /// The same, for whoever keeps it beside the identity.
    pub(crate) fn shared_urn(&self) -> Arc<str> {
        Arc::clone(&self.urn)
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.urn)
    }
}

/// One resource, `urn:v1:<region>:resource:<type>:<name>`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ResourceUrn {
    urn: Box<str>,
    type_at: usize,
    name_at: usize,
}

impl ResourceUrn {
    /// Reads the URN of one resource; wildcards are refused.
    pub fn parse(text: &str, region: Region) -> Result<Self, UrnError> {
        let ("resource", rest) = split(text, region)? else {
            return Err(UrnError::Malformed);
        };
        if rest.contains('*') {
            return Err(UrnError::Wildcard);
        }
        let (kind, name) = rest.split_once(':').ok_or(UrnError::Malformed)?;
        Self::of(region, kind, name)
    }

    /// The resource of a type and a name; wildcards are refused.
    pub fn of(region: Region, kind: &str, name: &str) -> Result<Self, UrnError> {
        if kind.contains('*') || name.contains('*') {
            return Err(UrnError::Wildcard);
        }
        if !is_name(kind) || !is_name(name) || kind.contains(':') {
            return Err(UrnError::Malformed);
        }
        Ok(Self::new(region, kind, name))
    }

    /// The resource of a type and a name that are known to be well formed.
    pub fn new(region: Region, kind: &str, name: &str) -> Self {
        let urn = ["urn:v1:", region.as_str(), ":resource:", kind, ":", name].concat();
        let name_at = urn.len() - name.len();
        Self { type_at: name_at - kind.len() - 1, name_at, urn: urn.into() }
    }

    /// Its type, as in `vps`.
    pub fn resource_type(&self) -> &str {
        self.urn.get(self.type_at..self.name_at - 1).unwrap_or_default()
    }

    /// Its name, which may hold `:` and `/`.
    pub fn name(&self) -> &str {
        self.urn.get(self.name_at..).unwrap_or_default()
    }

    /// The canonical URN.
    pub fn urn(&self) -> &str {
        &self.urn
    }
}

impl fmt::Display for ResourceUrn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.urn)
    }
}

/// What a policy says about resources.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ResourcePattern {
    /// `urn:v1:eu:resource:*`, and `urn:v1:eu:resource:*:*`
    Everything,
    /// One resource, by its canonical URN.
    One(Box<str>),
    /// All whose canonical URN begins so, as in `urn:v1:eu:resource:vps:*`.
    Prefix(Box<str>),
    /// The members of a resource group.
    Group(Uuid),
    /// The members of any resource group of the policy's owner.
    AnyGroup,
}

impl ResourcePattern {
    /// Reads the URN of a policy's resource.
    pub fn parse(text: &str, region: Region) -> Result<Self, UrnError> {
        match split(text, region)? {
            ("resourceGroup", "*") => Ok(Self::AnyGroup),
            ("resourceGroup", id) => {
                // The short and braced forms of a UUID would be second names for one group.
                let id = Some(id).filter(|id| id.len() == 36).ok_or(UrnError::Malformed)?;
                Uuid::try_parse(id).map(Self::Group).map_err(|_| UrnError::Malformed)
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

/// The URN of a resource group.
pub fn resource_group_urn(region: Region, id: Uuid) -> String {
    format!("urn:v1:{region}:resourceGroup:{id}")
}

/// The URN of a permissions group of `owner`.
pub fn permissions_group_urn(region: Region, owner: &str, name: &str) -> String {
    format!("urn:v1:{region}:permissionsGroup:{owner}:{name}")
}

/// The canonical URN of a permissions group; wildcards are refused.
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
    Ok(permissions_group_urn(region, owner, name).into())
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
        let who = Identity::parse("urn:v1::identity:user:aa1-ovh/bob", Region::Eu).unwrap();
        assert_eq!(who.urn(), "urn:v1:eu:identity:user:aa1-ovh/bob");
    }

    #[test]
    fn another_region_is_refused() {
        let text = "urn:v1:ca:resource:vps:a";
        assert_eq!(ResourceUrn::parse(text, Region::Eu), Err(UrnError::OtherRegion));
        let text = "urn:v1:mars:resource:vps:a";
        assert_eq!(ResourceUrn::parse(text, Region::Eu), Err(UrnError::UnknownRegion));
    }

    #[test]
    fn identities_have_a_kind_and_an_account() {
        let cases = [
            ("urn:v1:eu:identity:account:aa1-ovh", IdentityKind::Account),
            ("urn:v1:eu:identity:user:aa1-ovh/bob", IdentityKind::User),
            ("urn:v1:eu:identity:group:aa1-ovh/team@a.b", IdentityKind::Group),
            ("urn:v1:eu:identity:credential:aa1-ovh/oauth2-EU.0f", IdentityKind::Credential),
        ];
        for (text, kind) in cases {
            let who = Identity::parse(text, Region::Eu).unwrap();
            assert_eq!((who.kind(), who.account(), who.urn()), (kind, "aa1-ovh", text));
        }
    }

    #[test]
    fn malformed_identities_are_refused() {
        for text in [
            "",
            "*",
            "urn",
            "urn:v1:eu:identity",
            "urn:v1:eu:identity:account",
            "urn:v1:eu:identity:account:",
            "urn:v1:eu:identity:account:aa1-ovh/bob",
            "urn:v1:eu:identity:user:aa1-ovh",
            "urn:v1:eu:identity:user:/bob",
            "urn:v1:eu:identity:user:aa1-ovh/",
            "urn:v1:eu:identity:robot:aa1-ovh/x",
            "urn:v2:eu:identity:account:aa1-ovh",
            "urn:v1:eu:identity:user:aa1-ovh/b ob",
            "urn:v1:eu:resource:account:aa1-ovh",
        ] {
            assert!(Identity::parse(text, Region::Eu).is_err(), "{text}");
        }
        let text = "urn:v1:eu:identity:user:aa1-ovh/*";
        assert_eq!(Identity::parse(text, Region::Eu), Err(UrnError::Wildcard));
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

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_and_the_canonical_form_is_stable(text in "(urn:v1:(eu|):(resource|identity|resourceGroup):)?\\PC{0,24}") {
            if let Ok(urn) = ResourceUrn::parse(&text, Region::Eu) {
                prop_assert_eq!(ResourceUrn::parse(urn.urn(), Region::Eu), Ok(urn));
            }
            if let Ok(who) = Identity::parse(&text, Region::Eu) {
                prop_assert_eq!(Identity::parse(who.urn(), Region::Eu), Ok(who));
            }
            let _ = pattern(&text);
        }
    }
}

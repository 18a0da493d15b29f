//! Parses the key of a condition: an attribute, its argument, and a comparison operator.

use jiff::tz::{TimeZone, TimeZoneDatabase};

use super::error::ConditionError;

/// The attribute of a request that a key names.
#[derive(Debug, Clone)]
pub(crate) enum Attribute {
    Date(TimeZone),
    Hour(TimeZone),
    WeekDay(TimeZone),
    Tag(Box<str>),
    Name,
    Type,
    Ip,
}

/// The comparison of the attribute with the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Eq,
    /// Less; `BEFORE` is a synonym.
    Lt,
    Le,
    Gt,
    /// Greater or equal; `AFTER` is a synonym.
    Ge,
    In,
    InRange,
    StartsWith,
    EndsWith,
}

impl Comparison {
    fn parse(text: &str) -> Option<Self> {
        Some(match text.to_ascii_uppercase().as_str() {
            "EQ" => Self::Eq,
            "BEFORE" | "LT" => Self::Lt,
            "LE" => Self::Le,
            "GT" => Self::Gt,
            "AFTER" | "GE" => Self::Ge,
            "IN" => Self::In,
            "IN_RANGE" => Self::InRange,
            "START_WITH" | "STARTS_WITH" => Self::StartsWith,
            "END_WITH" | "ENDS_WITH" => Self::EndsWith,
            _ => return None,
        })
    }
}

const ORDERED: &str = "EQ, BEFORE, AFTER, GE, LE, GT, LT, IN";
const TEXT: &str = "EQ, IN, STARTS_WITH, ENDS_WITH";

impl Attribute {
    /// Returns the suffixes of the attribute, as error messages list them.
    const fn suffixes(&self) -> &'static str {
        match self {
            Self::Date(_) => "EQ, BEFORE, AFTER, IN",
            Self::Hour(_) | Self::WeekDay(_) => ORDERED,
            Self::Tag(_) => "EQ, STARTS_WITH, ENDS_WITH",
            Self::Name | Self::Type => TEXT,
            Self::Ip => "EQ, IN, IN_RANGE",
        }
    }
}

/// Parses a key.
pub(super) fn parse(key: &str) -> Result<(Attribute, Comparison), ConditionError> {
    let unknown = || ConditionError::UnknownKey(key.to_owned());
    let (attribute, rest) = attribute(key)?.ok_or_else(unknown)?;
    let comparison = match rest {
        "" => Comparison::Eq,
        rest => {
            let suffix = rest.strip_prefix('.').ok_or_else(unknown)?;
            let upper = suffix.to_ascii_uppercase().replace("START_", "STARTS_");
            let upper = upper.replace("END_", "ENDS_");
            let allowed = attribute.suffixes();
            allowed
                .split(", ")
                .find(|suffix| *suffix == upper)
                .and_then(Comparison::parse)
                .ok_or_else(|| ConditionError::UnknownSuffix { key: key.to_owned(), allowed })?
        }
    };
    Ok((attribute, comparison))
}

/// Parses the attribute; returns it with the rest of the key.
fn attribute(key: &str) -> Result<Option<(Attribute, &str)>, ConditionError> {
    if let Some(rest) = key.strip_prefix("resource.Tag(") {
        // The key of a tag may contain dots and colons, but no brackets.
        let Some((tag, rest)) = rest.split_once(')') else {
            return Ok(None);
        };
        return Ok((!tag.is_empty()).then(|| (Attribute::Tag(tag.into()), rest)));
    }
    if let Some(rest) = key.strip_prefix("date") {
        let (zone, rest) = match rest.strip_prefix('(') {
            None => ("", rest),
            Some(rest) => match rest.split_once(')') {
                None => return Ok(None),
                Some(parts) => parts,
            },
        };
        let Some(rest) = rest.strip_prefix('.') else {
            return Ok(None);
        };
        let (field, rest) = rest.split_at(rest.find('.').unwrap_or(rest.len()));
        let wrap = match field {
            "Date" => Attribute::Date,
            "Hour" => Attribute::Hour,
            "WeekDay" => Attribute::WeekDay,
            _ => return Ok(None),
        };
        return Ok(Some((wrap(time_zone(zone)?), rest)));
    }
    for (text, attribute) in [
        ("resource.Name", Attribute::Name),
        ("resource.Type", Attribute::Type),
        ("request.IP", Attribute::Ip),
    ] {
        if let Some(rest) = key.strip_prefix(text) {
            return Ok(Some((attribute, rest)));
        }
    }
    Ok(None)
}

/// Looks up a time zone in the built-in tables, so that all nodes have the same zones.
fn time_zone(name: &str) -> Result<TimeZone, ConditionError> {
    if name.is_empty() || name.eq_ignore_ascii_case("UTC") {
        return Ok(TimeZone::UTC);
    }
    TimeZoneDatabase::bundled()
        .get(name)
        .map_err(|_| ConditionError::UnknownTimeZone(name.to_owned()))
}

//! Evaluates one pair of a condition.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;

use super::error::ConditionError;
use super::key::{self, Attribute, Comparison};
use crate::request::{Environment, Resource};

/// A compiled pair of a key and a value. It does not hold if the attribute is missing.
#[derive(Debug, Clone)]
pub(crate) enum Predicate {
    Date(TimeZone, Ordered<Date>),
    Hour(TimeZone, Ordered<i8>),
    /// Days count from Monday, 1, to Sunday, 7.
    WeekDay(TimeZone, Ordered<i8>),
    Tag(Box<str>, Text),
    Name(Text),
    Type(Text),
    Ip(Box<[IpNet]>),
}

/// A comparison of values that have an order.
#[derive(Debug, Clone)]
pub(crate) enum Ordered<T> {
    Than(Comparison, T),
    In(Box<[T]>),
}

/// A comparison of texts.
#[derive(Debug, Clone)]
pub(crate) enum Text {
    Eq(Box<str>),
    In(Box<[Box<str>]>),
    StartsWith(Box<str>),
    EndsWith(Box<str>),
}

/// The cost of the local time in a time zone, and of the look-up of a tag.
const LOCAL_TIME: u32 = 6;
const TAG_COST: u32 = 4;

impl<T: PartialOrd> Ordered<T> {
    fn len(&self) -> usize {
        match self {
            Self::In(list) => list.len(),
            Self::Than(..) => 1,
        }
    }

    fn holds(&self, actual: &T) -> bool {
        match self {
            Self::In(list) => list.contains(actual),
            Self::Than(comparison, than) => match comparison {
                Comparison::Lt => actual < than,
                Comparison::Le => actual <= than,
                Comparison::Gt => actual > than,
                Comparison::Ge => actual >= than,
                _ => actual == than,
            },
        }
    }
}

impl Text {
    fn len(&self) -> usize {
        match self {
            Self::In(list) => list.len(),
            Self::Eq(_) | Self::StartsWith(_) | Self::EndsWith(_) => 1,
        }
    }

    fn holds(&self, actual: &str) -> bool {
        match self {
            Self::Eq(text) => **text == *actual,
            Self::In(list) => list.iter().any(|text| **text == *actual),
            Self::StartsWith(text) => actual.starts_with(&**text),
            Self::EndsWith(text) => actual.ends_with(&**text),
        }
    }
}

impl Predicate {
    pub(super) fn parse(key: &str, value: &str) -> Result<Self, ConditionError> {
        let (attribute, comparison) = key::parse(key)?;
        let bad = |expected| ConditionError::BadValue {
            key: key.to_owned(),
            value: value.to_owned(),
            expected,
        };
        Ok(match attribute {
            Attribute::Date(zone) => Self::Date(
                zone,
                ordered(comparison, value, date).ok_or_else(|| bad("a date like 2026-05-12"))?,
            ),
            Attribute::Hour(zone) => Self::Hour(
                zone,
                ordered(comparison, value, hour).ok_or_else(|| bad("an hour from 0 to 23"))?,
            ),
            Attribute::WeekDay(zone) => Self::WeekDay(
                zone,
                ordered(comparison, value, week_day)
                    .ok_or_else(|| bad("an English name of a day of the week"))?,
            ),
            Attribute::Tag(tag) => {
                Self::Tag(tag, text(comparison, value).ok_or_else(|| bad("a text"))?)
            }
            Attribute::Name => Self::Name(text(comparison, value).ok_or_else(|| bad("a name"))?),
            Attribute::Type => Self::Type(text(comparison, value).ok_or_else(|| bad("a type"))?),
            Attribute::Ip => Self::Ip(match comparison {
                Comparison::InRange => {
                    list(value, range).ok_or_else(|| bad("address blocks like 203.0.113.0/24"))?
                }
                Comparison::In => list(value, host).ok_or_else(|| bad("IP addresses"))?,
                _ => [host(value.trim()).ok_or_else(|| bad("an IP address"))?].into(),
            }),
        })
    }

    /// Returns the cost of its evaluation, in the worst case.
    pub(super) fn cost(&self) -> u32 {
        let (fixed, list) = match self {
            Self::Date(_, test) => (LOCAL_TIME, test.len()),
            Self::Hour(_, test) | Self::WeekDay(_, test) => (LOCAL_TIME, test.len()),
            Self::Tag(_, test) => (TAG_COST, test.len()),
            Self::Name(test) | Self::Type(test) => (0, test.len()),
            Self::Ip(blocks) => (0, blocks.len() / 4),
        };
        u32::try_from(list.div_ceil(2)).unwrap_or(u32::MAX).saturating_add(fixed)
    }

    pub(super) fn holds(&self, resource: &Resource<'_>, at: &Environment) -> bool {
        let local = |zone: &TimeZone| at.now.timestamp().map(|now| zone.to_datetime(now));
        match self {
            Self::Date(zone, test) => local(zone).is_some_and(|now| test.holds(&now.date())),
            Self::Hour(zone, test) => local(zone).is_some_and(|now| test.holds(&now.hour())),
            Self::WeekDay(zone, test) => local(zone)
                .is_some_and(|now| test.holds(&now.date().weekday().to_monday_one_offset())),
            Self::Tag(tag, test) => resource.tags.get(&**tag).is_some_and(|text| test.holds(text)),
            Self::Name(test) => test.holds(resource.name),
            Self::Type(test) => test.holds(resource.resource_type),
            Self::Ip(blocks) => at.ip.is_some_and(|ip| {
                let ip = ip.to_canonical();
                blocks.iter().any(|block| block.contains(&ip))
            }),
        }
    }
}

/// Parses a comma-separated list, ignoring spaces around the values; none if one of them is
/// invalid.
fn list<T>(value: &str, read: impl Fn(&str) -> Option<T>) -> Option<Box<[T]>> {
    value.split(',').map(|one| read(one.trim())).collect()
}

fn ordered<T>(
    comparison: Comparison,
    value: &str,
    read: impl Fn(&str) -> Option<T>,
) -> Option<Ordered<T>> {
    match comparison {
        Comparison::In => list(value, read).map(Ordered::In),
        _ => read(value.trim()).map(|than| Ordered::Than(comparison, than)),
    }
}

/// Compiles a comparison of texts. Empty values are refused: an empty prefix or suffix would match
/// every text, and an empty entry of a list is a mistake.
fn text(comparison: Comparison, value: &str) -> Option<Text> {
    let filled = |text: &str| (!text.is_empty()).then(|| text.into());
    Some(match comparison {
        Comparison::In => Text::In(list(value, filled)?),
        Comparison::StartsWith => Text::StartsWith(filled(value)?),
        Comparison::EndsWith => Text::EndsWith(filled(value)?),
        _ => Text::Eq(value.into()),
    })
}

fn date(text: &str) -> Option<Date> {
    // The plain form only: the parser would also accept a date with a time.
    let plain = text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    plain.then(|| text.parse().ok()).flatten()
}

fn hour(text: &str) -> Option<i8> {
    let plain = matches!(text.len(), 1 | 2) && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|hour| plain && (0..24).contains(hour))
}

fn week_day(text: &str) -> Option<i8> {
    let day = match text.to_ascii_lowercase().as_str() {
        "monday" => Weekday::Monday,
        "tuesday" => Weekday::Tuesday,
        "wednesday" => Weekday::Wednesday,
        "thursday" => Weekday::Thursday,
        "friday" => Weekday::Friday,
        "saturday" => Weekday::Saturday,
        "sunday" => Weekday::Sunday,
        _ => return None,
    };
    Some(day.to_monday_one_offset())
}

fn host(text: &str) -> Option<IpNet> {
    text.parse::<IpAddr>().ok().map(|ip| IpNet::from(ip.to_canonical()))
}

/// Parses an address block; a single address is a block of one. A mapped IPv4 block counts as IPv4.
fn range(text: &str) -> Option<IpNet> {
    let Ok(block) = text.parse::<IpNet>() else {
        return host(text);
    };
    if let IpNet::V6(six) = block
        && let Some(four) = six.addr().to_ipv4_mapped()
        && let Some(length) = six.prefix_len().checked_sub(96)
    {
        return Ipv4Net::new(four, length).ok().map(|four| IpNet::V4(four.trunc()));
    }
    Some(block.trunc())
}

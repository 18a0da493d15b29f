//! The decision procedure as it is specified, on texts, without optimizations.

use std::cmp::Ordering;
use std::net::Ipv4Addr;

use gatewright_policy::{Condition, Operator, Permissions, Policy};
use jiff::Timestamp;
use jiff::tz::{TimeZone, TimeZoneDatabase};

use crate::world::{Account, Ask, World};

/// Matches a pattern in which `*` is any run of characters, anywhere.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    match pattern.first() {
        None => text.is_empty(),
        Some(b'*') => (0..=text.len()).any(|skip| glob(&pattern[1..], &text[skip..])),
        Some(byte) => text.first() == Some(byte) && glob(&pattern[1..], &text[1..]),
    }
}

fn any(patterns: &[String], text: &str) -> bool {
    patterns.iter().any(|pattern| glob(pattern.as_bytes(), text.as_bytes()))
}

/// Fills in an empty region.
fn whole(urn: &str) -> String {
    urn.replacen("urn:v1::", "urn:v1:eu:", 1)
}

pub(crate) fn may(world: &World, ask: &Ask) -> bool {
    let kind = ask.action.split(':').next().unwrap();
    if !ask.scope.contains(&"all") && !ask.scope.contains(&kind) {
        return false;
    }
    if kind != ask.kind {
        return false;
    }
    let owner = &world.owner;
    let mine: Vec<String> = ask.identities.iter().map(|one| one.urn().to_owned()).collect();
    if ask.account == owner.name {
        return ask.root || (!denies(owner, &mine, ask) && grants(owner, &mine, ask));
    }
    if denies(owner, &mine, ask) {
        return false;
    }
    if ask.root {
        return grants(owner, &mine, ask);
    }
    let home = &world.home;
    if denies(home, &mine, ask) {
        return false;
    }
    if grants(owner, &mine, ask) {
        return true;
    }
    let account = vec![format!("urn:v1:eu:identity:account:{}", ask.account)];
    grants(home, &mine, ask) && grants(owner, &account, ask) && !denies(owner, &account, ask)
}

/// Returns the policies of the account that name the identities and are in force.
fn in_force<'a>(
    account: &'a Account,
    identities: &'a [String],
    ask: &'a Ask,
) -> impl Iterator<Item = &'a Policy> {
    account.policies.iter().filter(move |policy| {
        policy.identities.iter().any(|urn| identities.contains(&whole(urn)))
            && policy.expires.is_none_or(|expires| ask.now < expires)
            && policy.resources.iter().any(|urn| covers(account, &whole(urn), &ask.urn))
            && policy.conditions.as_ref().is_none_or(|condition| holds(condition, ask))
    })
}

fn covers(account: &Account, pattern: &str, urn: &str) -> bool {
    if let Some(wanted) = pattern.strip_prefix("urn:v1:eu:resourceGroup:") {
        return account.resource_groups.iter().any(|group| {
            // The server's group of every resource is reached by its identifier alone.
            match &group.members {
                None => wanted == group.id.to_string(),
                Some(urns) => {
                    (wanted == "*" || wanted == group.id.to_string())
                        && urns.iter().any(|one| one == urn)
                }
            }
        });
    }
    glob(pattern.as_bytes(), urn.as_bytes())
}

fn blocks<'a>(account: &'a Account, policy: &'a Policy) -> Vec<&'a Permissions> {
    let groups = account.permissions_groups.iter();
    let named = groups.filter(|group| policy.permissions_groups.contains(&group.urn));
    std::iter::once(&policy.permissions).chain(named.map(|group| &group.permissions)).collect()
}

fn denies(account: &Account, identities: &[String], ask: &Ask) -> bool {
    in_force(account, identities, ask)
        .any(|policy| blocks(account, policy).iter().any(|block| any(&block.deny, &ask.action)))
}

fn grants(account: &Account, identities: &[String], ask: &Ask) -> bool {
    in_force(account, identities, ask).any(|policy| {
        blocks(account, policy)
            .iter()
            .any(|block| any(&block.allow, &ask.action) && !any(&block.except, &ask.action))
    })
}

fn holds(condition: &Condition, ask: &Ask) -> bool {
    let inner = || condition.conditions.iter().flatten();
    match condition.operator {
        Operator::Match => condition.values.iter().flatten().all(|(k, v)| pair_holds(k, v, ask)),
        Operator::And => inner().all(|one| holds(one, ask)),
        Operator::Or => inner().any(|one| holds(one, ask)),
        Operator::Not => !inner().any(|one| holds(one, ask)),
    }
}

fn pair_holds(key: &str, value: &str, ask: &Ask) -> bool {
    if key.starts_with("request.IP") {
        let Some(ip) = ask.ip else { return false };
        let number = |text: &str| u32::from(text.parse::<Ipv4Addr>().unwrap());
        let Some((base, length)) = value.split_once('/') else { return ip == value };
        let length: u32 = length.parse().unwrap();
        let mask = u32::MAX.checked_shl(32 - length).unwrap_or(0);
        return number(ip) & mask == number(base) & mask;
    }
    if let Some(rest) = key.strip_prefix("resource.Tag(") {
        let (tag, suffix) = rest.split_once(')').unwrap();
        return ask.tags.get(tag).is_some_and(|actual| text_holds(suffix, actual, value));
    }
    if let Some(suffix) = key.strip_prefix("resource.Name") {
        return text_holds(suffix, ask.name, value);
    }
    if let Some(suffix) = key.strip_prefix("resource.Type") {
        return text_holds(suffix, ask.kind, value);
    }
    let (zone, field) = key.strip_prefix("date(").unwrap().split_once(").").unwrap();
    let (field, suffix) = field.split_once('.').unwrap_or((field, "EQ"));
    let zone = match zone {
        "" => TimeZone::UTC,
        zone => TimeZoneDatabase::bundled().get(zone).unwrap(),
    };
    let local = zone.to_datetime(Timestamp::from_microsecond(ask.now.micros()).unwrap());
    let days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    let rank = |text: &str| match field {
        "Date" => text.replace('-', "").parse::<u32>().unwrap(),
        "Hour" => text.parse().unwrap(),
        _ => {
            let day = text.to_lowercase();
            u32::try_from(days.iter().position(|one| *one == day).unwrap()).unwrap()
        }
    };
    let actual = match field {
        "Date" => rank(&local.date().to_string()),
        "Hour" => rank(&local.hour().to_string()),
        _ => u32::try_from(local.date().weekday().to_monday_zero_offset()).unwrap(),
    };
    if suffix.eq_ignore_ascii_case("IN") {
        return value.split(',').any(|one| rank(one) == actual);
    }
    let order = actual.cmp(&rank(value));
    match suffix.to_uppercase().as_str() {
        "EQ" => order == Ordering::Equal,
        "BEFORE" | "LT" => order == Ordering::Less,
        "AFTER" | "GE" => order != Ordering::Less,
        "GT" => order == Ordering::Greater,
        "LE" => order != Ordering::Greater,
        other => panic!("{other}"),
    }
}

fn text_holds(suffix: &str, actual: &str, value: &str) -> bool {
    match suffix {
        "" | ".EQ" => actual == value,
        ".STARTS_WITH" => glob(format!("{value}*").as_bytes(), actual.as_bytes()),
        ".END_WITH" => glob(format!("*{value}").as_bytes(), actual.as_bytes()),
        other => panic!("{other}"),
    }
}

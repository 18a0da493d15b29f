//! Checks the keys of a JSON text before it is parsed: a key that is there twice, or that its object
//! does not have, is refused. Parsers keep the last of two and drop what they do not know, so what
//! is in force would not be what was written.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt::{self, Write};

use foldhash::quality::RandomState;
use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use smallvec::SmallVec;

use crate::model::error::{Fault, IamError};

/// The keys that a JSON value may have.
pub trait KeySchema: Sized {
    /// Returns the keys of the value under a key; none if the object has no such key.
    fn of_key(&self, key: &str) -> Option<Self>;

    /// Returns the keys of the items of a list.
    #[must_use]
    fn of_items(&self) -> Self;

    /// Lists the keys that the object has.
    fn names(&self) -> Vec<&str>;
}

/// Any keys: only repeated ones are refused.
#[derive(Debug, Clone, Copy)]
pub struct AnyKeys;

impl KeySchema for AnyKeys {
    fn of_key(&self, _: &str) -> Option<Self> {
        Some(Self)
    }

    fn of_items(&self) -> Self {
        Self
    }

    fn names(&self) -> Vec<&str> {
        Vec::new()
    }
}

/// Keys that are written down in the program. A list of values has the keys of its items.
#[derive(Debug, Clone, Copy)]
pub enum KeyTree {
    /// Any keys.
    Any,
    /// The keys of an object, each with those below it.
    Of(&'static [(&'static str, &'static KeyTree)]),
}

impl KeySchema for KeyTree {
    fn of_key(&self, key: &str) -> Option<Self> {
        match self {
            Self::Any => Some(*self),
            Self::Of(keys) => keys.iter().find(|(name, _)| *name == key).map(|(_, tree)| **tree),
        }
    }

    fn of_items(&self) -> Self {
        *self
    }

    fn names(&self) -> Vec<&str> {
        match self {
            Self::Any => Vec::new(),
            Self::Of(keys) => keys.iter().map(|(name, _)| *name).collect(),
        }
    }
}

/// The similarity from which another key is suggested, between 0 and 1.
const SIMILAR: f64 = 0.8;

/// The maximum number of bytes of a key for which another is suggested: comparing costs as much as
/// the key is long.
const MAX_COMPARED: usize = 64;

/// The maximum number of characters of a path in a message.
const MAX_PATH: usize = 200;

/// Checks the keys of a JSON text. A text that is not JSON passes: its parser reports the error.
///
/// A parser skips the value of a key that it ignores, and with it what it would refuse elsewhere: half
/// of a surrogate pair, a number out of range, any depth. Such a text is refused here, since what
/// comes after it was not checked.
pub fn check_keys(json: &[u8], known: impl KeySchema) -> Result<(), IamError> {
    let mut found = None;
    let mut path = Path::new();
    let mut reader = serde_json::Deserializer::from_slice(json);
    let walk = Walk { known, path: &mut path, found: &mut found };
    let walked = walk.deserialize(&mut reader);
    match (found, walked) {
        (Some(error), _) => Err(error),
        (None, Err(error)) if serde_json::from_slice::<IgnoredAny>(json).is_ok() => {
            Err(IamError::invalid(Fault::Input, error.to_string()))
        }
        (None, _) => Ok(()),
    }
}

/// The number of keys of an object up to which they are compared one by one.
const FEW_KEYS: usize = 8;

/// A step from the text's root to one of its values.
enum Step<'de> {
    Key(Cow<'de, str>),
    Item(usize),
}

/// The steps to a value; few values are so deep that this is allocated.
type Path<'de> = SmallVec<[Step<'de>; 4]>;

/// A key of an object, borrowed from the text where it is written there without escapes.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Cow<'de, str>;

    fn deserialize<D: serde::Deserializer<'de>>(self, keys: D) -> Result<Cow<'de, str>, D::Error> {
        keys.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(key))
    }

    fn visit_str<E>(self, key: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(key.to_owned()))
    }
}

/// The keys of an object that were seen: nearly all objects have few, for which nothing is allocated.
#[derive(Default)]
struct SeenKeys<'de> {
    few: SmallVec<[Cow<'de, str>; FEW_KEYS]>,
    many: HashSet<Cow<'de, str>, RandomState>,
}

impl<'de> SeenKeys<'de> {
    /// Adds a key; returns whether it is new.
    fn insert(&mut self, key: Cow<'de, str>) -> bool {
        if self.few.contains(&key) {
            return false;
        }
        if self.few.len() < FEW_KEYS {
            self.few.push(key);
            return true;
        }
        self.many.insert(key)
    }
}

/// Walks over one value and all below it.
struct Walk<'w, 'de, K> {
    known: K,
    path: &'w mut Path<'de>,
    found: &'w mut Option<IamError>,
}

impl<'de, K: KeySchema> DeserializeSeed<'de> for Walk<'_, 'de, K> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, K: KeySchema> Visitor<'de> for Walk<'_, 'de, K> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = SeenKeys::default();
        while let Some(key) = map.next_key_seed(Key)? {
            self.path.push(Step::Key(key.clone()));
            let Some(known) = self.known.of_key(&key) else {
                let error = unknown(self.path, &key, &self.known.names());
                return Err(refuse(self.found, error));
            };
            if !seen.insert(key) {
                let message = format!("\"{}\" is there twice", text(self.path));
                return Err(refuse(self.found, IamError::invalid(Fault::Format, message)));
            }
            map.next_value_seed(Walk { known, path: self.path, found: self.found })?;
            self.path.pop();
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        for index in 0.. {
            self.path.push(Step::Item(index));
            let known = self.known.of_items();
            let item = Walk { known, path: self.path, found: self.found };
            if items.next_element_seed(item)?.is_none() {
                break;
            }
            self.path.pop();
        }
        self.path.pop();
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

/// Keeps the error, and returns one that ends the walk.
fn refuse<E: Error>(found: &mut Option<IamError>, error: IamError) -> E {
    *found = Some(error);
    E::custom("refused")
}

fn unknown(path: &[Step<'_>], key: &str, names: &[&str]) -> IamError {
    let compared = if key.len() > MAX_COMPARED { &[] } else { names };
    let lower = key.chars().take(MAX_COMPARED).collect::<String>().to_lowercase();
    let likeness = |name: &str| strsim::jaro_winkler(&lower, &name.to_lowercase());
    let nearest = compared.iter().map(|name| (likeness(name), *name));
    let nearest = nearest.filter(|(likeness, _)| *likeness >= SIMILAR);
    let nearest = nearest.max_by(|(one, _), (other, _)| one.total_cmp(other));
    let mut message = format!("\"{}\" is unknown", text(path));
    if let Some((_, name)) = nearest {
        message = format!("{message}: did you mean \"{name}\"?");
    }
    IamError::invalid(Fault::Parameter, message)
}

/// Writes a path, as in `conditions.values`, or `permissions.allow[0]`.
fn text(path: &[Step<'_>]) -> String {
    let mut text = String::new();
    for step in path {
        // Writing to a text cannot fail.
        let _ = match step {
            Step::Key(key) if text.is_empty() => write!(text, "{key}"),
            Step::Key(key) => write!(text, ".{key}"),
            Step::Item(index) => write!(text, "[{index}]"),
        };
    }
    if text.chars().count() > MAX_PATH {
        text = text.chars().take(MAX_PATH).chain(['…']).collect();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    static LEAF: KeyTree = KeyTree::Of(&[]);
    static TREE: KeyTree =
        KeyTree::Of(&[("name", &LEAF), ("conditions", &TREE), ("values", &KeyTree::Any)]);

    fn refusal(json: &str) -> String {
        check_keys(json.as_bytes(), TREE).map_or_else(|error| error.to_string(), |()| String::new())
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_place_and_the_nearest() {
        assert_eq!(refusal(r#"{"nam":1}"#), r#""nam" is unknown: did you mean "name"?"#);
        assert_eq!(refusal(r#"{"NAME":1}"#), r#""NAME" is unknown: did you mean "name"?"#);
        assert_eq!(refusal(r#"{"zzz":1}"#), r#""zzz" is unknown"#);
        assert_eq!(
            refusal(r#"{"conditions":[{"name":"a"},{"condition":[]}]}"#),
            r#""conditions[1].condition" is unknown: did you mean "conditions"?"#
        );
        assert!(refusal(&format!(r#"{{"{}":1}}"#, "x".repeat(10_000))).len() < 300);
    }

    #[test]
    fn a_key_that_is_there_twice_is_refused_however_it_is_written() {
        assert_eq!(refusal(r#"{"name":1,"name":1}"#), r#""name" is there twice"#);
        assert_eq!(refusal(r#"{"name":1,"n\u0061me":2}"#), r#""name" is there twice"#);
        assert_eq!(
            refusal(r#"{"conditions":[{"values":{"a":[1,{"b":1,"c":2,"b":1}]}}]}"#),
            r#""conditions[0].values.a[1].b" is there twice"#
        );
        assert_eq!(refusal(r#"{"values":{"a":{"x":1},"b":{"x":1}}}"#), "");
        for repeated in [0, FEW_KEYS - 1, FEW_KEYS, 2 * FEW_KEYS] {
            let keys: Vec<String> = (0..=2 * FEW_KEYS).map(|key| format!("\"k{key}\":1")).collect();
            assert_eq!(refusal(&format!("{{\"values\":{{{}}}}}", keys.join(","))), "");
            let json = format!("{{\"values\":{{{},\"k{repeated}\":1}}}}", keys.join(","));
            assert_eq!(refusal(&json), format!("\"values.k{repeated}\" is there twice"));
        }
    }

    #[test]
    fn what_is_not_json_is_left_to_its_parser() {
        for json in ["", "{", "nonsense", "[1,", "{\"name\":}", "null", "7", "\"x\"", "[]"] {
            assert_eq!(refusal(json), "", "{json}");
        }
    }

    #[test]
    fn what_an_ignored_key_hides_from_the_walk_is_refused() {
        let deep = format!("{}{}", "[".repeat(1_000), "]".repeat(1_000));
        for hidden in [r#""\ud800""#, "1e999", &deep] {
            let json = format!(r#"{{"values":{hidden},"condition":{{}},"name":1,"name":2}}"#);
            assert_ne!(refusal(&json), "", "{hidden:.20}");
        }
    }

    #[test]
    fn a_long_key_is_compared_with_no_other() {
        let long = format!("conditions{}", "s".repeat(100));
        assert_eq!(refusal(&format!(r#"{{"{long}":1}}"#)), format!("\"{long}\" is unknown"));
    }

    proptest! {
        #[test]
        fn every_json_with_distinct_keys_passes(text in "[{}\\[\\],:\"ab10 ]{0,24}") {
            let distinct = serde_json::from_str::<Value>(&text).map(|value| value.to_string());
            if let Ok(distinct) = distinct {
                prop_assert!(check_keys(distinct.as_bytes(), AnyKeys).is_ok());
            }
        }
    }
}

//! Lists of patterns, laid out so that a look at one costs few cache misses.

use crate::pattern::Pattern;

/// A list of patterns that texts are looked up in.
#[derive(Debug, Clone, Default)]
pub(crate) struct Patterns {
    packed: Packed,
    /// Exact texts in order, where there are many.
    exact: Option<Box<[Box<str>]>>,
}

/// From this number on exact texts are searched, not looked at one by one.
const MANY: usize = 16;

impl FromIterator<Pattern> for Patterns {
    fn from_iter<I: IntoIterator<Item = Pattern>>(patterns: I) -> Self {
        let (exact, others): (Vec<Pattern>, Vec<Pattern>) =
            patterns.into_iter().partition(|one| matches!(one, Pattern::Exact(_)));
        if exact.len() < MANY {
            return Self { packed: others.into_iter().chain(exact).collect(), exact: None };
        }
        let texts = exact.into_iter().filter_map(|one| match one {
            Pattern::Exact(text) => Some(text),
            _ => None,
        });
        let mut texts: Vec<Box<str>> = texts.collect();
        texts.sort_unstable();
        texts.dedup();
        Self { packed: others.into_iter().collect(), exact: Some(texts.into()) }
    }
}

impl Patterns {
    /// Whether one of the patterns means the text.
    pub(crate) fn cover(&self, text: &str) -> bool {
        self.packed.cover(text.as_bytes())
            || self
                .exact
                .as_ref()
                .is_some_and(|exact| exact.binary_search_by(|known| (**known).cmp(text)).is_ok())
    }
}

/// Patterns one after another in one block: what kind, how long, the text.
#[derive(Debug, Clone, Default)]
struct Packed(Box<[u8]>);

const ANY: u8 = 0;
const EXACT: u8 = 1;
const PREFIX: u8 = 2;
const SUFFIX: u8 = 3;
const CONTAINS: u8 = 4;

impl Packed {
    fn cover(&self, text: &[u8]) -> bool {
        let mut rest: &[u8] = &self.0;
        while let Some(([kind, length @ ..], after)) = rest.split_first_chunk::<5>() {
            let length = u32::from_le_bytes(*length) as usize;
            let Some((core, after)) = after.split_at_checked(length) else {
                return false;
            };
            let covers = match *kind {
                ANY => true,
                EXACT => text == core,
                PREFIX => text.starts_with(core),
                SUFFIX => text.ends_with(core),
                _ => core.is_empty() || text.windows(length).any(|part| part == core),
            };
            if covers {
                return true;
            }
            rest = after;
        }
        false
    }
}

impl FromIterator<Pattern> for Packed {
    fn from_iter<I: IntoIterator<Item = Pattern>>(patterns: I) -> Self {
        let mut bytes = Vec::new();
        for pattern in patterns {
            let (kind, core) = match &pattern {
                Pattern::Any => (ANY, ""),
                Pattern::Exact(core) => (EXACT, &**core),
                Pattern::Prefix(core) => (PREFIX, &**core),
                Pattern::Suffix(core) => (SUFFIX, &**core),
                Pattern::Contains(core) => (CONTAINS, &**core),
            };
            // What is longer than this can count matches no text that there is.
            let Ok(length) = u32::try_from(core.len()) else { continue };
            bytes.push(kind);
            bytes.extend(length.to_le_bytes());
            bytes.extend(core.as_bytes());
        }
        Self(bytes.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_list_covers_what_one_of_its_patterns_matches(
            texts in prop::collection::vec("\\*?[ab]{1,4}\\*?|\\*", 0..40),
            other in "[ab]{0,6}",
        ) {
            let patterns: Vec<Pattern> =
                texts.iter().map(|text| Pattern::parse(text).unwrap()).collect();
            let any = patterns.iter().any(|pattern| pattern.matches(&other));
            let list: Patterns = patterns.into_iter().collect();
            prop_assert_eq!(list.cover(&other), any);
        }
    }
}

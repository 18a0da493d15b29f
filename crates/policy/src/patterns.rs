//! Packs marked patterns, so that one pass finds all marks of a text with few cache misses.
//!
//! Invariants:
//! - The marks of a text are those of all patterns that match it, as `Pattern::matches` says. A
//!   property test holds that.
//! - The packed form (a byte of kind and marks, four bytes of length, the text) is written and read
//!   here alone, and there are five marks at most.

use smallvec::SmallVec;

use crate::pattern::Pattern;

/// A set of at most five marks, one per bit.
pub(crate) type Marks = u8;

/// Patterns that give marks to the texts that they match.
///
/// Up to `ROOM` bytes of patterns are stored inline, so that they share the cache lines of the
/// value; more are stored in a block of their own.
#[derive(Debug, Clone, Default)]
pub(crate) struct Patterns<const ROOM: usize> {
    /// The packed patterns: the kind and the marks, the length, the text.
    packed: SmallVec<[u8; ROOM]>,
    /// The union of the marks of the packed patterns: a text that has them all needs no further
    /// search.
    there: Marks,
    /// The exact texts in sorted order, if there are many.
    exact: Option<Box<[Exact]>>,
}

type Exact = (Box<str>, Marks);

/// The number of exact texts from which on they are found by binary search.
const MANY: usize = 16;

const ANY: u8 = 0;
const EXACT: u8 = 1;
const PREFIX: u8 = 2;
const SUFFIX: u8 = 3;
const CONTAINS: u8 = 4;
const KINDS: u8 = 0b111;

impl<const ROOM: usize> FromIterator<(Pattern, Marks)> for Patterns<ROOM> {
    fn from_iter<I: IntoIterator<Item = (Pattern, Marks)>>(patterns: I) -> Self {
        let mut list = Self::default();
        let (mut exact, mut others) = (Vec::<Exact>::new(), Vec::new());
        for (pattern, marks) in patterns {
            match pattern {
                Pattern::Exact(text) => exact.push((text, marks)),
                other => others.push((other, marks)),
            }
        }
        for (pattern, marks) in &others {
            match pattern {
                Pattern::Any => list.pack(ANY, "", *marks),
                Pattern::Exact(core) => list.pack(EXACT, core, *marks),
                Pattern::Prefix(core) => list.pack(PREFIX, core, *marks),
                Pattern::Suffix(core) => list.pack(SUFFIX, core, *marks),
                Pattern::Contains(core) => list.pack(CONTAINS, core, *marks),
            }
        }
        if exact.len() < MANY {
            for (text, marks) in &exact {
                list.pack(EXACT, text, *marks);
            }
            return list;
        }
        exact.sort_unstable();
        exact.dedup_by(|next, first| {
            let same = next.0 == first.0;
            first.1 |= if same { next.1 } else { 0 };
            same
        });
        list.exact = Some(exact.into());
        list
    }
}

impl<const ROOM: usize> Patterns<ROOM> {
    fn pack(&mut self, kind: u8, core: &str, marks: Marks) {
        // A text longer than this cannot match any request.
        let Ok(length) = u32::try_from(core.len()) else { return };
        self.packed.push(marks << KINDS.count_ones() | kind);
        self.packed.extend_from_slice(&length.to_le_bytes());
        self.packed.extend_from_slice(core.as_bytes());
        self.there |= marks;
    }

    /// Returns whether a pattern has one of the marks.
    pub(crate) fn has(&self, marks: Marks) -> bool {
        let exact = self.exact.iter().flatten();
        self.there & marks != 0 || exact.into_iter().any(|(_, there)| there & marks != 0)
    }

    /// Returns the marks of all patterns that match the text.
    pub(crate) fn marks(&self, text: &str) -> Marks {
        let searched = self.exact.as_ref().and_then(|exact| {
            let place = exact.binary_search_by(|(exact, _)| (**exact).cmp(text)).ok()?;
            exact.get(place).map(|(_, marks)| *marks)
        });
        searched.unwrap_or_default() | self.packed_marks(text.as_bytes())
    }

    fn packed_marks(&self, text: &[u8]) -> Marks {
        let mut found = 0;
        let mut rest: &[u8] = &self.packed;
        while let Some(([head, length @ ..], after)) = rest.split_first_chunk::<5>()
            && found != self.there
        {
            let length = u32::from_le_bytes(*length) as usize;
            let Some((core, after)) = after.split_at_checked(length) else {
                return found;
            };
            let matches = match head & KINDS {
                ANY => true,
                EXACT => text == core,
                PREFIX => text.starts_with(core),
                SUFFIX => text.ends_with(core),
                _ => core.is_empty() || text.windows(length).any(|part| part == core),
            };
            if matches {
                found |= head >> KINDS.count_ones();
            }
            rest = after;
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_text_has_the_marks_of_the_patterns_that_match_it(
            marked in prop::collection::vec(("\\*?[ab]{1,4}\\*?|\\*", 1_u8..32), 0..40),
            other in "[ab]{0,6}",
        ) {
            let patterns: Vec<(Pattern, Marks)> = marked
                .iter()
                .map(|(text, marks)| (Pattern::parse(text).unwrap(), *marks))
                .collect();
            let expected = patterns
                .iter()
                .filter(|(pattern, _)| pattern.matches(&other))
                .fold(0, |all, (_, marks)| all | marks);
            let list: Patterns<32> = patterns.into_iter().collect();
            prop_assert_eq!(list.marks(&other), expected);
        }
    }
}

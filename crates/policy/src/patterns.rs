//! Packs marked patterns, so that one pass finds all marks of a text with few cache misses; many are
//! indexed instead, so that their number costs little.
//!
//! Invariants:
//! - The marks of a text are those of all patterns that match it, as `Pattern::matches` says. A
//!   property test holds that.
//! - The packed form (a byte of kind and marks, four bytes of length, the text) is written and read
//!   here alone, and there are five marks at most.

use std::collections::HashMap;

use foldhash::quality::RandomState;
use smallvec::SmallVec;

use crate::automaton::{Automaton, Marks};
use crate::pattern::Pattern;

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
    all_marks: Marks,
    /// The patterns that are not packed, if there are many.
    index: Option<Box<Index>>,
}

/// The index of many patterns.
#[derive(Debug, Clone, Default)]
struct Index {
    exact: HashMap<Box<str>, Marks, RandomState>,
    /// All others.
    automaton: Option<Automaton>,
    /// The union of the marks of all of them.
    all_marks: Marks,
}

/// The number of exact texts from which on they are found by their hash, and of other patterns from
/// which on an automaton finds them.
const MANY: usize = 16;

/// The number of patterns of the form `*text*` from which on an automaton finds them: each is
/// searched for in the whole text otherwise.
const MANY_CONTAINED: usize = 4;

/// The cost of finding an exact text by its hash.
const HASH_COST: usize = 16;

/// The number of bytes of a text that are searched for a contained one at a cost of 1, and that an
/// automaton looks at.
const SEARCHED: usize = 16;
const STEPS_PER_COST: usize = 2;

const ANY: u8 = 0;
const EXACT: u8 = 1;
const PREFIX: u8 = 2;
const SUFFIX: u8 = 3;
const CONTAINS: u8 = 4;
const KINDS: u8 = 0b111;

impl<const ROOM: usize> FromIterator<(Pattern, Marks)> for Patterns<ROOM> {
    fn from_iter<I: IntoIterator<Item = (Pattern, Marks)>>(patterns: I) -> Self {
        let mut list = Self::default();
        let (mut exact, mut others) = (Vec::<(Box<str>, Marks)>::new(), Vec::new());
        for (pattern, marks) in patterns {
            match pattern {
                Pattern::Exact(text) => exact.push((text, marks)),
                other => others.push((other, marks)),
            }
        }
        let mut index = Index::default();
        let contained = |(pattern, _): &&(Pattern, Marks)| matches!(pattern, Pattern::Contains(_));
        if others.len() >= MANY || others.iter().filter(contained).count() >= MANY_CONTAINED {
            let patterns = others.iter().map(|(pattern, marks)| (pattern, *marks));
            index.all_marks = patterns.clone().fold(0, |all, (_, marks)| all | marks);
            index.automaton = Automaton::of(patterns);
        }
        if index.automaton.is_some() {
            others.clear();
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
            for (text, marks) in exact.drain(..) {
                list.pack(EXACT, &text, marks);
            }
        }
        for (text, marks) in exact {
            *index.exact.entry(text).or_default() |= marks;
            index.all_marks |= marks;
        }
        index.exact.shrink_to_fit();
        if !index.exact.is_empty() || index.automaton.is_some() {
            list.index = Some(Box::new(index));
        }
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
        self.all_marks |= marks;
    }

    /// Returns whether a pattern has one of the marks.
    pub(crate) fn has(&self, marks: Marks) -> bool {
        let indexed = self.index.as_ref().map_or(0, |index| index.all_marks);
        (self.all_marks | indexed) & marks != 0
    }

    /// Returns the marks of all patterns that match the text.
    pub(crate) fn marks(&self, text: &str) -> Marks {
        let indexed = self.index.as_ref().map(|index| index.marks(text));
        indexed.unwrap_or_default() | self.packed_marks(text.as_bytes())
    }

    /// Returns the cost of a look-up for a text of at most so many bytes.
    pub(crate) fn cost(&self, longest: usize) -> u32 {
        let (mut cost, mut rest) = (0, self.packed.as_slice());
        while let Some(([head, length @ ..], after)) = rest.split_first_chunk::<5>() {
            let length = u32::from_le_bytes(*length) as usize;
            cost += if head & KINDS == CONTAINS { longest / SEARCHED } else { 1 };
            rest = after.get(length..).unwrap_or_default();
        }
        if let Some(index) = &self.index {
            cost += if index.exact.is_empty() { 0 } else { HASH_COST };
            let steps = index.automaton.as_ref().map(|one| one.steps(longest));
            cost += steps.map_or(0, |steps| 1 + steps / STEPS_PER_COST);
        }
        u32::try_from(cost).unwrap_or(u32::MAX)
    }

    /// Returns the memory that the patterns take, in bytes.
    pub(crate) fn memory(&self) -> usize {
        let index = self.index.as_ref().map(|index| {
            let exact =
                index.exact.keys().map(|text| 2 * size_of::<(Box<str>, Marks)>() + text.len());
            let automaton = index.automaton.as_ref().map_or(0, Automaton::memory);
            exact.sum::<usize>() + automaton
        });
        index.unwrap_or_default() + if self.packed.spilled() { self.packed.len() } else { 0 }
    }

    fn packed_marks(&self, text: &[u8]) -> Marks {
        let mut found = 0;
        let mut rest: &[u8] = &self.packed;
        while let Some(([head, length @ ..], after)) = rest.split_first_chunk::<5>()
            && found != self.all_marks
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
                _ => memchr::memmem::find(text, core).is_some(),
            };
            if matches {
                found |= head >> KINDS.count_ones();
            }
            rest = after;
        }
        found
    }
}

impl Index {
    fn marks(&self, text: &str) -> Marks {
        let exact = self.exact.get(text).copied();
        let others = self.automaton.as_ref().map(|automaton| automaton.marks(text.as_bytes()));
        exact.unwrap_or_default() | others.unwrap_or_default()
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
            check(&marked, &other)?;
        }

        #[test]
        fn many_prefixes_give_their_marks(
            marked in prop::collection::vec(("[ab]{1,4}\\*", 1_u8..32), MANY..40),
            other in "[ab]{0,6}",
        ) {
            check(&marked, &other)?;
        }

        #[test]
        fn contained_texts_give_their_marks(
            marked in prop::collection::vec(("\\*[ab]{1,4}\\*", 1_u8..32), 1..2 * MANY_CONTAINED),
            other in "[ab]{0,6}",
        ) {
            check(&marked, &other)?;
        }
    }

    /// Checks that the marks of a text are those of all patterns that match it.
    fn check(marked: &[(String, Marks)], other: &str) -> Result<(), TestCaseError> {
        let patterns: Vec<(Pattern, Marks)> =
            marked.iter().map(|(text, marks)| (Pattern::parse(text).unwrap(), *marks)).collect();
        let expected = patterns
            .iter()
            .filter(|(pattern, _)| pattern.matches(other))
            .fold(0, |all, (_, marks)| all | marks);
        let all = patterns.iter().fold(0, |all, (_, marks)| all | marks);
        let list: Patterns<32> = patterns.into_iter().collect();
        prop_assert_eq!(list.marks(other), expected);
        prop_assert!((0..5).all(|bit| list.has(1 << bit) == (all & 1 << bit != 0)));
        Ok(())
    }
}

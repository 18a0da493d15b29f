//! Finds the marks of a text among many patterns in one pass over it, however many they are.
//!
//! Invariants:
//! - The marks of a text are those of all patterns that match it, as `Pattern::matches` says. A
//!   property test of `patterns` holds that.
//! - The first match of a state is the longest, and all others are suffixes of it, so that the marks
//!   of the first one tell those of all. This is checked when the automaton is built.

use std::collections::BTreeMap;

use aho_corasick::Anchored;
use aho_corasick::automaton::{Automaton as _, StateID};
use aho_corasick::nfa::contiguous::NFA;

use crate::pattern::Pattern;

/// A set of at most five marks, one per bit.
pub(crate) type Marks = u8;

/// The bytes that stand for the start and the end of a text: no text in UTF-8 has them.
const START: u8 = 0xFE;
const END: u8 = 0xFF;

/// An automaton after Aho and Corasick of patterns with marks.
#[derive(Debug, Clone)]
pub(crate) struct Automaton {
    nfa: NFA,
    /// The marks of each pattern and of the patterns that are suffixes of it.
    marks: Box<[Marks]>,
    /// The union of all marks.
    all_marks: Marks,
    /// The state before a text, and whether patterns begin at the start of the text only.
    start: StateID,
    anchored: Anchored,
    /// The length of the longest pattern, in bytes.
    longest: usize,
}

impl Automaton {
    /// Builds the automaton of some patterns; none where that is not possible.
    pub(crate) fn of<'p>(patterns: impl Iterator<Item = (&'p Pattern, Marks)>) -> Option<Self> {
        let (mut all, mut prefixes_only) = (BTreeMap::<Vec<u8>, Marks>::new(), true);
        for (pattern, marks) in patterns {
            prefixes_only &= matches!(pattern, Pattern::Prefix(_) | Pattern::Exact(_));
            *all.entry(bytes(pattern)).or_default() |= marks;
        }
        let nfa = NFA::builder().prefilter(false).build(all.keys()).ok()?;
        let of_each: Box<[Marks]> = all.values().copied().collect();
        let mut marks = Vec::with_capacity(all.len());
        for text in all.keys() {
            let mut state = nfa.start_state(Anchored::No).ok()?;
            for byte in text {
                state = nfa.next_state(Anchored::No, state, *byte);
            }
            let matches = (0..nfa.match_len(state)).map(|index| nfa.match_pattern(state, index));
            let mut matches = matches.map(|pattern| pattern.as_usize()).peekable();
            if matches.peek() != Some(&marks.len()) {
                return None;
            }
            marks
                .push(matches.filter_map(|index| of_each.get(index)).fold(0, |sum, one| sum | one));
        }
        let anchored = if prefixes_only { Anchored::Yes } else { Anchored::No };
        Some(Self {
            all_marks: all.values().fold(0, |sum, one| sum | one),
            start: nfa.start_state(anchored).ok()?,
            anchored,
            longest: all.keys().map(Vec::len).max().unwrap_or_default(),
            marks: marks.into(),
            nfa,
        })
    }

    /// Returns the marks of all patterns that match the text.
    pub(crate) fn marks(&self, text: &[u8]) -> Marks {
        let (mut state, mut found) = (self.start, 0);
        for byte in [&[START], text, &[END]].into_iter().flatten() {
            state = self.nfa.next_state(self.anchored, state, *byte);
            if !self.nfa.is_special(state) {
                continue;
            }
            if self.nfa.is_dead(state) {
                break;
            }
            if self.nfa.is_match(state) {
                // A state without marks cannot be: then every pattern counts, a deny above all.
                let first = self.nfa.match_pattern(state, 0).as_usize();
                found |= self.marks.get(first).copied().unwrap_or(self.all_marks);
                if found == self.all_marks {
                    break;
                }
            }
        }
        found
    }

    /// Returns the maximum number of bytes of a text that are looked at.
    pub(crate) fn steps(&self, longest_text: usize) -> usize {
        if self.anchored.is_anchored() { longest_text.min(self.longest) } else { longest_text }
    }

    /// Returns the memory that it takes, in bytes.
    pub(crate) fn memory(&self) -> usize {
        self.nfa.memory_usage() + self.marks.len()
    }
}

/// Returns the bytes that a text with its start and end has where the pattern matches it.
fn bytes(pattern: &Pattern) -> Vec<u8> {
    let (start, core, end): (&[u8], &str, &[u8]) = match pattern {
        Pattern::Any => (&[], "", &[END]),
        Pattern::Exact(core) => (&[START], core, &[END]),
        Pattern::Prefix(core) => (&[START], core, &[]),
        Pattern::Suffix(core) => (&[], core, &[END]),
        Pattern::Contains(core) => (&[], core, &[]),
    };
    [start, core.as_bytes(), end].concat()
}

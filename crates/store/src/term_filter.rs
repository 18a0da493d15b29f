//! Filters of terms: whether a page of a log may have a line with a term, without reading it.
//!
//! A filter is a Bloom filter: it never denies a term that was added, and takes one in about a
//! thousand others for one of them. Its form is stored, so it never changes; another form would have
//! another first byte.

use std::collections::HashSet;

use aws_lc_rs::digest::{Context, SHA256};

/// The first byte of a filter of this form.
const FORM: u8 = 1;

/// The number of bits that a term takes, and of those that are set for it.
const BITS_OF_A_TERM: usize = 14;
const HASHES: u64 = 10;

/// The minimum size of the bits, in bytes: among fewer, the places of different terms are often the
/// same.
const SMALLEST: usize = 8;

/// The hash of a term: the value of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Term([u64; 2]);

impl Term {
    /// Creates the term of a field, which a byte stands for, and a value.
    pub fn new(field: u8, value: &str) -> Self {
        let mut context = Context::new(&SHA256);
        context.update(&[field]);
        context.update(value.as_bytes());
        let hash = context.finish();
        let (halves, _) = hash.as_ref().as_chunks::<8>();
        let half = |place: usize| halves.get(place).copied().map_or(0, u64::from_le_bytes);
        Self([half(0), half(1)])
    }

    /// Returns the places of its bits among so many.
    fn places(self, bits: u64) -> impl Iterator<Item = usize> {
        let Self([first, step]) = self;
        // An odd step: no two places are the same only because the step is 0.
        let places = (0..HASHES).map(move |i| first.wrapping_add(i.wrapping_mul(step | 1)));
        places.filter_map(move |place| usize::try_from(place.checked_rem(bits)?).ok())
    }
}

/// A filter of the terms of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TermFilter(Vec<u8>);

impl TermFilter {
    /// Creates the filter of some terms.
    pub fn of(terms: impl IntoIterator<Item = Term>) -> Self {
        let terms: HashSet<Term> = terms.into_iter().collect();
        let bytes = (terms.len() * BITS_OF_A_TERM).div_ceil(8).max(SMALLEST);
        let mut filter = vec![0; bytes];
        let bits = bits(&filter);
        for place in terms.iter().flat_map(|term| term.places(bits)) {
            if let Some(byte) = filter.get_mut(place / 8) {
                *byte |= 1 << (place % 8);
            }
        }
        filter.insert(0, FORM);
        Self(filter)
    }

    /// Returns what is stored of the filter.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Checks whether a term may be among those of a stored filter. One of an unknown form may have
    /// all.
    pub(crate) fn may_have_in(stored: &[u8], term: Term) -> bool {
        let Some((&FORM, filter)) = stored.split_first() else { return true };
        let is_set =
            |place: usize| filter.get(place / 8).is_some_and(|byte| byte & (1 << (place % 8)) != 0);
        term.places(bits(filter)).all(is_set)
    }
}

/// Returns the number of bits in some bytes.
fn bits(bytes: &[u8]) -> u64 {
    bytes.len() as u64 * 8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(numbers: std::ops::Range<usize>) -> impl Iterator<Item = Term> {
        numbers.map(|number| Term::new(b'q', &format!("EU.ext-{number:032x}")))
    }

    fn may_have(filter: &TermFilter, term: Term) -> bool {
        TermFilter::may_have_in(filter.as_bytes(), term)
    }

    #[test]
    fn a_filter_has_each_of_its_terms_and_hardly_any_other() {
        for count in [0, 1, 2, 3, 10, 100, 1_000, 5_000] {
            let filter = TermFilter::of(terms(0..count));
            assert!(terms(0..count).all(|term| may_have(&filter, term)), "of {count}");
            let wrong = terms(10_000..30_000).filter(|term| may_have(&filter, *term)).count();
            assert!(wrong <= 20_000 / 200, "{wrong} of 20,000 others beside {count}");
            assert!(
                filter.as_bytes().len() <= 9 + count * 2,
                "{count} terms in {} bytes",
                filter.as_bytes().len()
            );
        }
    }

    #[test]
    fn terms_that_are_there_several_times_take_no_more() {
        let once = TermFilter::of(terms(0..10));
        assert_eq!(TermFilter::of(terms(0..10).chain(terms(0..10))), once);
    }

    #[test]
    fn the_same_value_of_another_field_is_another_term() {
        let filter = TermFilter::of([Term::new(b'a', "x")]);
        assert!(may_have(&filter, Term::new(b'a', "x")));
        assert!(!may_have(&filter, Term::new(b'r', "x")));
    }

    /// Databases hold filters, so their form must stay.
    #[test]
    fn the_form_of_a_filter_stays() {
        let filter = TermFilter::of([Term::new(b'a', "urn:v1:eu:identity:account:aa1-ovh")]);
        assert_eq!(hex::encode(filter.as_bytes()), "01000050150000a80a");
        let unknown = [FORM + 1, 0, 0];
        assert!(TermFilter::may_have_in(&unknown, Term::new(b'a', "x")), "a newer form has all");
    }
}

//! Weights of the entries of caches, in bytes: caches are bounded by what they hold.

use std::sync::Arc;

use gatewright_policy::{AccountName, ClientId};
use quick_cache::Weighter;

use crate::model::caller::Principal;

/// The memory that a cache takes for an entry beside what the entry holds, in bytes.
const ENTRY: usize = 64;

/// The memory that a principal takes beside its texts, in bytes.
const PRINCIPAL: usize = 512;

fn bytes(of: usize) -> u64 {
    (ENTRY + of) as u64
}

/// An entry of a cache, whose weight is known.
pub(crate) trait Weighed {
    /// Returns the memory that it takes beside its fixed size, in bytes.
    fn held(&self) -> usize;
}

impl Weighed for Arc<Principal> {
    fn held(&self) -> usize {
        let scope = self.access_token().map_or(0, |token| token.scope.len());
        PRINCIPAL + 2 * self.identity.urn().len() + 3 * scope
    }
}

impl Weighed for AccountName {
    fn held(&self) -> usize {
        self.as_str().len()
    }
}

/// Weighs entries by their bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ByBytes;

impl<V: Weighed> Weighter<Box<str>, V> for ByBytes {
    fn weight(&self, key: &Box<str>, value: &V) -> u64 {
        bytes(key.len() + size_of::<V>() + value.held())
    }
}

impl<V: Weighed> Weighter<ClientId, V> for ByBytes {
    fn weight(&self, key: &ClientId, value: &V) -> u64 {
        bytes(key.as_str().len() + size_of::<V>() + value.held())
    }
}

impl<V: Weighed> Weighter<[u64; 4], V> for ByBytes {
    fn weight(&self, _: &[u64; 4], value: &V) -> u64 {
        bytes(size_of::<[u64; 4]>() + size_of::<V>() + value.held())
    }
}

#[cfg(test)]
mod tests {
    use quick_cache::sync::Cache;

    use super::*;

    #[test]
    fn a_cache_is_bounded_by_what_it_holds() {
        const MOST: u64 = 1024 * 1024;
        let cache: Cache<Box<str>, AccountName, ByBytes> =
            Cache::with_weighter(100_000, MOST, ByBytes);
        let name = |number: u32, bytes: usize| format!("{number:08}{}", "x".repeat(bytes)).into();
        for number in 0..10_000 {
            cache.insert(name(number, 1_000), AccountName::new("aa1-ovh"));
        }
        assert!(cache.weight() <= MOST && cache.len() < 1_000, "{}", cache.len());
        for number in 0..10_000 {
            cache.insert(name(number, 10), AccountName::new("aa1-ovh"));
        }
        assert!(cache.weight() <= MOST);
    }
}

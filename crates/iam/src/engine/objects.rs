//! A persistent map of objects by their identifiers: a clone shares everything.

use foldhash::quality::RandomState;
use imbl::GenericHashMap;
use imbl::shared_ptr::DefaultSharedPtr;

/// Holds objects of one kind by their identifiers. A change copies the path to what it touches.
#[derive(Debug, Clone)]
pub(crate) struct Objects<V>(GenericHashMap<Box<str>, V, RandomState, DefaultSharedPtr>);

impl<V> Default for Objects<V> {
    fn default() -> Self {
        Self(GenericHashMap::default())
    }
}

impl<V: Clone> Objects<V> {
    /// Returns an object by its identifier.
    pub(crate) fn get(&self, id: &str) -> Option<&V> {
        self.0.get(id)
    }

    /// Returns whether the map holds an object with that identifier.
    pub(crate) fn contains(&self, id: &str) -> bool {
        self.0.contains_key(id)
    }

    /// Returns the number of objects.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Lists the identifiers, in no order.
    pub(crate) fn ids(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(|id| &**id)
    }

    /// Lists the objects with their identifiers, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &V)> {
        self.0.iter().map(|(id, value)| (&**id, value))
    }

    /// Inserts an object, in place of the previous one.
    pub(super) fn insert(&mut self, id: &str, value: V) {
        self.0.insert(id.into(), value);
    }

    /// Removes an object; returns it.
    pub(super) fn remove(&mut self, id: &str) -> Option<V> {
        self.0.remove(id)
    }
}

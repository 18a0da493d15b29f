//! Semaphores by key: a number of permits for each, and forgotten once nobody holds or awaits one.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use foldhash::quality::RandomState;
use tokio::sync::{AcquireError, Semaphore, SemaphorePermit};

type Keys<K> = HashMap<K, Key, RandomState>;

/// The semaphores of all keys.
pub(crate) struct KeyedSemaphores<K: Hash + Eq + Clone> {
    keys: Mutex<Keys<K>>,
    /// The number of permits of each key.
    permits: usize,
}

/// The semaphore of one key.
struct Key {
    semaphore: Arc<Semaphore>,
    /// The number of places that are taken.
    places: usize,
}

/// A place of a key, from which a permit can be acquired. It is given back when it is dropped.
pub(crate) struct Place<'s, K: Hash + Eq + Clone> {
    semaphores: &'s KeyedSemaphores<K>,
    key: K,
    semaphore: Arc<Semaphore>,
}

impl<K: Hash + Eq + Clone> KeyedSemaphores<K> {
    pub(crate) fn new(permits: usize) -> Self {
        Self { keys: Mutex::default(), permits }
    }

    /// Takes a place of a key; none where so many are taken already, by those who have a permit or
    /// wait for one.
    pub(crate) fn place(&self, key: K, most: usize) -> Option<Place<'_, K>> {
        let mut keys = self.lock();
        let new = || Key { semaphore: Arc::new(Semaphore::new(self.permits)), places: 0 };
        let found = keys.entry(key.clone()).or_insert_with(new);
        if found.places >= most {
            return None;
        }
        found.places += 1;
        Some(Place { semaphores: self, key, semaphore: Arc::clone(&found.semaphore) })
    }

    /// Returns whether every key is forgotten.
    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, Keys<K>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Hash + Eq + Clone> Place<'_, K> {
    /// Waits for a permit.
    pub(crate) async fn acquire(&self) -> Result<SemaphorePermit<'_>, AcquireError> {
        self.semaphore.acquire().await
    }
}

impl<K: Hash + Eq + Clone> Drop for Place<'_, K> {
    fn drop(&mut self) {
        let mut keys = self.semaphores.lock();
        if let Some(found) = keys.get_mut(&self.key) {
            found.places -= 1;
            if found.places == 0 {
                keys.remove(&self.key);
            }
        }
    }
}

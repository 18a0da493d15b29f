//! Semaphores by key: a number of permits for each, and forgotten once nobody holds or awaits one.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use foldhash::quality::RandomState;
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore, SemaphorePermit};

type Keys<K> = HashMap<K, Key, RandomState>;

/// The semaphores of all keys.
pub struct KeyedSemaphores<K: Hash + Eq + Clone> {
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

/// A place of a key, from which permits can be acquired. It is given back when it is dropped.
pub struct KeyedPlace<K: Hash + Eq + Clone> {
    semaphores: Arc<KeyedSemaphores<K>>,
    key: K,
    semaphore: Arc<Semaphore>,
}

impl<K: Hash + Eq + Clone> KeyedSemaphores<K> {
    /// Creates semaphores with a number of permits for each key.
    pub fn new(permits: usize) -> Arc<Self> {
        Arc::new(Self { keys: Mutex::default(), permits })
    }

    /// Takes a place of a key; none where so many are taken already, by those who have a permit or
    /// wait for one.
    pub fn place(self: &Arc<Self>, key: K, most: usize) -> Option<KeyedPlace<K>> {
        let mut keys = self.lock();
        let new = || Key { semaphore: Arc::new(Semaphore::new(self.permits)), places: 0 };
        let found = keys.entry(key.clone()).or_insert_with(new);
        if found.places >= most {
            return None;
        }
        found.places += 1;
        let semaphore = Arc::clone(&found.semaphore);
        Some(KeyedPlace { semaphores: Arc::clone(self), key, semaphore })
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

impl<K: Hash + Eq + Clone> KeyedPlace<K> {
    /// Waits for a permit.
    pub(crate) async fn acquire(&self) -> Result<SemaphorePermit<'_>, AcquireError> {
        self.semaphore.acquire().await
    }

    /// Acquires permits if there are so many now.
    pub fn try_acquire(&self, permits: u32) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.semaphore).try_acquire_many_owned(permits).ok()
    }
}

impl<K: Hash + Eq + Clone> Drop for KeyedPlace<K> {
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

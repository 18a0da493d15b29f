//! Pagination of lists.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use crate::model::error::{Fault, IamError};
use crate::model::secret::sha256;

/// A request for one page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest {
    size: usize,
    after: i64,
    /// A hash of the list and its filters: a cursor of another list is invalid for this one.
    list: [u8; 8],
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The items, in the order of their creation.
    pub items: Vec<T>,
    /// The cursor of the next page, if there is one.
    pub next: Option<String>,
}

impl PageRequest {
    /// The default size of a page. Some clients read the first page only, so it is large.
    pub const DEFAULT_SIZE: usize = 5_000;
    /// The maximum size of a page; a larger one is cut to this.
    pub const MAX_SIZE: usize = 10_000;

    /// Parses the page size and cursor of a request; `list` names the list with its filters. Fails
    /// for a size of 0 or an invalid cursor.
    pub fn new(size: Option<usize>, cursor: Option<&str>, list: &str) -> Result<Self, IamError> {
        if size == Some(0) {
            let message = "X-Pagination-Size must be at least 1";
            return Err(IamError::invalid(Fault::Parameter, message));
        }
        let size = size.unwrap_or(Self::DEFAULT_SIZE).min(Self::MAX_SIZE);
        let hash = sha256(list.as_bytes());
        let list = hash.as_ref().first_chunk().copied();
        let list = list.ok_or_else(|| IamError::impossible("a hash of fewer than 8 bytes"))?;
        let mut request = Self { size, after: 0, list };
        if let Some(cursor) = cursor.filter(|text| !text.is_empty()) {
            let after = request.read(cursor);
            request.after =
                after.ok_or_else(|| IamError::invalid(Fault::Input, "invalid cursor"))?;
        }
        Ok(request)
    }

    fn read(&self, cursor: &str) -> Option<i64> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let (after, list) = bytes.split_first_chunk::<8>()?;
        (list == self.list).then_some(i64::from_be_bytes(*after)).filter(|after| *after > 0)
    }

    /// Returns the position after which the page begins.
    pub(crate) fn after(&self) -> i64 {
        self.after
    }

    /// Returns the position before which the page begins, in a list that is read from its end; none
    /// at the end.
    pub(crate) fn before(&self) -> Option<i64> {
        Some(self.after).filter(|before| *before > 0)
    }

    /// Returns the maximum number of items.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// Returns the requested page of a complete list in a stable order.
    pub fn of<T>(&self, items: impl IntoIterator<Item = T>) -> Page<T> {
        let rest = (1..).zip(items).filter(|(place, _)| *place > self.after);
        self.page(rest.take(self.size + 1).collect())
    }

    /// Builds the page from items, each with its position; one more than the size was read if there
    /// are more.
    ///
    /// Items that share a position stay on one page, which may so be longer than its size.
    pub(crate) fn page<T>(&self, mut items: Vec<(i64, T)>) -> Page<T> {
        let last = items.get(self.size - 1).map(|(place, _)| *place);
        let end =
            last.map_or(items.len(), |last| items.partition_point(|(place, _)| *place <= last));
        let more = items.len() > end;
        items.truncate(end);
        let last = items.last().map(|(place, _)| *place).filter(|_| more);
        self.until(items.into_iter().map(|(_, item)| item).collect(), last)
    }

    /// Builds the page from items of a list that was read up to a position, where more may follow.
    pub(crate) fn part<T>(&self, items: Vec<(i64, T)>, read_to: i64) -> Page<T> {
        if items.len() > self.size {
            let page = self.page(items);
            // All that was read are on the page, since they share a position.
            return if page.next.is_some() { page } else { self.until(page.items, Some(read_to)) };
        }
        self.until(items.into_iter().map(|(_, item)| item).collect(), Some(read_to))
    }

    /// Builds the page from its items, and the position at which the next one begins, if there is
    /// one.
    pub(crate) fn until<T>(&self, items: Vec<T>, next: Option<i64>) -> Page<T> {
        let cursor = |place: i64| {
            let bytes = [place.to_be_bytes(), self.list].concat();
            BASE64_URL_SAFE_NO_PAD.encode(bytes)
        };
        Page { items, next: next.map(cursor) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(from: i64, to: i64) -> Vec<(i64, i64)> {
        (from..=to).map(|place| (place, place)).collect()
    }

    #[test]
    fn a_page_leads_to_the_next_and_the_last_to_none() {
        let first = PageRequest::new(Some(2), None, "a").unwrap();
        let page = first.page(places(1, 3));
        assert_eq!(page.items, [1, 2]);
        let second = PageRequest::new(Some(2), page.next.as_deref(), "a").unwrap();
        assert_eq!(second.after(), 2);
        assert_eq!(second.page(places(3, 4)).next, None);
    }

    #[test]
    fn a_cursor_serves_its_own_list_alone() {
        let page = PageRequest::new(Some(1), None, "a").unwrap().page(places(1, 2));
        let error = PageRequest::new(None, page.next.as_deref(), "b").unwrap_err();
        assert_eq!(error.to_string(), "invalid cursor");
        for wrong in ["x", "AAAA", "////////", "é"] {
            assert!(PageRequest::new(None, Some(wrong), "a").is_err(), "{wrong}");
        }
        assert!(PageRequest::new(None, Some(""), "a").is_ok());
    }

    #[test]
    fn sizes_stay_within_bounds() {
        assert!(PageRequest::new(Some(0), None, "a").is_err());
        assert_eq!(PageRequest::new(None, None, "a").unwrap().size(), 5_000);
        assert_eq!(PageRequest::new(Some(usize::MAX), None, "a").unwrap().size(), 10_000);
    }
}

//! Part of a table: sorted, searched, in pages.

use crate::fields::{Fields, encoded};

/// So many rows are shown at once.
pub(crate) const ROWS: usize = 25;

/// What part of a table is wanted, as the query says.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    /// What every row must hold, in small letters.
    pub(crate) search: String,
    /// The column that rows are sorted by.
    pub(crate) sort: String,
    pub(crate) descending: bool,
    /// From 1.
    page: usize,
}

impl Wanted {
    /// Reads the query; what it does not say, or wrongly, is as in `default`.
    pub(crate) fn read(query: &Fields, columns: &[&str]) -> Self {
        let asked = query.get("sort");
        let (sort, descending) = match asked.strip_prefix('-') {
            Some(sort) => (sort, true),
            None => (asked, false),
        };
        let known = columns.iter().find(|column| **column == sort).or(columns.first());
        Self {
            search: query.get("search").to_lowercase(),
            sort: known.map(|column| (*column).to_owned()).unwrap_or_default(),
            descending,
            page: query.get("page").parse().ok().filter(|page| *page > 0).unwrap_or(1),
        }
    }

    /// Whether a row that holds these texts is wanted.
    pub(crate) fn fits(&self, texts: &[&str]) -> bool {
        self.search.is_empty()
            || texts.iter().any(|text| text.to_lowercase().contains(&self.search))
    }

    /// The wanted page of rows that are sorted upwards.
    pub(crate) fn cut<T>(&self, mut rows: Vec<T>) -> Cut<T> {
        if self.descending {
            rows.reverse();
        }
        let total = rows.len();
        let pages = total.div_ceil(ROWS).max(1);
        let page = self.page.min(pages);
        let rows = rows.into_iter().skip((page - 1) * ROWS).take(ROWS).collect();
        Cut { rows, total, page, pages, wanted: self.clone() }
    }
}

/// A page of a table.
pub(crate) struct Cut<T> {
    pub(crate) rows: Vec<T>,
    /// How many rows there are on all pages.
    pub(crate) total: usize,
    pub(crate) page: usize,
    pub(crate) pages: usize,
    pub(crate) wanted: Wanted,
}

impl<T> Cut<T> {
    /// The same page with its rows as they are shown.
    pub(crate) fn map<R>(self, row: impl FnMut(T) -> R) -> Cut<R> {
        let Self { rows, total, page, pages, wanted } = self;
        Cut { rows: rows.into_iter().map(row).collect(), total, page, pages, wanted }
    }

    /// The query of another page of the same table.
    pub(crate) fn turn(&self, page: usize) -> String {
        let sign = if self.wanted.descending { "-" } else { "" };
        format!(
            "?search={}&sort={sign}{}&page={page}",
            encoded(&self.wanted.search),
            self.wanted.sort
        )
    }

    /// The query of the table sorted by that column; the other way round if it is already.
    pub(crate) fn by(&self, column: &str) -> String {
        let down = self.wanted.sort == column && !self.wanted.descending;
        let sign = if down { "-" } else { "" };
        format!("?search={}&sort={sign}{column}", encoded(&self.wanted.search))
    }

    /// How the table is sorted by that column, as `aria-sort` says it.
    pub(crate) fn sorted(&self, column: &str) -> &'static str {
        match (self.wanted.sort == column, self.wanted.descending) {
            (false, _) => "none",
            (true, false) => "ascending",
            (true, true) => "descending",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(query: &str) -> Wanted {
        Wanted::read(&Fields::parse(query.as_bytes()), &["name", "created"])
    }

    #[test]
    fn a_table_is_cut_into_pages_and_never_beyond_them() {
        let rows: Vec<usize> = (0..60).collect();
        let cut = wanted("page=3").cut(rows.clone());
        assert_eq!((cut.page, cut.pages, cut.total, cut.rows.len()), (3, 3, 60, 10));
        for query in ["page=99", "page=-1", "page=0", "page=x", ""] {
            let cut = wanted(query).cut(rows.clone());
            assert!((1..=3).contains(&cut.page), "{query}");
        }
        assert_eq!(wanted("").cut(Vec::<usize>::new()).pages, 1);
    }

    #[test]
    fn a_table_is_sorted_by_known_columns_alone() {
        assert_eq!(wanted("sort=-created").cut(vec![1, 2]).rows, [2, 1]);
        assert_eq!(wanted("sort=secret").sort, "name");
        let cut = wanted("sort=name&search=a%26b").cut(vec![1]);
        assert_eq!(cut.by("name"), "?search=a%26b&sort=-name");
        assert_eq!(cut.by("created"), "?search=a%26b&sort=created");
        assert_eq!((cut.sorted("name"), cut.sorted("created")), ("ascending", "none"));
    }

    #[test]
    fn a_search_finds_any_text_of_a_row_whatever_its_case() {
        assert!(wanted("search=ALPH").fits(&["x", "Alpha"]));
        assert!(!wanted("search=beta").fits(&["x", "Alpha"]));
        assert!(wanted("").fits(&[]));
    }
}

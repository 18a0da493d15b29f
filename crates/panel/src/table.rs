//! Search, sort order and pagination of the tables.

use crate::fields::{Fields, encoded};

/// Maximum number of rows of a page.
pub(crate) const ROWS_PER_PAGE: usize = 25;

/// Search, sort order and page of a table, from the query of the URL.
#[derive(Debug, Clone)]
pub(crate) struct TableQuery {
    /// Text that every row must contain, in lower case.
    pub(crate) search: String,
    /// Column that rows are sorted by.
    pub(crate) sort: String,
    pub(crate) descending: bool,
    /// Number of the page, from 1.
    page: usize,
}

impl TableQuery {
    /// Parses a query; defaults for missing or invalid values are the first column and page 1.
    pub(crate) fn parse(query: &Fields, columns: &[&str]) -> Self {
        let requested = query.get("sort");
        let (sort, descending) = match requested.strip_prefix('-') {
            Some(sort) => (sort, true),
            None => (requested, false),
        };
        let known = columns.iter().find(|column| **column == sort).or(columns.first());
        Self {
            search: query.get("search").to_lowercase(),
            sort: known.map(|column| (*column).to_owned()).unwrap_or_default(),
            descending,
            page: query.get("page").parse().ok().filter(|page| *page > 0).unwrap_or(1),
        }
    }

    /// Checks whether a row of these texts contains the searched text.
    pub(crate) fn matches(&self, texts: &[&str]) -> bool {
        self.search.is_empty()
            || texts.iter().any(|text| text.to_lowercase().contains(&self.search))
    }

    /// Cuts out the page from all rows, which are in ascending order.
    pub(crate) fn paginate<T>(&self, mut rows: Vec<T>) -> TablePage<T> {
        if self.descending {
            rows.reverse();
        }
        let total = rows.len();
        let pages = total.div_ceil(ROWS_PER_PAGE).max(1);
        let page = self.page.min(pages);
        let rows = rows.into_iter().skip((page - 1) * ROWS_PER_PAGE).take(ROWS_PER_PAGE).collect();
        TablePage { rows, total, page, pages, query: self.clone() }
    }
}

/// A page of a table.
pub(crate) struct TablePage<T> {
    pub(crate) rows: Vec<T>,
    /// Number of rows on all pages.
    pub(crate) total: usize,
    pub(crate) page: usize,
    pub(crate) pages: usize,
    pub(crate) query: TableQuery,
}

impl<T> TablePage<T> {
    /// Converts the rows to those that the template displays.
    pub(crate) fn map<R>(self, row: impl FnMut(T) -> R) -> TablePage<R> {
        let Self { rows, total, page, pages, query } = self;
        TablePage { rows: rows.into_iter().map(row).collect(), total, page, pages, query }
    }

    /// Returns the query of another page of the same table.
    pub(crate) fn page_query(&self, page: usize) -> String {
        let sign = if self.query.descending { "-" } else { "" };
        format!(
            "?search={}&sort={sign}{}&page={page}",
            encoded(&self.query.search),
            self.query.sort
        )
    }

    /// Returns the query that sorts by a column, or reverses the order if the table is already
    /// sorted by it.
    pub(crate) fn sort_query(&self, column: &str) -> String {
        let down = self.query.sort == column && !self.query.descending;
        let sign = if down { "-" } else { "" };
        format!("?search={}&sort={sign}{column}", encoded(&self.query.search))
    }

    /// Returns the value of `aria-sort` for a column.
    pub(crate) fn aria_sort(&self, column: &str) -> &'static str {
        match (self.query.sort == column, self.query.descending) {
            (false, _) => "none",
            (true, false) => "ascending",
            (true, true) => "descending",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(text: &str) -> TableQuery {
        TableQuery::parse(&Fields::parse(text.as_bytes()), &["name", "created"])
    }

    #[test]
    fn a_table_is_cut_into_pages_and_never_beyond_them() {
        let rows: Vec<usize> = (0..60).collect();
        let page = query("page=3").paginate(rows.clone());
        assert_eq!((page.page, page.pages, page.total, page.rows.len()), (3, 3, 60, 10));
        for text in ["page=99", "page=-1", "page=0", "page=x", ""] {
            let page = query(text).paginate(rows.clone());
            assert!((1..=3).contains(&page.page), "{text}");
        }
        assert_eq!(query("").paginate(Vec::<usize>::new()).pages, 1);
    }

    #[test]
    fn a_table_is_sorted_by_known_columns_alone() {
        assert_eq!(query("sort=-created").paginate(vec![1, 2]).rows, [2, 1]);
        assert_eq!(query("sort=secret").sort, "name");
        let page = query("sort=name&search=a%26b").paginate(vec![1]);
        assert_eq!(page.sort_query("name"), "?search=a%26b&sort=-name");
        assert_eq!(page.sort_query("created"), "?search=a%26b&sort=created");
        assert_eq!((page.aria_sort("name"), page.aria_sort("created")), ("ascending", "none"));
    }

    #[test]
    fn a_search_finds_any_text_of_a_row_whatever_its_case() {
        assert!(query("search=ALPH").matches(&["x", "Alpha"]));
        assert!(!query("search=beta").matches(&["x", "Alpha"]));
        assert!(query("").matches(&[]));
    }
}

//! Checks the documents on security: each test and each file that they name exists, and each point
//! of the standard has a row with a known state.

use std::collections::BTreeSet;
use std::fmt::Write;

use proc_macro2::{TokenStream, TokenTree};

use super::source::Sources;

/// The document with a row for each point of OWASP ASVS.
pub(crate) const POINTS: &str = "docs/security/asvs.md";

/// The documents that name tests and files.
pub(crate) const DOCUMENTS: &[&str] = &["SECURITY.md", POINTS, "docs/security/inventory.md"];

/// The number of points of levels 1 and 2 in each chapter of ASVS 5.0.0.
const CHAPTERS: [usize; 17] = [27, 11, 19, 10, 9, 35, 18, 7, 7, 29, 14, 9, 13, 9, 13, 16, 7];

/// The states that a point can have.
const STATES: [&str; 4] = ["holds", "partly", "does not hold", "does not apply"];

/// The folders of the crates that modules are named in.
const CRATES: [&str; 6] = ["api", "gatewright", "iam", "panel", "policy", "store"];

/// A row of the table of points.
struct Point<'a> {
    number: Vec<usize>,
    state: &'a str,
    line: usize,
}

impl<'a> Point<'a> {
    /// Reads a row `| number | level | about | state | … |`; returns none for another line.
    fn read(line: usize, row: &'a str) -> Option<Self> {
        let mut cells = row.strip_prefix('|')?.split('|').map(str::trim);
        let number: Result<Vec<usize>, _> = cells.next()?.split('.').map(str::parse).collect();
        let number = number.ok().filter(|number| number.len() == 3)?;
        Some(Self { number, state: cells.nth(2)?, line })
    }
}

/// Finds what a document names and is not there. Modules are named as `crate/module`, files by
/// their path with an extension, and tests by their function.
pub(crate) fn missing(text: &str, sources: &Sources, exists: &dyn Fn(&str) -> bool) -> Vec<String> {
    let mut functions = BTreeSet::new();
    for (_, source) in sources.iter() {
        collect_functions(source.tokens.clone(), &mut functions);
    }
    let mut missing = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        // Every second part is between backticks.
        for name in line.split('`').skip(1).step_by(2) {
            let is_there = match Named::of(name) {
                Named::Test => functions.contains(name),
                Named::Module { file, folder } => exists(&file) || exists(&folder),
                Named::File => exists(name),
                Named::Other => true,
            };
            if !is_there {
                missing.push(format!("{number}: there is no {name}"));
            }
        }
    }
    missing
}

/// The thing that a name between backticks stands for.
enum Named {
    Test,
    Module { file: String, folder: String },
    File,
    Other,
}

impl Named {
    fn of(name: &str) -> Self {
        let is_of = |marks: &str| {
            let known = |c: char| c.is_ascii_alphanumeric() || marks.contains(c);
            !name.is_empty() && name.chars().all(known)
        };
        if name.matches('_').count() >= 2 && is_of("_") && name == name.to_lowercase() {
            return Self::Test;
        }
        let Some((package, module)) = name.split_once('/').filter(|_| is_of("/._-")) else {
            return Self::Other;
        };
        if package.is_empty() {
            return Self::Other;
        }
        if name.contains('.') {
            return Self::File;
        }
        if !CRATES.contains(&package) {
            return Self::Other;
        }
        let folder = format!("crates/{package}/src/{module}");
        Self::Module { file: format!("{folder}.rs"), folder }
    }
}

fn collect_functions(tokens: TokenStream, found: &mut BTreeSet<String>) {
    let mut after_fn = false;
    for token in tokens {
        let is_function = std::mem::take(&mut after_fn);
        match token {
            TokenTree::Group(group) => collect_functions(group.stream(), found),
            TokenTree::Ident(ident) if is_function => drop(found.insert(ident.to_string())),
            TokenTree::Ident(ident) => after_fn = ident == "fn",
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
}

/// Finds rows with an unknown state or out of order, and chapters that lack points.
pub(crate) fn wrong_points(text: &str) -> Vec<String> {
    let points = points(text);
    let mut wrong = Vec::new();
    let mut before: &[usize] = &[];
    for Point { number, state, line } in &points {
        if !STATES.contains(state) {
            wrong.push(format!("{line}: {state:?} is none of {}", STATES.join(", ")));
        }
        if before >= number.as_slice() {
            wrong.push(format!("{line}: the point is there twice, or out of order"));
        }
        before = number;
    }
    for (chapter, expected) in (1..).zip(CHAPTERS) {
        let found = points.iter().filter(|point| point.number.first() == Some(&chapter)).count();
        if found != expected {
            wrong.push(format!("V{chapter} has {found} points, and the standard {expected}"));
        }
    }
    wrong
}

/// Counts the points by chapter and state, as a table.
pub(crate) fn counts(text: &str) -> String {
    let points = points(text);
    let mut table = format!("| chapter | points | {} |\n", STATES.join(" | "));
    table.push_str("| --- | --: | --: | --: | --: | --: |\n");
    let mut row = |title: &str, points: &[&Point<'_>]| {
        let count = |state: &&str| points.iter().filter(|point| point.state == *state).count();
        let counts: Vec<String> = STATES.iter().map(|state| count(state).to_string()).collect();
        let _ = writeln!(table, "| {title} | {} | {} |", points.len(), counts.join(" | "));
    };
    for title in text.lines().filter_map(|line| line.strip_prefix("## V")) {
        let (number, name) = title.split_once(' ').unwrap_or((title, ""));
        let of_chapter = |point: &&Point<'_>| {
            point.number.first().is_some_and(|chapter| number == chapter.to_string())
        };
        let points: Vec<&Point<'_>> = points.iter().filter(of_chapter).collect();
        row(&format!("V{number} {name}"), &points);
    }
    row("all", &points.iter().collect::<Vec<_>>());
    table
}

/// Reads the rows of all points.
fn points(text: &str) -> Vec<Point<'_>> {
    (1..).zip(text.lines()).filter_map(|(line, row)| Point::read(line, row)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_document_names_must_be_there() {
        let test = "#[test] fn it_is_so() {} on_both! { async fn it_is_not() {} }";
        let sources = Sources::of(&[("crates/iam/src/core/span.rs", test)]);
        let exists = |path: &str| {
            ["crates/iam/src/core/span.rs", "crates/iam/src/core", "Cargo.toml", "docs/a.md"]
                .contains(&path)
        };
        let missing = |text: &str| missing(text, &sources, &exists);
        let there = "`it_is_so`, `it_is_not`, `iam/core/span`, `iam/core`, `docs/a.md`, it_is_gone";
        assert!(missing(there).is_empty());
        assert!(
            missing("`/v1/me`, `__Host-`, `GATEWRIGHT_LOG_DAYS`, `text/html`, `a b.c`").is_empty()
        );
        for gone in ["it_is_gone", "iam/core/gone", "docs/gone.md"] {
            assert_eq!(missing(&format!("a\n`{gone}`")), [format!("2: there is no {gone}")]);
        }
    }

    const ROWS: &str = "## V1 One\n\n| 1.1.1 | 1 | a | holds | `x` |\n| 1.1.10 | 2 | b | partly | |\n\
                        ## V2 Two\n\n| 2.1.1 | 2 | c | does not hold | d |\n";

    #[test]
    fn points_are_counted_by_chapter_and_state() {
        let counts = counts(ROWS);
        let rows: Vec<&str> = counts.lines().skip(2).collect();
        assert_eq!(
            rows,
            [
                "| V1 One | 2 | 1 | 1 | 0 | 0 |",
                "| V2 Two | 1 | 0 | 0 | 1 | 0 |",
                "| all | 3 | 1 | 1 | 1 | 0 |"
            ]
        );
    }

    #[test]
    fn each_point_is_there_once_in_its_place_and_has_a_known_state() {
        let wrong = wrong_points(ROWS);
        assert_eq!(wrong.first().unwrap(), "V1 has 2 points, and the standard 27");
        let twice = wrong_points("| 1.1.2 | 1 | a | holds | |\n| 1.1.2 | 1 | a | nearly | |");
        assert!(twice[0].starts_with("2: \"nearly\" is none of"), "{}", twice[0]);
        assert_eq!(twice[1], "2: the point is there twice, or out of order");
    }
}

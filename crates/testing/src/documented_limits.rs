//! Reads the limits that `docs/limits.md` states.

const DOCUMENT: &str = include_str!("../../../docs/limits.md");

/// Returns the rows of the document's tables, without the bar at their beginning.
pub fn limit_rows() -> impl Iterator<Item = &'static str> {
    DOCUMENT.lines().filter_map(|line| line.strip_prefix("| "))
}

/// Returns the limit of the one row that begins so, in bytes where it has such a unit.
pub fn documented_limit(beginning: &str) -> u64 {
    let rows: Vec<&str> = limit_rows().filter(|row| row.starts_with(beginning)).collect();
    let [row] = *rows else { panic!("docs/limits.md has {} rows {beginning}", rows.len()) };
    let cell = row.split('|').map(str::trim).nth(1).expect("a cell with the limit");
    let (number, unit) = cell.split_once(' ').unwrap_or((cell, ""));
    let number: u64 = number.replace(',', "").parse().expect("a number");
    match unit {
        "" => number,
        "KiB" => number << 10,
        "MiB" => number << 20,
        unit => panic!("{row}: {unit} is no unit that is known"),
    }
}

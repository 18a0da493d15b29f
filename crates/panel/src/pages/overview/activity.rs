//! Tokens and decisions of the last day or the last 30 days.

use gatewright_iam::{Context, HourlyCounts, Instant};

use crate::chart::Chart;
use crate::error::{PageError, none_if_forbidden};
use crate::request::RequestContext;

/// Period that the charts display.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Period {
    Day,
    Month,
}

impl Period {
    pub(super) fn parse(text: &str) -> Self {
        if text == "days" { Self::Month } else { Self::Day }
    }

    /// Returns the hours of a column, and the number of columns.
    fn columns(self) -> (i64, i64) {
        match self {
            Self::Day => (1, 24),
            Self::Month => (24, 30),
        }
    }

    /// Returns the first hour of the period that ends at an instant.
    fn first_hour(self, now: Instant) -> Instant {
        let (hours, columns) = self.columns();
        Instant::from_hours(now.hours() - (hours * columns - 1))
    }

    /// Returns the name of the column that begins with an hour: a time of day, or a date.
    fn column_name(self, hour: Instant) -> String {
        let text = hour.to_string();
        let part = match self {
            Self::Day => text.get(11..16),
            Self::Month => text.get(5..10),
        };
        part.unwrap_or(&text).to_owned()
    }
}

/// Tokens and decisions of a period.
pub(super) struct Activity {
    pub(super) tokens: i64,
    pub(super) allowed: i64,
    pub(super) refused: i64,
    pub(super) token_chart: String,
    pub(super) decision_chart: String,
    pub(super) rows: Vec<ActivityRow>,
}

/// Counts of an hour or a day.
pub(super) struct ActivityRow {
    pub(super) name: String,
    pub(super) tokens: i64,
    pub(super) allowed: i64,
    pub(super) refused: i64,
}

/// Returns the activity of the account; none if the reader has no permission.
pub(super) async fn activity(
    request: &RequestContext,
    context: &Context,
    period: Period,
) -> Result<Option<Activity>, PageError> {
    let first_hour = period.first_hour(request.now);
    let counts = none_if_forbidden(request.iam.hourly_counts(context, first_hour).await)?;
    counts.map(|counts| draw(rows(period, first_hour, &counts))).transpose()
}

/// Sums the counts of the hours of each column.
fn rows(period: Period, first_hour: Instant, counts: &[HourlyCounts]) -> Vec<ActivityRow> {
    let (hours, columns) = period.columns();
    let row = |column: i64| {
        let begin = first_hour.hours() + hours * column;
        let of_column = |one: &&HourlyCounts| (begin..begin + hours).contains(&one.hour.hours());
        let sum =
            |count: fn(&HourlyCounts) -> i64| counts.iter().filter(of_column).map(count).sum();
        ActivityRow {
            name: period.column_name(Instant::from_hours(begin)),
            tokens: sum(|one| one.tokens),
            allowed: sum(|one| one.allowed),
            refused: sum(|one| one.refused),
        }
    };
    (0..columns).map(row).collect()
}

fn draw(rows: Vec<ActivityRow>) -> Result<Activity, PageError> {
    let columns: Vec<String> = rows.iter().map(|one| one.name.clone()).collect();
    let tokens: Vec<[i64; 2]> = rows.iter().map(|one| [one.tokens, 0]).collect();
    let decisions: Vec<[i64; 2]> = rows.iter().map(|one| [one.allowed, one.refused]).collect();
    let chart = |counts: &[[i64; 2]]| Chart { columns: &columns, counts }.svg();
    Ok(Activity {
        tokens: rows.iter().map(|one| one.tokens).sum(),
        allowed: rows.iter().map(|one| one.allowed).sum(),
        refused: rows.iter().map(|one| one.refused).sum(),
        token_chart: chart(&tokens)?,
        decision_chart: chart(&decisions)?,
        rows,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_hour_counts_in_its_column_alone() {
        let now = Instant::from_seconds(1_000_000 * 3_600 + 5);
        for (period, hours) in [(Period::Day, 1), (Period::Month, 24)] {
            let first = period.first_hour(now);
            let count = |hour| {
                let hour = Instant::from_hours(hour);
                HourlyCounts { hour, tokens: 1, ..HourlyCounts::default() }
            };
            let hours_before = first.hours() - 5..=1_000_000;
            let counts: Vec<HourlyCounts> = hours_before.map(count).collect();
            let rows = rows(period, first, &counts);
            assert!(rows.iter().all(|one| one.tokens == hours), "{period:?}");
        }
    }
}

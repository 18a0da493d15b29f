//! The table of the steps' times.

use std::fmt;
use std::time::Duration;

/// The outcome of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Passed,
    Failed,
    Skipped,
}

/// The steps of a run with their outcomes and times; prints as a table.
#[derive(Default)]
pub(crate) struct Times(Vec<(&'static str, Outcome, Duration)>);

impl Times {
    pub(crate) fn add(&mut self, step: &'static str, outcome: Outcome, took: Duration) {
        self.0.push((step, outcome, took));
    }

    fn count(&self, outcome: Outcome) -> usize {
        self.0.iter().filter(|(_, one, _)| *one == outcome).count()
    }
}

impl fmt::Display for Times {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.0.iter().map(|(step, ..)| step.len()).max().unwrap_or(0).max(5);
        writeln!(to, "\n| {:width$} |     time | outcome |", "step")?;
        writeln!(to, "|{:-<1$}|---------:|---------|", "", width + 2)?;
        for (step, outcome, took) in &self.0 {
            let outcome = match outcome {
                Outcome::Passed => "passed",
                Outcome::Failed => "FAILED",
                Outcome::Skipped => "not run",
            };
            writeln!(to, "| {step:width$} | {} | {outcome:7} |", minutes(*took))?;
        }
        let total = self.0.iter().map(|(.., took)| took).sum();
        writeln!(to, "| {:width$} | {} |         |\n", "total", minutes(total))?;
        let [passed, failed, skipped] =
            [Outcome::Passed, Outcome::Failed, Outcome::Skipped].map(|one| self.count(one));
        write!(to, "steps: {passed} passed, {failed} failed")?;
        if skipped > 0 {
            write!(to, ", {skipped} skipped")?;
        }
        writeln!(to)
    }
}

/// Formats a time as minutes and seconds.
fn minutes(time: Duration) -> String {
    let seconds = time.as_secs_f64().round();
    format!("{:3}:{:02} m", (seconds / 60.0).floor(), seconds % 60.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_a_table_and_a_count() {
        let mut times = Times::default();
        times.add("format", Outcome::Passed, Duration::from_millis(1700));
        times.add("tests", Outcome::Failed, Duration::from_secs(3723));
        times.add("fuzz", Outcome::Skipped, Duration::ZERO);
        let expected = "
| step   |     time | outcome |
|--------|---------:|---------|
| format |   0:02 m | passed  |
| tests  |  62:03 m | FAILED  |
| fuzz   |   0:00 m | not run |
| total  |  62:05 m |         |

steps: 1 passed, 1 failed, 1 skipped
";
        assert_eq!(times.to_string(), expected);
    }
}

//! The measurements of a run, in the format of the documents.

use std::fmt;

/// The measurements of a run; prints as a table.
#[derive(Default)]
pub(crate) struct Figures {
    step: &'static str,
    rows: Vec<(&'static str, String, String)>,
}

impl Figures {
    /// Sets the step that the next measurements belong to.
    pub(crate) fn begin(&mut self, step: &'static str) {
        self.step = step;
    }

    /// Adds a measurement with its unit.
    pub(crate) fn add(&mut self, what: impl Into<String>, figure: impl fmt::Display) {
        self.rows.push((self.step, what.into(), figure.to_string()));
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.rows.is_empty() {
            return Ok(());
        }
        writeln!(to, "\n| step | what | figure |\n|---|---|---:|")?;
        self.rows
            .iter()
            .try_for_each(|(step, what, figure)| writeln!(to, "| {step} | {what} | {figure} |"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_rows_of_their_step() {
        let mut figures = Figures::default();
        assert_eq!(figures.to_string(), "");
        figures.begin("soak");
        figures.add("memory at the end", "25 MB");
        assert!(figures.to_string().ends_with("|\n| soak | memory at the end | 25 MB |\n"));
    }
}

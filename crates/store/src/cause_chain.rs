//! Errors with all their causes, for the log.

use std::error::Error;
use std::fmt;

/// Displays an error and its causes in one line, the outermost first.
///
/// Our errors leave their cause to `source`; those of libraries often repeat it in their own text,
/// so a cause that has just been printed is left out.
#[derive(Debug, Clone, Copy)]
pub struct CauseChain<'a>(pub &'a (dyn Error + 'static));

impl fmt::Display for CauseChain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut last = self.0.to_string();
        f.write_str(&last)?;
        let mut next = self.0.source();
        while let Some(cause) = next {
            let text = cause.to_string();
            if !last.ends_with(&text) {
                write!(f, ": {text}")?;
                last = text;
            }
            next = cause.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::StoreError;

    #[test]
    fn each_cause_is_displayed_once() {
        let lost = std::io::Error::other("reset by peer");
        let error = StoreError::failed("KEYS", sqlx::Error::Io(lost));
        assert_eq!(
            CauseChain(&error).to_string(),
            "the database is unavailable, at KEYS: \
             error communicating with database: reset by peer"
        );
    }
}

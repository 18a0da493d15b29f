//! The setting `log`: a level, or a filter by target.

use std::str::FromStr;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

/// A filter of the log, in the syntax of tracing's `EnvFilter`. A word alone is a level: to
/// `EnvFilter` any other is the name of a target, and a level with a mistake would log nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LogFilter(String);

impl LogFilter {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for LogFilter {
    fn default() -> Self {
        Self("info".to_owned())
    }
}

impl FromStr for LogFilter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const LEVELS: &str = "off, error, warn, info, debug, trace";
        let words = directives(text);
        if words.is_empty() {
            return Err(format!("it is empty: give one of {LEVELS}"));
        }
        for word in &words {
            if !word.contains(['=', '[']) && word.parse::<LevelFilter>().is_err() {
                return Err(format!(
                    "{word:?} is none of {LEVELS}; write {word}=trace for all events of a target"
                ));
            }
        }
        // The library takes no spaces behind a comma.
        let filter = words.join(",");
        EnvFilter::try_new(&filter).map_err(|error| error.to_string())?;
        Ok(Self(filter))
    }
}

/// Splits a filter at its commas, but for those among the fields of a span.
fn directives(text: &str) -> Vec<&str> {
    let mut is_inside = false;
    let words = text.split(|one: char| {
        match one {
            '{' => is_inside = true,
            '}' => is_inside = false,
            _ => {}
        }
        one == ',' && !is_inside
    });
    words.map(str::trim).filter(|word| !word.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_is_no_level_is_refused_with_the_levels() {
        for wrong in ["warning", "wran", "banana", "info,gatewright", "gatewright_api", "", " , "] {
            let error = wrong.parse::<LogFilter>().unwrap_err();
            assert!(error.contains("off, error, warn, info, debug, trace"), "{wrong}: {error}");
        }
        assert!("gatewright_api=loud".parse::<LogFilter>().is_err());
        for good in [
            "warn",
            "INFO",
            "off",
            "info,gatewright_api=debug, gatewright_store=trace",
            "gatewright_api=debug",
        ] {
            assert_eq!(good.parse::<LogFilter>().unwrap().as_str(), good.replace(' ', ""));
        }
    }
}

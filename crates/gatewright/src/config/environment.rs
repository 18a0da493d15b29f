//! Warns of variables of the environment that are nearly the name of a setting.
//!
//! They are not refused: many programs and Kubernetes set variables for the same container, whose
//! names begin with the name of a service.

use std::fmt;

/// The prefix of the names of all variables.
const PREFIX: &str = "GATEWRIGHT_";

/// The maximum distance, in letters, at which a setting counts as the one that was meant.
const NEAR: usize = 3;

/// A variable that is no setting, and nearly has the name of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Misspelled {
    pub(super) name: String,
    pub(super) nearest: String,
}

impl fmt::Display for Misspelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, nearest } = self;
        write!(f, "the environment variable {name} is no setting: did you mean {nearest}?")
    }
}

/// Finds the misspelled ones among the names of all variables of the environment.
pub(super) fn misspelled(names: impl Iterator<Item = String>, known: &[&str]) -> Vec<Misspelled> {
    let nearest = |name: &str| {
        let rest = name.strip_prefix(PREFIX).filter(|_| !known.contains(&name))?;
        let near = known.iter().filter_map(|known| {
            let distance = strsim::damerau_levenshtein(known.strip_prefix(PREFIX)?, rest);
            // Of a short name, a few letters are most of it.
            let is_near = distance <= NEAR && distance * 3 < rest.len();
            is_near.then_some((distance, *known))
        });
        near.min().map(|(_, known)| known.to_owned())
    };
    names.filter_map(|name| nearest(&name).map(|nearest| Misspelled { name, nearest })).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[&str] = &[
        "GATEWRIGHT_DATABASE",
        "GATEWRIGHT_LISTEN",
        "GATEWRIGHT_LOG",
        "GATEWRIGHT_MASTER_KEY",
        "GATEWRIGHT_PUBLIC_URL",
        "GATEWRIGHT_REGION",
        "GATEWRIGHT_TRUSTED_PROXIES",
    ];

    fn meant(name: &str) -> Option<String> {
        misspelled(std::iter::once(name.to_owned()), KNOWN).pop().map(|one| one.nearest)
    }

    #[test]
    fn a_variable_that_is_misspelled_names_the_one_that_was_meant() {
        for (wrong, right) in [
            ("GATEWRIGHT_DATABSE", "GATEWRIGHT_DATABASE"),
            ("GATEWRIGHT_MASTERKEY", "GATEWRIGHT_MASTER_KEY"),
            ("GATEWRIGHT_TRUSTED_PROXY", "GATEWRIGHT_TRUSTED_PROXIES"),
            ("GATEWRIGHT_PUBLIC_URI", "GATEWRIGHT_PUBLIC_URL"),
        ] {
            assert_eq!(meant(wrong).as_deref(), Some(right), "{wrong}");
        }
    }

    #[test]
    fn other_variables_are_left_alone() {
        for name in [
            "GATEWRIGHT_DATABASE",
            "GATEWRIGHT_SECRET",
            "GATEWRIGHT_TOKEN",
            "GATEWRIGHT_URL",
            "GATEWRIGHT_TAG",
            "GATEWRIGHT_VERSION",
            "GATEWRIGHT_BASE_URL",
            "GATEWRIGHT_POSTGRES_PASSWORD",
            "GATEWRIGHT_TEST_POSTGRES",
            "GATEWRIGHT_SERVICE_HOST",
            "GATEWRIGHT_SERVICE_PORT_HTTP",
            "GATEWRIGHT_PORT",
            "GATEWRIGHT_PORT_8080_TCP_ADDR",
            "PATH",
        ] {
            assert_eq!(meant(name), None, "{name}");
        }
    }
}

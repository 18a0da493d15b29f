//! Refuses variables of the environment that look like settings and are none.

/// What the names of all variables begin with.
const PREFIX: &str = "GATEWRIGHT_";

/// The variables that belong to the clients of a server and to the tests, and the beginnings of such.
const OTHERS: &[&str] =
    &["URL", "ID", "SECRET", "TOKEN", "WRITE_DOCS", "SCREENSHOTS", "PANEL_ASSETS"];
const OTHER_BEGINNINGS: &[&str] = &["TEST_"];

/// The maximum distance, in letters, at which a setting counts as the one that was meant.
const NEAR: usize = 5;

/// A variable of the environment that would be taken for a setting, and is none.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the environment variable {name} is no setting{}; correct or unset it", suggestion(.nearest.as_deref()))]
pub(crate) struct UnknownVariable {
    name: String,
    nearest: Option<String>,
}

fn suggestion(nearest: Option<&str>) -> String {
    nearest.map(|nearest| format!(": did you mean {nearest}?")).unwrap_or_default()
}

/// Checks the names of all variables of the environment, of which some are known as settings.
pub(super) fn check(
    names: impl Iterator<Item = String>,
    known: &[&str],
) -> Result<(), UnknownVariable> {
    for name in names {
        let Some(rest) = name.strip_prefix(PREFIX) else { continue };
        if known.contains(&&*name) || is_of_others(rest) || is_of_kubernetes(rest) {
            continue;
        }
        let distance = |known: &&&str| strsim::damerau_levenshtein(known, &name);
        let nearest = known.iter().filter(|known| distance(known) <= NEAR).min_by_key(distance);
        let nearest = nearest.map(|&nearest| nearest.to_owned());
        return Err(UnknownVariable { name, nearest });
    }
    Ok(())
}

fn is_of_others(rest: &str) -> bool {
    OTHERS.contains(&rest) || OTHER_BEGINNINGS.iter().any(|start| rest.starts_with(start))
}

/// Returns whether Kubernetes sets a variable, in every container beside a service whose name begins
/// with this program's.
fn is_of_kubernetes(rest: &str) -> bool {
    let end = |mark: &str| rest.starts_with(mark) || rest.contains(&format!("_{mark}"));
    end("SERVICE_HOST") || end("SERVICE_PORT") || rest == "PORT" || rest.ends_with("_PORT") || {
        let parts: Vec<&str> = rest.split('_').collect();
        parts.windows(3).any(|three| match three {
            ["PORT", number, protocol] => {
                number.parse::<u16>().is_ok() && ["TCP", "UDP", "SCTP"].contains(protocol)
            }
            _ => false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[&str] = &[
        "GATEWRIGHT_DATABASE",
        "GATEWRIGHT_MASTER_KEY",
        "GATEWRIGHT_PUBLIC_URL",
        "GATEWRIGHT_TRUSTED_PROXIES",
    ];

    fn check_one(name: &str) -> Result<(), String> {
        check(std::iter::once(name.to_owned()), KNOWN).map_err(|error| error.to_string())
    }

    #[test]
    fn a_variable_that_is_misspelled_is_refused_with_the_one_that_was_meant() {
        for (wrong, meant) in [
            ("GATEWRIGHT_DATABSE", "GATEWRIGHT_DATABASE"),
            ("GATEWRIGHT_MASTERKEY", "GATEWRIGHT_MASTER_KEY"),
            ("GATEWRIGHT_TRUSTED_PROXY", "GATEWRIGHT_TRUSTED_PROXIES"),
            ("GATEWRIGHT_PUBLIC_URI", "GATEWRIGHT_PUBLIC_URL"),
        ] {
            let error = check_one(wrong).unwrap_err();
            assert!(error.contains(wrong) && error.contains(meant), "{error}");
        }
        let error = check_one("GATEWRIGHT_NOTHING_LIKE_ANY_OF_THEM").unwrap_err();
        assert!(!error.contains("did you mean"), "{error}");
    }

    #[test]
    fn other_variables_are_left_alone() {
        for name in [
            "GATEWRIGHT_DATABASE",
            "GATEWRIGHT_SECRET",
            "GATEWRIGHT_TEST_POSTGRES",
            "GATEWRIGHT_SERVICE_HOST",
            "GATEWRIGHT_SERVICE_PORT_HTTP",
            "GATEWRIGHT_PORT",
            "GATEWRIGHT_PORT_8080_TCP_ADDR",
            "GATEWRIGHT_PANEL_PORT_80_TCP",
            "GATEWRIGHT_PANEL_SERVICE_HOST",
            "PATH",
        ] {
            assert_eq!(check_one(name), Ok(()), "{name}");
        }
    }
}

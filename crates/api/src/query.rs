//! Parses the query of a URL.

use gatewright_iam::{Fault, IamError, Input};

/// The decoded names and values, in the order in which they were sent.
#[derive(Debug, Default)]
pub(crate) struct Query(Vec<(String, String)>);

/// The error of a parameter that is repeated, where it may be sent once.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the parameter may be sent once only")]
pub(crate) struct Repeated;

impl Query {
    /// Parses the query of a URL. A parameter with the value `null` counts as absent: some clients
    /// send that for a missing value.
    pub(crate) fn parse(text: &str) -> Self {
        let pairs = url::form_urlencoded::parse(text.as_bytes());
        let pairs = pairs.filter(|(_, value)| value != "null");
        Self(pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect())
    }

    /// Returns all values of a repeated parameter.
    pub(crate) fn all(&self, name: &str) -> Vec<String> {
        self.0.iter().filter(|(one, _)| one == name).map(|(_, value)| value.clone()).collect()
    }

    /// Returns the first value of a parameter.
    pub(crate) fn first(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(one, _)| one == name).map(|(_, value)| value.as_str())
    }

    /// Returns the value of a parameter that may occur at most once.
    pub(crate) fn only(&self, name: &str) -> Result<Option<&str>, Repeated> {
        let mut values = self.0.iter().filter(|(one, _)| one == name);
        let first = values.next().map(|(_, value)| value.as_str());
        if values.next().is_some() { Err(Repeated) } else { Ok(first) }
    }

    /// Returns the value of a text that may occur at most once, and is not empty.
    pub(crate) fn text(&self, name: &str) -> Input<Option<&str>> {
        match self.only(name) {
            Ok(Some("")) => {
                Err(IamError::invalid(Fault::Missing, format!("\"{name}\" must not be empty")))
            }
            Ok(value) => Ok(value),
            Err(Repeated) => {
                let message = format!("\"{name}\" must be sent once only");
                Err(IamError::invalid(Fault::Parameter, message))
            }
        }
    }

    /// Refuses parameters of other names.
    pub(crate) fn check_names(&self, names: &[&str]) -> Input<()> {
        match self.0.iter().find(|(name, _)| !names.contains(&name.as_str())) {
            None => Ok(()),
            Some((name, _)) => {
                let names = names.join(", ");
                let message = format!("there is no parameter \"{name}\", only {names}");
                Err(IamError::invalid(Fault::Parameter, message))
            }
        }
    }

    /// Parses a boolean parameter.
    pub(crate) fn flag(&self, name: &str) -> Input<Option<bool>> {
        match self.first(name) {
            None | Some("") => Ok(None),
            Some("true" | "1") => Ok(Some(true)),
            Some("false" | "0") => Ok(Some(false)),
            Some(_) => {
                let message = format!("\"{name}\" must be true or false");
                Err(IamError::invalid(Fault::Format, message))
            }
        }
    }

    /// Returns the canonical text of the filters, which ties a cursor to them.
    pub(crate) fn canonical(&self) -> String {
        let mut pairs = self.0.clone();
        pairs.sort();
        format!("{pairs:?}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_is_as_good_as_nothing() {
        let query = Query::parse("details=null&action=null&action=a&tags=null&after=null&after=7");
        assert_eq!(query.flag("details").ok(), Some(None));
        assert_eq!(query.all("action"), ["a"]);
        assert_eq!(query.first("tags"), None);
        assert_eq!(query.only("after"), Ok(Some("7")));
        assert_eq!(query.canonical(), Query::parse("after=7&action=a").canonical());
    }
}

//! The query of a URL.

use gatewright_iam::{Fault, IamError, Input};

/// Names and values, decoded, in the order in which they were sent.
#[derive(Debug, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub(crate) fn parse(text: &str) -> Self {
        Self(url::form_urlencoded::parse(text.as_bytes()).into_owned().collect())
    }

    /// Every value of a name: arrays repeat it.
    pub(crate) fn all(&self, name: &str) -> Vec<String> {
        self.0.iter().filter(|(one, _)| one == name).map(|(_, value)| value.clone()).collect()
    }

    pub(crate) fn first(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(one, _)| one == name).map(|(_, value)| value.as_str())
    }

    /// The value of a name that may be there once at most.
    pub(crate) fn only(&self, name: &str) -> Result<Option<&str>, ()> {
        let mut values = self.0.iter().filter(|(one, _)| one == name);
        let first = values.next().map(|(_, value)| value.as_str());
        if values.next().is_some() { Err(()) } else { Ok(first) }
    }

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

    /// The same text for the same filters, to tie cursors to.
    pub(crate) fn canonical(&self) -> String {
        let mut pairs = self.0.clone();
        pairs.sort();
        format!("{pairs:?}")
    }
}

//! Parses the forms of the OAuth2 endpoints.

use std::collections::HashSet;

use gatewright_iam::Secret;

use crate::error::ApiError;

/// The parameters that other standards let repeat (RFC 8707, section 2; RFC 8693, section 2.1); they
/// mean nothing here.
const REPEATABLE: [&str; 2] = ["resource", "audience"];

/// The maximum number of characters of a name in an error.
const MAX_NAME: usize = 100;

/// The decoded fields of a form. Some are secrets, so there is no `Debug`, and all are wiped.
pub(crate) struct FormFields(Vec<(String, Secret)>);

impl FormFields {
    /// Parses the fields of a form. Each may occur once, known or not (RFC 6749, section 3.2).
    pub(crate) fn parse(text: &str) -> Result<Self, ApiError> {
        let pairs = url::form_urlencoded::parse(text.as_bytes());
        let pairs = pairs.map(|(name, value)| (name.into_owned(), value.into_owned().into()));
        let fields = Self(pairs.collect());
        let mut seen = HashSet::new();
        let names = fields.0.iter().map(|(name, _)| name.as_str());
        let mut names = names.filter(|name| !REPEATABLE.contains(name));
        match names.find(|name| !seen.insert(*name)) {
            None => Ok(fields),
            Some(name) => {
                let name: String = name.chars().take(MAX_NAME).collect();
                let description = format!("{name} is there more than once");
                Err(ApiError::invalid_request(&description))
            }
        }
    }

    /// Returns the value of a field; an empty value counts as absent (RFC 6749, section 3.1).
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let field = self.0.iter().find(|(one, _)| one == name);
        field.map(|(_, value)| value.reveal()).filter(|value| !value.is_empty())
    }
}

//! Parses the forms of the OAuth2 endpoints.

use gatewright_iam::Secret;

use crate::error::ApiError;

/// The decoded fields of a form. Some are secrets, so there is no `Debug`, and all are wiped.
pub(crate) struct FormFields(Vec<(String, Secret)>);

impl FormFields {
    /// Parses the fields of a form.
    pub(crate) fn parse(text: &str) -> Self {
        let pairs = url::form_urlencoded::parse(text.as_bytes());
        Self(pairs.map(|(name, value)| (name.into_owned(), value.into_owned().into())).collect())
    }

    /// Returns the value of a field, which may occur once; an empty value counts as absent (RFC
    /// 6749, section 3.1).
    pub(crate) fn field(&self, name: &str) -> Result<Option<&str>, ApiError> {
        let mut values = self.0.iter().filter(|(one, _)| one == name);
        let first = values.next().map(|(_, value)| value.reveal());
        if values.next().is_some() {
            let description = format!("{name} is there more than once");
            return Err(ApiError::invalid_request(&description));
        }
        Ok(first.filter(|value| !value.is_empty()))
    }
}

//! Reads forms, as OAuth2's endpoints take them.

use gatewright_iam::Secret;

use crate::error::ApiError;

/// The fields of a form, decoded. Some are secrets, so none is printed and all are wiped.
pub(crate) struct FormFields(Vec<(String, Secret)>);

impl FormFields {
    /// Reads the fields of a form.
    pub(crate) fn parse(text: &str) -> Self {
        let pairs = url::form_urlencoded::parse(text.as_bytes());
        Self(pairs.map(|(name, value)| (name.into_owned(), value.into_owned().into())).collect())
    }

    /// Gives the value of a field, which may be there once at most; an empty one is as good as none.
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

//! Form that was submitted without a session, to be submitted again after the sign-in.

use std::fmt;

use crate::fields::Fields;

/// Fields of a form whose session has ended. They are carried through the sign-in pages in hidden
/// fields, so that no input is lost; secrets are left out, and nothing is submitted before the user
/// confirms.
#[derive(Clone, Default)]
pub(crate) struct PendingForm(Vec<(String, String)>);

impl PendingForm {
    /// Keeps a form that could not be accepted.
    pub(crate) fn of(form: &Fields) -> Self {
        Self(form.without_secrets())
    }

    /// Reads the form from the hidden fields of a sign-in page.
    pub(crate) fn read(form: &Fields) -> Self {
        let names = form.all("kept-name").map(str::to_owned);
        Self(names.zip(form.all("kept-value").map(str::to_owned)).collect())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn fields(&self) -> &[(String, String)] {
        &self.0
    }
}

impl fmt::Debug for PendingForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PendingForm({} fields)", self.0.len())
    }
}

//! Fields of a query or a form.

use gatewright_iam::Secret;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::form_urlencoded;

/// Names and values in their order. Each value may be a password: none is printed, and all are
/// wiped when the request ends.
#[derive(Debug, Default)]
pub(crate) struct Fields(Vec<(String, Secret)>);

impl Fields {
    /// Parses `name=value&…`.
    pub(crate) fn parse(text: &[u8]) -> Self {
        let fields = form_urlencoded::parse(text);
        Self(fields.map(|(name, value)| (name.into_owned(), value.into_owned().into())).collect())
    }

    /// Returns the first value of that name, trimmed; empty when there is none.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.untrimmed(name).trim()
    }

    /// Returns the first value of that name as it was sent; empty when there is none.
    pub(crate) fn untrimmed(&self, name: &str) -> &str {
        self.all(name).next().unwrap_or("")
    }

    /// Returns the first value of that name as a secret, as it was sent; empty when there is none.
    pub(crate) fn secret(&self, name: &str) -> Secret {
        self.untrimmed(name).to_owned().into()
    }

    /// Returns all values of that name.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.reveal())
    }

    /// Returns all fields except the CSRF token and the secrets, which are never sent to a browser.
    pub(crate) fn without_secrets(&self) -> Vec<(String, String)> {
        let fields = self.0.iter().filter(|(name, _)| !is_secret(name));
        fields.map(|(name, value)| (name.clone(), value.reveal().to_owned())).collect()
    }

    /// Returns the fields as a browser sends them, secrets included, but without the CSRF token.
    pub(crate) fn to_form(&self) -> Secret {
        let fields = self.0.iter().filter(|(name, _)| name != CSRF_TOKEN);
        let fields = fields.map(|(name, value)| (name, value.reveal()));
        form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish().into()
    }
}

fn is_secret(name: &str) -> bool {
    name.contains("password") || [CSRF_TOKEN, "code", "credential"].contains(&name)
}

/// Name of the field with the CSRF token.
pub(crate) const CSRF_TOKEN: &str = "form";

const UNRESERVED: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Encodes a text as one segment of a path, or one value of a query.
pub(crate) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, &UNRESERVED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_is_kept_or_printed() {
        let text = "form=t0k&name=a&password-new=p4s&password=p4s&code=c0d&credential=cr3d&name=b";
        let fields = Fields::parse(text.as_bytes());
        let names: Vec<String> =
            fields.without_secrets().into_iter().map(|(name, value)| name + &value).collect();
        assert_eq!(names, ["namea", "nameb"]);
        for secret in ["t0k", "p4s", "c0d", "cr3d"] {
            assert!(!format!("{fields:?}").contains(secret));
        }
    }

    #[test]
    fn a_form_is_kept_whole_but_for_its_csrf_token() {
        let fields = Fields::parse(b"form=t0k&name=a%26b&group=x&group=y&password=+p+");
        assert_eq!(fields.to_form().reveal(), "name=a%26b&group=x&group=y&password=+p+");
    }

    #[test]
    fn a_field_is_trimmed_but_for_secrets() {
        let fields = Fields::parse(b"name=+a+&password=+p+");
        assert_eq!((fields.get("name"), fields.get("none")), ("a", ""));
        assert_eq!(fields.secret("password").reveal(), " p ");
    }
}

//! CSRF tokens, which prove that a form was rendered by this panel.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{Context, SHA256};
use gatewright_iam::Secret;

/// CSRF token of the forms of one browser and one session.
///
/// It is derived from the form cookie and the session cookie, which no other site can read, and
/// reveals neither. So no token has to be stored, and a token of an ended session is invalid.
pub(crate) struct CsrfToken(Secret);

impl CsrfToken {
    /// Derives the token from the values of the cookies.
    pub(crate) fn derive(form_cookie: &Secret, session_cookie: Option<&Secret>) -> Self {
        let mut hash = Context::new(&SHA256);
        hash.update(b"form ");
        hash.update(form_cookie.reveal().as_bytes());
        hash.update(b" ");
        hash.update(session_cookie.map_or("", Secret::reveal).as_bytes());
        Self(hex::encode(hash.finish()).into())
    }

    /// Checks the token that was submitted with a form, in constant time.
    pub(crate) fn verify(&self, submitted: &str) -> bool {
        verify_slices_are_equal(self.reveal().as_bytes(), submitted.as_bytes()).is_ok()
    }

    /// Returns the text for the hidden field of a form.
    pub(crate) fn reveal(&self) -> &str {
        self.0.reveal()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(form: &str, session: Option<&str>) -> CsrfToken {
        let secret = |text: &str| Secret::from(text.to_owned());
        CsrfToken::derive(&secret(form), session.map(secret).as_ref())
    }

    #[test]
    fn a_token_follows_from_both_cookies_and_from_nothing_else() {
        let own = token("a", Some("s"));
        assert!(own.verify(token("a", Some("s")).reveal()));
        for other in [token("b", Some("s")), token("a", Some("t")), token("a", None)] {
            assert!(!own.verify(other.reveal()));
        }
        assert!(!own.verify(""));
        assert!(!own.verify(&own.reveal()[1..]));
    }
}

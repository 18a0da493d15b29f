//! The two cookies: who is signed in, and which forms are ours.

use aws_lc_rs::digest::{SHA256, digest};
use axum::http::HeaderMap;
use axum::http::header::COOKIE;

/// What the two cookies are called, and whether they are for HTTPS alone.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cookies {
    pub(crate) session: &'static str,
    pub(crate) form: &'static str,
    secure: bool,
}

impl Cookies {
    /// Those of a panel at that URL. The prefix makes browsers refuse what another host sets.
    pub(crate) fn of(public_url: &str) -> Self {
        if public_url.starts_with("https:") {
            Self { session: "__Host-gatewright", form: "__Host-gatewright-form", secure: true }
        } else {
            Self { session: "gatewright", form: "gatewright-form", secure: false }
        }
    }

    /// The header that sets a cookie until the browser closes.
    pub(crate) fn set(self, name: &str, value: &str) -> String {
        let secure = if self.secure { "; Secure" } else { "" };
        format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{secure}")
    }

    /// The header that takes a cookie back.
    pub(crate) fn clear(self, name: &str) -> String {
        format!("{}; Max-Age=0", self.set(name, ""))
    }
}

/// The value of a cookie; none when it is missing, or there twice.
pub(crate) fn read<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let texts = headers.get_all(COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let pairs =
        texts.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let mut values = pairs.filter(|(known, _)| *known == name).map(|(_, value)| value);
    values.next().filter(|_| values.next().is_none())
}

/// What a form must hold: it follows from both cookies, which no other site can read, and tells
/// neither.
pub(crate) fn csrf_token(form: &str, session: Option<&str>) -> String {
    let text = format!("form {form} {}", session.unwrap_or_default());
    let hash = digest(&SHA256, text.as_bytes());
    hex::encode(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_that_is_there_twice_is_not_believed() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, "a=1; gatewright=x".parse().unwrap());
        assert_eq!(read(&headers, "gatewright"), Some("x"));
        assert_eq!(read(&headers, "b"), None);
        headers.append(COOKIE, "gatewright=y".parse().unwrap());
        assert_eq!(read(&headers, "gatewright"), None);
    }

    #[test]
    fn cookies_are_for_https_alone_where_the_panel_is() {
        let cookies = Cookies::of("https://iam.example.com");
        assert!(cookies.set(cookies.session, "x").starts_with("__Host-"));
        assert!(cookies.set(cookies.session, "x").contains("; Secure"));
        assert!(cookies.clear(cookies.session).contains("Max-Age=0"));
    }

    #[test]
    fn a_form_is_proved_by_its_cookies_alone() {
        assert_ne!(csrf_token("a", None), csrf_token("b", None));
        assert_ne!(csrf_token("a", None), csrf_token("a", Some("s")));
        assert_ne!(csrf_token("a", Some("s")), csrf_token("a", Some("t")));
    }
}

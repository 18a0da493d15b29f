//! Cookies: the session, the secret that CSRF tokens are derived from, and the known device.

use axum::http::HeaderMap;
use axum::http::HeaderValue;
use axum::http::header::COOKIE;
use cookie::time::Duration;
use cookie::{Cookie, SameSite};
use gatewright_iam::{DEVICE_KNOWN_FOR, Secret};

use crate::error::PageError;

/// Lifetime of the cookie of a known device.
const DEVICE_LIFETIME: Duration = Duration::seconds(DEVICE_KNOWN_FOR.as_secs().cast_signed());

/// Names and attributes of the cookies.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CookieSettings {
    session: &'static str,
    form: &'static str,
    device: &'static str,
    /// `true` if browsers send them over HTTPS only.
    secure: bool,
}

/// Cookies of a request.
#[derive(Debug)]
pub(crate) struct RequestCookies {
    pub(crate) session: Option<Secret>,
    pub(crate) form: FormCookie,
    /// The cookie of a known device.
    pub(crate) device: Option<Secret>,
}

/// Cookie that CSRF tokens are derived from.
#[derive(Debug)]
pub(crate) enum FormCookie {
    Sent(Secret),
    /// A new secret, since the browser had none: the response sets it.
    New(Secret),
}

impl FormCookie {
    pub(crate) fn value(&self) -> &Secret {
        match self {
            Self::Sent(value) | Self::New(value) => value,
        }
    }
}

impl CookieSettings {
    /// Returns the settings of a panel at that URL. The prefix makes browsers refuse a cookie that
    /// another host sets.
    pub(crate) fn of(public_url: &str) -> Self {
        if public_url.starts_with("https:") {
            Self {
                session: "__Host-gatewright",
                form: "__Host-gatewright-form",
                device: "__Host-gatewright-device",
                secure: true,
            }
        } else {
            Self {
                session: "gatewright",
                form: "gatewright-form",
                device: "gatewright-device",
                secure: false,
            }
        }
    }

    /// Reads the cookies of a request; `new_form_cookie` makes one where the browser has none.
    pub(crate) fn read<E>(
        self,
        headers: &HeaderMap,
        new_form_cookie: impl FnOnce() -> Result<Secret, E>,
    ) -> Result<RequestCookies, E> {
        let form = match value(headers, self.form) {
            Some(value) => FormCookie::Sent(value),
            None => FormCookie::New(new_form_cookie()?),
        };
        let (session, device) = (value(headers, self.session), value(headers, self.device));
        Ok(RequestCookies { session, form, device })
    }

    /// Returns the header that sets the session cookie until the browser closes.
    pub(crate) fn set_session(self, value: &Secret) -> Result<HeaderValue, PageError> {
        self.set(self.session, value)
    }

    /// Returns the header that sets the form cookie until the browser closes.
    pub(crate) fn set_form(self, value: &Secret) -> Result<HeaderValue, PageError> {
        self.set(self.form, value)
    }

    /// Returns the header that sets the cookie of a known device, for as long as browsers keep one.
    pub(crate) fn set_device(self, value: &Secret) -> Result<HeaderValue, PageError> {
        let mut cookie = self.build(self.device, value.reveal());
        cookie.set_max_age(DEVICE_LIFETIME);
        header(&cookie)
    }

    /// Returns the header that removes the session cookie.
    pub(crate) fn remove_session(self) -> Result<HeaderValue, PageError> {
        let mut cookie = self.build(self.session, "");
        cookie.make_removal();
        header(&cookie)
    }

    fn set(self, name: &'static str, value: &Secret) -> Result<HeaderValue, PageError> {
        header(&self.build(name, value.reveal()))
    }

    fn build<'c>(self, name: &'static str, value: &'c str) -> Cookie<'c> {
        Cookie::build((name, value))
            .path("/")
            .http_only(true)
            .same_site(SameSite::Lax)
            .secure(self.secure)
            .build()
    }
}

fn header(cookie: &Cookie<'_>) -> Result<HeaderValue, PageError> {
    Ok(HeaderValue::try_from(cookie.to_string())?)
}

/// Returns the value of a cookie; none if it is missing, or if there are several, since one of them
/// could be forged.
fn value(headers: &HeaderMap, name: &str) -> Option<Secret> {
    let texts = headers.get_all(COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let cookies = texts.flat_map(Cookie::split_parse).filter_map(Result::ok);
    let mut values = cookies.filter(|cookie| cookie.name() == name);
    let first = values.next().filter(|_| values.next().is_none())?;
    Some(first.value().to_owned().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn revealed(headers: &HeaderMap, name: &str) -> Option<String> {
        value(headers, name).map(|value| value.reveal().to_owned())
    }

    #[test]
    fn a_cookie_that_is_there_twice_is_not_believed() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, "a=1; gatewright=x;b".parse().unwrap());
        assert_eq!(revealed(&headers, "gatewright").as_deref(), Some("x"));
        assert_eq!(revealed(&headers, "b"), None);
        headers.append(COOKIE, "gatewright=y".parse().unwrap());
        assert_eq!(revealed(&headers, "gatewright"), None);
    }

    #[test]
    fn cookies_are_for_https_alone_where_the_panel_is() {
        let value = Secret::from("x".to_owned());
        let set = |url: &str| {
            let header = CookieSettings::of(url).set_session(&value).unwrap();
            header.to_str().unwrap().to_owned()
        };
        for url in ["https://iam.example.com", "http://localhost:8080"] {
            let header = set(url);
            for attribute in ["; Path=/", "; HttpOnly", "; SameSite=Lax"] {
                assert!(header.contains(attribute), "{header}");
            }
            assert!(!header.contains("Max-Age") && !header.contains("Expires"), "{header}");
        }
        assert!(set("https://iam.example.com").starts_with("__Host-gatewright=x; "));
        assert!(set("https://iam.example.com").contains("; Secure"));
        assert!(!set("http://localhost:8080").contains("Secure"));
    }

    #[test]
    fn a_cookie_is_removed_with_the_attributes_that_it_was_set_with() {
        let header = CookieSettings::of("https://iam.example.com").remove_session().unwrap();
        let header = header.to_str().unwrap();
        assert!(header.starts_with("__Host-gatewright=; "), "{header}");
        for attribute in ["; Path=/", "; Secure", "; HttpOnly", "; Max-Age=0"] {
            assert!(header.contains(attribute), "{header}");
        }
    }
}

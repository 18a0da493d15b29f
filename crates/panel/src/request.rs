//! Context of a request, as handlers receive it.

use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;

use gatewright_iam::{
    Context, Iam, IamError, Input, Instant, Network, Origin, QueryId, Recipient, Secret, Session,
    SessionAccess,
};

use crate::cookies::{CookieSettings, RequestCookies};
use crate::csrf::CsrfToken;
use crate::error::PageError;
use crate::fields::{CSRF_TOKEN, Fields};
use crate::flash::FLASH_MESSAGES;
use crate::layout::{Banner, Layout, Section};
use crate::text::Texts;

/// Context of a request whose route is known.
pub(crate) struct RequestContext {
    pub(crate) iam: Arc<Iam>,
    pub(crate) texts: Texts,
    /// Path and query, as sent.
    pub(crate) target: String,
    /// Parameters of the path, decoded, by their names.
    pub(crate) parameters: Vec<(String, String)>,
    pub(crate) query: Fields,
    /// Submitted form; empty unless its CSRF token is valid.
    pub(crate) form: Fields,
    pub(crate) user_agent: String,
    pub(crate) ip: Option<IpAddr>,
    pub(crate) query_id: QueryId,
    /// Time of arrival.
    pub(crate) now: Instant,
    pub(crate) session: Option<Session>,
    pub(crate) cookie_settings: CookieSettings,
    pub(crate) cookies: RequestCookies,
    /// Path of the static files of this build.
    pub(crate) assets: Arc<str>,
}

impl RequestContext {
    /// Returns a path parameter by its name. A name that the route's template does not have is a
    /// fault of the program.
    pub(crate) fn parameter(&self, name: &'static str) -> Result<&str, PageError> {
        let parameter = self.parameters.iter().find(|(known, _)| known == name);
        let (_, value) = parameter.ok_or(PageError::MissingParameter(name))?;
        Ok(value)
    }

    /// Returns an identifier in the path; a malformed one names nothing, which is reported only
    /// after the right was checked.
    pub(crate) fn id_parameter<T: FromStr>(
        &self,
        name: &'static str,
    ) -> Result<Input<T>, PageError> {
        Ok(self.parameter(name)?.parse().map_err(|_| IamError::NotFound))
    }

    /// Verifies the CSRF token of a form: this panel rendered it for this browser, in this session.
    pub(crate) fn verify_csrf_token(&self, form: &Fields) -> bool {
        self.csrf_token(self.cookies.session.as_ref()).verify(form.untrimmed(CSRF_TOKEN))
    }

    fn csrf_token(&self, session: Option<&Secret>) -> CsrfToken {
        CsrfToken::derive(self.cookies.form.value(), session)
    }

    /// Returns the session of the signed-in user.
    pub(crate) fn session(&self) -> Result<&Session, PageError> {
        self.session.as_ref().ok_or(PageError::Unauthenticated)
    }

    /// Returns the caller, for use cases.
    pub(crate) fn context(&self) -> Result<Context, PageError> {
        Ok(Context {
            principal: Arc::clone(&self.session()?.principal),
            ip: self.ip,
            query_id: self.query_id,
            now: self.now,
            conditions: None,
        })
    }

    /// Returns the recipient of the response.
    pub(crate) fn recipient(&self) -> Option<Recipient> {
        match &self.session {
            Some(session) => Some(Recipient::Account(session.principal.account().clone())),
            None => self.ip.map(|ip| Recipient::Network(Network::of(ip))),
        }
    }

    /// Returns the origin of a request that is not signed in.
    pub(crate) fn origin(&self) -> Origin {
        Origin {
            user_agent: self.user_agent.clone(),
            ip: self.ip,
            device: self.cookies.device.clone(),
            query_id: self.query_id,
            now: self.now,
        }
    }

    /// Returns the layout of a page.
    pub(crate) fn layout(&self, section: Section) -> Layout {
        self.layout_for(section, self.cookies.session.as_ref())
    }

    /// Returns the layout of a page whose response sets another session cookie.
    pub(crate) fn layout_for(&self, section: Section, session: Option<&Secret>) -> Layout {
        let who = self.session.as_ref().map(|session| {
            let principal = &session.principal;
            let name = principal.identity.name();
            name.map_or(principal.account().to_string(), |name| {
                format!("{}/{name}", principal.account())
            })
        });
        Layout {
            texts: self.texts.clone(),
            assets: Arc::clone(&self.assets),
            query_id: self.query_id,
            who,
            has_menu: self.session.as_ref().is_none_or(|one| one.access == SessionAccess::Full),
            section,
            csrf_token: self.csrf_token(session),
            banner: None,
        }
    }

    /// Returns the layout with the flash message that the query names.
    pub(crate) fn layout_with_flash(&self, section: Section) -> Layout {
        let layout = self.layout(section);
        match FLASH_MESSAGES.iter().find(|key| **key == self.query.get("flash")) {
            Some(key) => layout.with(Banner::success(self.texts.say(key))),
            None => layout,
        }
    }
}

//! A request as pages see it.

use std::net::IpAddr;
use std::sync::Arc;

use gatewright_iam::{Context, Iam, Instant, Origin, QueryId, Session};

use crate::cookies::{Cookies, csrf_token};
use crate::error::PageError;
use crate::fields::{FORM, Fields};
use crate::layout::{Banner, Layout, Section};
use crate::response::HandlerResult;
use crate::text::Texts;

/// A request whose page is known.
pub(crate) struct RequestContext {
    pub(crate) iam: Arc<Iam>,
    pub(crate) texts: Texts,
    /// The path and the query.
    pub(crate) target: String,
    /// The path's parameters, decoded, in their order.
    pub(crate) parameters: Vec<String>,
    pub(crate) query: Fields,
    /// What was sent; nothing unless it is a form of ours.
    pub(crate) form: Fields,
    pub(crate) user_agent: String,
    pub(crate) ip: Option<IpAddr>,
    pub(crate) query_id: QueryId,
    /// When the request came in.
    pub(crate) now: Instant,
    pub(crate) session: Option<Session>,
    pub(crate) cookies: Cookies,
    /// What the cookies hold.
    pub(crate) form_cookie: String,
    pub(crate) session_cookie: Option<String>,
    pub(crate) assets: Arc<str>,
}

impl RequestContext {
    /// A parameter of the path by its place.
    pub(crate) fn parameter(&self, place: usize) -> &str {
        self.parameters.get(place).map_or("", String::as_str)
    }

    /// Whether the form is one that this panel gave to this browser.
    pub(crate) fn has_csrf_token(&self, form: &Fields) -> bool {
        form.exact(FORM) == self.csrf_token(self.session_cookie.as_deref())
    }

    fn csrf_token(&self, session: Option<&str>) -> String {
        csrf_token(&self.form_cookie, session)
    }

    /// The session of who is signed in.
    pub(crate) fn session(&self) -> Result<&Session, PageError> {
        self.session.as_ref().ok_or(PageError::Unauthenticated)
    }

    /// Who asks, for use cases; nobody unless they are signed in.
    pub(crate) fn context(&self) -> Result<Context, PageError> {
        Ok(Context {
            principal: Arc::clone(&self.session()?.principal),
            ip: self.ip,
            query_id: self.query_id,
            now: self.now,
        })
    }

    /// Where the request comes from, while nobody is known to send it.
    pub(crate) fn origin(&self) -> Origin {
        Origin {
            user_agent: self.user_agent.clone(),
            ip: self.ip,
            query_id: self.query_id,
            now: self.now,
        }
    }

    /// What surrounds a page.
    pub(crate) fn layout(&self, section: Section) -> Layout {
        self.layout_for(section, self.session_cookie.as_deref())
    }

    /// The same, for a page that comes with another session.
    pub(crate) fn layout_for(&self, section: Section, session: Option<&str>) -> Layout {
        let who = self.session.as_ref().map(|session| {
            let principal = &session.principal;
            let name = principal.identity.name();
            name.map_or(principal.account().to_owned(), |name| {
                format!("{}/{name}", principal.account())
            })
        });
        Layout {
            texts: self.texts.clone(),
            assets: Arc::clone(&self.assets),
            query_id: self.query_id,
            who,
            section,
            csrf_token: self.csrf_token(session),
            banner: None,
        }
    }

    /// Returns the layout with the flash message that the query names.
    pub(crate) fn layout_with_flash(&self, section: Section) -> Layout {
        let mut layout = self.layout(section);
        let key = FLASH_MESSAGES.iter().find(|key| **key == self.query.get("told"));
        layout.banner = key.map(|key| Banner::success(self.texts.say(key)));
        layout
    }

    /// The page shown again with what was typed, and with what the use case refused of it; any
    /// other failure is a page of its own.
    pub(crate) fn again(
        &self,
        error: PageError,
        section: Section,
        page: impl FnOnce(Layout) -> HandlerResult,
    ) -> HandlerResult {
        let Some(text) = error.validation_message() else { return Err(error) };
        let mut layout = self.layout(section);
        layout.banner = Some(Banner::danger(text));
        page(layout).map(|answer| answer.with_status(error.status()))
    }
}

/// Flash messages: keys of texts that the query `told` may name.
const FLASH_MESSAGES: [&str; 21] = [
    "told-deleted",
    "told-edited",
    "told-detached",
    "told-attached",
    "told-password",
    "told-session-ended",
    "told-user-created",
    "told-user-enabled",
    "told-user-disabled",
    "told-user-deleted",
    "told-resource-created",
    "told-resource-deleted",
    "told-token-deleted",
    "told-totp-removed",
    "told-passkey-added",
    "told-passkey-removed",
    "told-factors-reset",
    "told-group-created",
    "told-group-deleted",
    "told-policy-created",
    "told-policy-deleted",
];

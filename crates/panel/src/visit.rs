//! A request as pages see it.

use std::net::IpAddr;
use std::sync::Arc;

use gatewright_iam::{Context, Iam, Origin, QueryId, Session};

use crate::answer::Answered;
use crate::cookie::{Cookies, form_proof};
use crate::fields::{FORM, Fields};
use crate::frame::{Banner, Frame, Section};
use crate::refusal::Refusal;
use crate::text::Texts;

/// A request whose page is known.
pub(crate) struct Visit {
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
    /// Microseconds since 1970, UTC.
    pub(crate) now: i64,
    pub(crate) session: Option<Session>,
    pub(crate) cookies: Cookies,
    /// What the cookies hold.
    pub(crate) form_cookie: String,
    pub(crate) session_cookie: Option<String>,
    pub(crate) assets: Arc<str>,
}

impl Visit {
    /// A parameter of the path by its place.
    pub(crate) fn parameter(&self, place: usize) -> &str {
        self.parameters.get(place).map_or("", String::as_str)
    }

    /// Whether the form is one that this panel gave to this browser.
    pub(crate) fn has_own_form(&self, form: &Fields) -> bool {
        form.exact(FORM) == self.proof(self.session_cookie.as_deref())
    }

    fn proof(&self, session: Option<&str>) -> String {
        form_proof(&self.form_cookie, session)
    }

    /// The session of who is signed in.
    pub(crate) fn session(&self) -> Result<&Session, Refusal> {
        self.session.as_ref().ok_or(Refusal::SignInFirst)
    }

    /// Who asks, for use cases; nobody unless they are signed in.
    pub(crate) fn context(&self) -> Result<Context, Refusal> {
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
    pub(crate) fn frame(&self, section: Section) -> Frame {
        self.frame_for(section, self.session_cookie.as_deref())
    }

    /// The same, for a page that comes with another session.
    pub(crate) fn frame_for(&self, section: Section, session: Option<&str>) -> Frame {
        let who = self.session.as_ref().map(|session| {
            let principal = &session.principal;
            let name = principal.identity.name();
            name.map_or(principal.account().to_owned(), |name| {
                format!("{}/{name}", principal.account())
            })
        });
        Frame {
            texts: self.texts.clone(),
            assets: Arc::clone(&self.assets),
            query_id: self.query_id,
            who,
            section,
            form: self.proof(session),
            banner: None,
        }
    }

    /// The frame of a page that says how the last thing went.
    pub(crate) fn told(&self, section: Section) -> Frame {
        let mut frame = self.frame(section);
        let told = TOLD.iter().find(|key| **key == self.query.get("told"));
        frame.banner = told.map(|key| Banner::success(self.texts.say(key)));
        frame
    }

    /// The page shown again with what was typed, and with what the use case refused of it; any
    /// other failure is a page of its own.
    pub(crate) fn again(
        &self,
        refusal: Refusal,
        section: Section,
        page: impl FnOnce(Frame) -> Answered,
    ) -> Answered {
        let Some(text) = refusal.about_input() else { return Err(refusal) };
        let mut frame = self.frame(section);
        frame.banner = Some(Banner::danger(text));
        page(frame).map(|answer| answer.with_status(refusal.status()))
    }
}

/// What pages may be asked to tell.
const TOLD: [&str; 21] = [
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

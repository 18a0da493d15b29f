//! Panel: the state that all requests share.

use std::net::IpAddr;
use std::sync::Arc;

use axum::http::header::{ACCEPT_LANGUAGE, USER_AGENT};
use axum::http::request::Parts;
use gatewright_iam::{Iam, IamError, QueryId, Secret, Session, SessionToken};

use crate::assets;
use crate::cookies::CookieSettings;
use crate::error::PageError;
use crate::fields::Fields;
use crate::request::RequestContext;
use crate::text::{Catalogues, TextsError};

/// Options of a panel.
pub struct Options {
    /// Returns the address of a request's client, which may be behind proxies.
    pub address_of: Box<AddressOf>,
}

type AddressOf = dyn Fn(&Parts) -> Option<IpAddr> + Send + Sync;

/// The panel: use cases, texts and settings that its pages share.
pub struct Panel {
    pub(crate) iam: Arc<Iam>,
    pub(crate) cookie_settings: CookieSettings,
    options: Options,
    catalogues: Catalogues,
    assets: Arc<str>,
}

impl Panel {
    /// Creates a panel on these use cases; fails if a catalogue of texts is malformed.
    pub fn new(iam: Arc<Iam>, options: Options) -> Result<Self, TextsError> {
        let cookie_settings = CookieSettings::of(&iam.settings().public_url);
        let (catalogues, assets) = (Catalogues::load()?, assets::base_path().into());
        Ok(Self { iam, cookie_settings, options, catalogues, assets })
    }

    /// Reads a request, except its session and its form.
    pub(crate) fn read(
        &self,
        parts: &Parts,
        query_id: QueryId,
        parameters: Vec<(String, String)>,
    ) -> Result<RequestContext, PageError> {
        let new_form_cookie = || self.iam.new_nonce().map(Secret::from);
        let header = |name| parts.headers.get(name).and_then(|value| value.to_str().ok());
        let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
        Ok(RequestContext {
            iam: Arc::clone(&self.iam),
            texts: self.catalogues.choose(header(ACCEPT_LANGUAGE).unwrap_or("")),
            target: target.to_owned(),
            parameters,
            query: Fields::parse(parts.uri.query().unwrap_or("").as_bytes()),
            form: Fields::default(),
            user_agent: header(USER_AGENT).unwrap_or("").to_owned(),
            ip: (self.options.address_of)(parts),
            query_id,
            now: self.iam.now(),
            session: None,
            cookie_settings: self.cookie_settings,
            cookies: self.cookie_settings.read(&parts.headers, new_form_cookie)?,
            assets: Arc::clone(&self.assets),
        })
    }

    /// Loads the session of a request; none without a cookie, or with that of an ended session.
    pub(crate) async fn session(
        &self,
        request: &RequestContext,
    ) -> Result<Option<Session>, PageError> {
        let cookie = request.cookies.session.as_ref();
        let Some(token) = cookie.and_then(|cookie| SessionToken::parse(cookie.reveal())) else {
            return Ok(None);
        };
        match self.iam.session(&token, request.now).await {
            Ok(session) => Ok(Some(session)),
            Err(IamError::BadCredential) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

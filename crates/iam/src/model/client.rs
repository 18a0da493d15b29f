//! Service accounts and other OAuth2 clients: their documents, inputs and rules.

use std::time::Duration;

use gatewright_policy::{ClientId, Fact, Identity, Instant};
use gatewright_store::Kind;
use serde::{Deserialize, Serialize};

use crate::model::document::{Document, Place};
use crate::model::error::{Fault, IamError};
use crate::model::input::{check_label, check_list, check_text};
use crate::model::precondition::EntityTag;

/// The OAuth2 grant by which a client gets its tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Flow {
    /// Authorization code: the client acts for people who consent.
    AuthorizationCode,
    /// Client credentials: the client acts for itself, as a service account.
    ClientCredentials,
}

/// The document of a client.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ClientDocument {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) flow: Flow,
    pub(crate) callback_urls: Vec<String>,
    pub(crate) created_at: Instant,
    /// True if it may not get or use tokens for now.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) disabled: bool,
    /// The time at which it was last disabled: tokens that were issued before are not valid again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) disabled_at: Option<Instant>,
}

/// An OAuth2 client of the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// The client identifier.
    pub id: ClientId,
    /// The display name; not unique.
    pub name: String,
    /// The description of its purpose.
    pub description: String,
    /// The OAuth2 grant.
    pub flow: Flow,
    /// The redirect URIs.
    pub callback_urls: Vec<String>,
    /// The time of its creation.
    pub created_at: Instant,
    /// True if it may get and use tokens.
    pub enabled: bool,
    /// The URN by which policies name it; none where it acts for people.
    pub identity: Option<String>,
    /// The tag of what is shown of it.
    pub tag: EntityTag,
}

/// The time without use after which a service account is unused.
const UNUSED_AFTER: Duration = Duration::from_hours(90 * 24);

impl Client {
    /// Returns whether a service account counts as unused, by the time of its last use.
    pub fn is_unused(last_used: Option<Instant>, now: Instant) -> bool {
        last_used.is_none_or(|last_used| last_used < now.saturating_sub(UNUSED_AFTER))
    }
}

/// The input that creates a client.
#[derive(Debug, Clone)]
pub struct ClientInput {
    /// The name, 1 to 255 characters.
    pub name: String,
    /// The description, 1 to 255 characters.
    pub description: String,
    /// The OAuth2 grant; it cannot be changed later.
    pub flow: Flow,
    /// The redirect URIs; at least one where it acts for people.
    pub callback_urls: Vec<String>,
}

/// The input that updates a client; fields that are absent stay unchanged.
#[derive(Debug, Clone, Default)]
pub struct ClientEdit {
    /// The name, 1 to 255 characters.
    pub name: Option<String>,
    /// The description, 1 to 255 characters.
    pub description: Option<String>,
    /// The redirect URIs; at least one where it acts for people.
    pub callback_urls: Option<Vec<String>>,
}

impl ClientDocument {
    pub(crate) fn check(&mut self) -> Result<(), IamError> {
        check_label("name", &self.name, 255)?;
        check_text("description", &self.description, 1, 255)?;
        check_list("callbackUrls", &mut self.callback_urls, 100)?;
        if self.flow == Flow::AuthorizationCode && self.callback_urls.is_empty() {
            let message =
                "\"callbackUrls\" needs at least one URL with the flow AUTHORIZATION_CODE";
            return Err(IamError::invalid(Fault::Missing, message));
        }
        for (index, callback) in self.callback_urls.iter().enumerate() {
            let absolute = url::Url::parse(callback).is_ok_and(|url| url.fragment().is_none());
            if !absolute || callback.len() > 2_000 {
                let message = format!("\"callbackUrls[{index}]\" must be a URL without a fragment");
                return Err(IamError::invalid(Fault::Format, message));
            }
        }
        Ok(())
    }
}

impl ClientInput {
    pub(crate) fn document(self, now: Instant) -> Result<ClientDocument, IamError> {
        let mut document = ClientDocument {
            name: self.name,
            description: self.description,
            flow: self.flow,
            callback_urls: self.callback_urls,
            created_at: now,
            disabled: false,
            disabled_at: None,
        };
        document.check()?;
        Ok(document)
    }
}

impl Document for ClientDocument {
    const KIND: Kind = Kind::Client;

    fn facts(
        place: Place<'_>,
        _before: Option<&str>,
        after: Option<&str>,
        _is_managed: &dyn Fn(&str) -> bool,
    ) -> Result<Vec<Fact>, IamError> {
        let identity =
            Identity::service_account(place.region, place.account, &ClientId::new(place.id));
        let client = after.map(Self::read).transpose()?.filter(|client| !client.disabled);
        let identities = client.map(|_| vec![identity.urn().to_owned()]);
        Ok(vec![Fact::Subject { urn: identity.urn().into(), identities }])
    }
}

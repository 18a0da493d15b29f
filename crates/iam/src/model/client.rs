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
    /// The flow of a client that is disabled. Its `flow` is then one that gets no tokens, so that a node
    /// of an older version, which does not know this field, gives it none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) suspended_flow: Option<Flow>,
    /// The time at which it was last enabled: tokens that were issued before are not valid again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) enabled_at: Option<Instant>,
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
    /// Returns whether a service account counts as unused, by the times of its creation and of its
    /// last use.
    pub fn is_unused(created_at: Instant, last_used: Option<Instant>, now: Instant) -> bool {
        last_used.unwrap_or(created_at) < now.saturating_sub(UNUSED_AFTER)
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

/// The accuracy of the dates of tokens.
const DATE_OF_TOKEN: Duration = Duration::from_secs(1);

impl ClientDocument {
    /// Returns the flow that the client has, or will have again once it is enabled.
    pub(crate) fn flow(&self) -> Flow {
        self.suspended_flow.unwrap_or(self.flow)
    }

    /// Returns whether the client may get and use tokens.
    pub(crate) fn is_enabled(&self) -> bool {
        self.suspended_flow.is_none()
    }

    /// Disables the client.
    pub(crate) fn disable(&mut self) {
        let flow = self.flow();
        self.suspended_flow = Some(flow);
        self.flow = Flow::AuthorizationCode;
    }

    /// Enables the client; tokens from before stay invalid. They are dated in whole seconds, those since the
    /// last time a second after it at least: so this time is a second after that as well, however soon it is
    /// and whatever the clock was.
    pub(crate) fn enable(&mut self, now: Instant) {
        if let Some(flow) = self.suspended_flow.take() {
            self.flow = flow;
            let after_last = self.enabled_at.map(|last| last.saturating_add(DATE_OF_TOKEN));
            self.enabled_at = Some(after_last.map_or(now, |after| now.max(after)));
        }
    }

    pub(crate) fn check(&mut self) -> Result<(), IamError> {
        check_label("name", &self.name, 255)?;
        check_text("description", &self.description, 1, 255)?;
        check_list("callbackUrls", &mut self.callback_urls, 100)?;
        if self.flow() == Flow::AuthorizationCode && self.callback_urls.is_empty() {
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
            suspended_flow: None,
            enabled_at: None,
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
        let client = after.map(Self::read).transpose()?.filter(ClientDocument::is_enabled);
        let identities = client.map(|_| vec![identity.urn().to_owned()]);
        Ok(vec![Fact::Subject { urn: identity.urn().into(), identities }])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disabled_client_gets_no_tokens_of_an_older_version_either() {
        let input = ClientInput {
            name: "x".to_owned(),
            description: "y".to_owned(),
            flow: Flow::ClientCredentials,
            callback_urls: Vec::new(),
        };
        let mut client = input.document(Instant::EPOCH).unwrap();
        client.disable();
        client.disable();
        // What an older version reads, which gives tokens for the other flow alone.
        let stored = serde_json::to_value(&client).unwrap();
        assert_eq!(stored["flow"], "AUTHORIZATION_CODE");
        assert!(!client.is_enabled() && client.flow() == Flow::ClientCredentials);
        client.check().unwrap();
        client.enable(Instant::EPOCH);
        assert!(client.is_enabled() && client.flow == Flow::ClientCredentials);
        assert_eq!(client.enabled_at, Some(Instant::EPOCH));
    }
}

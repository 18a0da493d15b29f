//! What a node holds in memory of an account: all that decisions and tokens need, at one revision.

mod follow;
mod views;

use std::sync::Arc;

use foldhash::quality::RandomState;
use gatewright_policy::{
    Members, Plate, PolicySet, Resource as Seen, ResourceUrn, permissions_group_urn,
};
use gatewright_store::{Entry, Kind, Object};
use imbl::{GenericHashMap, OrdSet, shared_ptr::DefaultSharedPtr};
use serde::Deserialize;
use uuid::Uuid;

use crate::catalogue::{Catalogue, MANAGED_OWNER};
use crate::client::{ClientDocument, Flow};
use crate::error::IamError;
use crate::permissions_group::PermissionsGroupDocument;
use crate::resource::ResourceDocument;
use crate::resource_group::ResourceGroupDocument;
use crate::token::RevokedDocument;

pub(crate) use follow::Following;
pub(crate) use views::Views;

type Map<V> = GenericHashMap<Box<str>, V, RandomState, DefaultSharedPtr>;

/// What is needed of a service account to check its secret and its tokens.
#[derive(Debug, Clone)]
pub(crate) struct ClientEntry {
    pub(crate) flow: Flow,
    pub(crate) secret: Arc<[u8]>,
}

/// An account at one revision. A clone shares everything; a change copies the path to what it
/// touches, so it costs the same however much the account holds.
#[derive(Debug, Clone)]
pub(crate) struct View {
    plate: Plate,
    revision: i64,
    policies: PolicySet,
    clients: Map<ClientEntry>,
    resources: Map<Arc<ResourceDocument>>,
    /// When the token would have expired by itself.
    revoked: Map<i64>,
    revoked_in_order: OrdSet<(i64, Box<str>)>,
}

/// What a decision needs of a policy's document.
#[derive(Deserialize)]
struct Rule {
    rule: gatewright_policy::Policy,
}

impl View {
    /// An account of which nothing is known but the groups that every account has.
    fn new(account: &str, plate: Plate, catalogue: &Catalogue) -> Self {
        let mut policies = PolicySet::new(account);
        for group in catalogue.groups() {
            let urn = permissions_group_urn(plate, MANAGED_OWNER, &group.name);
            policies.set_permissions_group(&urn, Arc::clone(&group.compiled));
        }
        Self {
            plate,
            revision: 0,
            policies,
            clients: Map::default(),
            resources: Map::default(),
            revoked: Map::default(),
            revoked_in_order: OrdSet::new(),
        }
    }

    /// The account's policies and groups.
    pub(crate) fn policies(&self) -> &PolicySet {
        &self.policies
    }

    /// A service account that lives.
    pub(crate) fn client(&self, id: &str) -> Option<&ClientEntry> {
        self.clients.get(id)
    }

    pub(crate) fn client_count(&self) -> usize {
        self.clients.len()
    }

    /// A resource of the account by its canonical URN.
    pub(crate) fn resource(&self, urn: &str) -> Option<&Arc<ResourceDocument>> {
        self.resources.get(urn)
    }

    /// All resources of the account with their canonical URNs, in no order.
    pub(crate) fn resources(&self) -> impl Iterator<Item = (&str, &Arc<ResourceDocument>)> {
        self.resources.iter().map(|(urn, resource)| (&**urn, resource))
    }

    /// The resource as conditions see it; one that is not known has no tags.
    pub(crate) fn see<'a>(&'a self, urn: &'a ResourceUrn) -> Seen<'a> {
        let bare = Seen::bare(urn.urn(), urn.kind(), urn.name());
        match self.resources.get(urn.urn()) {
            None => bare,
            Some(resource) => Seen { tags: &resource.tags, ..bare },
        }
    }

    /// Whether the token of that identifier was revoked.
    pub(crate) fn is_revoked(&self, token: &str) -> bool {
        self.revoked.contains_key(token)
    }

    /// Some revoked tokens that have expired since, and need no longer be remembered.
    pub(crate) fn expired_revocations(&self, now: i64, most: usize) -> Vec<String> {
        let expired = self.revoked_in_order.iter().take_while(|(expires, _)| *expires < now);
        expired.take(most).map(|(_, token)| token.to_string()).collect()
    }

    /// Takes a stored object in.
    fn put(&mut self, object: &Object) -> Result<(), IamError> {
        let Object { kind, id, document, secret, .. } = object;
        match kind {
            Kind::Account => {}
            Kind::Client => {
                let ClientDocument { flow, .. } = serde_json::from_str(document)?;
                let secret = secret.as_deref().unwrap_or_default().into();
                self.clients.insert(id.as_str().into(), ClientEntry { flow, secret });
            }
            Kind::Policy => {
                let Rule { rule } = serde_json::from_str(document)?;
                self.policies.insert(rule.compile(self.plate).map_err(IamError::internal)?);
            }
            Kind::PermissionsGroup => {
                let group: PermissionsGroupDocument = serde_json::from_str(document)?;
                let compiled = group.permissions.compile().map_err(IamError::internal)?;
                let urn = self.permissions_group_urn(&group.name);
                self.policies.set_permissions_group(&urn, Arc::new(compiled));
            }
            Kind::ResourceGroup => {
                let group: ResourceGroupDocument = serde_json::from_str(document)?;
                let members = if group.everything {
                    Members::Everything
                } else {
                    group.resources.into_iter().map(String::into_boxed_str).collect()
                };
                self.policies.set_resource_group(uuid(id)?, members);
            }
            Kind::Resource => {
                let resource: ResourceDocument = serde_json::from_str(document)?;
                self.resources.insert(id.as_str().into(), Arc::new(resource));
            }
            Kind::RevokedToken => {
                let RevokedDocument { expires } = serde_json::from_str(document)?;
                self.revoked.insert(id.as_str().into(), expires);
                self.revoked_in_order.insert((expires, id.as_str().into()));
            }
        }
        Ok(())
    }

    /// Applies the next entry of the journal. `secret` is that of a service account that the entry
    /// creates, since the journal holds none.
    fn apply(&mut self, entry: &Entry, secret: Option<Vec<u8>>) -> Result<(), IamError> {
        let id = entry.object.as_str();
        // A group may have been renamed: what goes is what was there before.
        if let (Kind::PermissionsGroup, Some(before)) = (entry.kind, &entry.before) {
            let group: PermissionsGroupDocument = serde_json::from_str(before)?;
            let urn = self.permissions_group_urn(&group.name);
            self.policies.remove_permissions_group(&urn);
        }
        match &entry.after {
            Some(document) => {
                let kept = || self.clients.get(id).map(|client| client.secret.to_vec());
                let secret = secret.or_else(kept);
                // A service account that was created and is gone again is not worth a place.
                if entry.kind != Kind::Client || secret.is_some() {
                    self.put(&Object {
                        kind: entry.kind,
                        id: entry.object.clone(),
                        account: entry.account.clone(),
                        name: None,
                        created: entry.revision,
                        document: document.clone(),
                        secret,
                    })?;
                }
            }
            None => match entry.kind {
                Kind::Account | Kind::PermissionsGroup => {}
                Kind::Client => drop(self.clients.remove(id)),
                Kind::Policy => self.policies.remove(uuid(id)?),
                Kind::ResourceGroup => self.policies.remove_resource_group(uuid(id)?),
                Kind::Resource => drop(self.resources.remove(id)),
                Kind::RevokedToken => {
                    if let Some(expires) = self.revoked.remove(id) {
                        self.revoked_in_order.remove(&(expires, id.into()));
                    }
                }
            },
        }
        self.revision = entry.revision;
        Ok(())
    }

    fn permissions_group_urn(&self, name: &str) -> String {
        permissions_group_urn(self.plate, self.policies.owner(), name)
    }
}

fn uuid(text: &str) -> Result<Uuid, IamError> {
    Uuid::parse_str(text).map_err(IamError::internal)
}

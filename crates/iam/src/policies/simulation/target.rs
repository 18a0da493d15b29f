//! The identities, resources and policies that simulations decide about.

use std::collections::BTreeSet;
use std::sync::Arc;

use gatewright_policy::{
    AccountName, Caller, CompiledPolicy, Identity, IdentityKind, Login, PolicyId, PolicySet,
    Resource as DecidedResource, ResourcePattern, ResourceUrn, Scope, UrnError,
};

use crate::core::iam::Iam;
use crate::engine::view::View;
use crate::model::error::{Fault, IamError};
use crate::model::policy::PolicyInput;
use crate::model::principal_key::user_key;
use crate::model::simulation::Proposal;

/// The maximum number of decisions for one answer.
pub(crate) const MOST_DECISIONS: usize = 300_000;

/// The maximum number of resources that match a pattern and are examined individually.
const MOST_OF_A_PATTERN: usize = 20;

/// The maximum number of members of a resource group that are examined.
const MOST_OF_A_GROUP: usize = 50;

/// A resource, or all resources that a pattern matches, as decisions see it.
pub(crate) struct Target {
    pub(crate) urn: String,
    pub(crate) resource_type: String,
    /// The name, or the pattern of names.
    name: String,
}

/// The error of a stored policy or resource group that names what is no resource.
#[derive(Debug, thiserror::Error)]
#[error("{urn} among resources {source}")]
struct NoResource {
    urn: String,
    source: UrnError,
}

impl NoResource {
    fn of(urn: &str) -> impl FnOnce(UrnError) -> IamError {
        move |source| IamError::internal(Self { urn: urn.to_owned(), source })
    }
}

impl Target {
    fn of(urn: &ResourceUrn) -> Self {
        Self {
            urn: urn.urn().to_owned(),
            resource_type: urn.resource_type().to_owned(),
            name: urn.name().to_owned(),
        }
    }

    /// Returns all resources of a type whose names match a pattern.
    fn matching(base: &str, resource_type: &str, name: String) -> Self {
        Self {
            urn: format!("{base}{resource_type}:{name}"),
            resource_type: resource_type.to_owned(),
            name,
        }
    }

    /// Returns the resource as decisions see it. One that is not registered has no tags, and its
    /// name ends as the pattern does.
    pub(crate) fn decided_resource<'a>(&'a self, view: &'a View) -> DecidedResource<'a> {
        let bare = DecidedResource::bare(&self.urn, &self.resource_type, &self.name);
        view.resources
            .get(&self.urn)
            .map_or(bare, |known| DecidedResource { tags: &known.tags, ..bare })
    }
}

/// The handling of the conditions of a proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Conditions {
    Evaluated,
    Ignored,
}

impl Iam {
    /// Returns the caller of a simulated request, with the groups of a user.
    pub(crate) fn caller(&self, view: &View, identity: &Identity) -> Caller {
        let region = self.settings.region;
        let account = identity.account();
        if identity.kind() == IdentityKind::Account {
            return Caller::root(region, account, Scope::All);
        }
        if identity.kind() == IdentityKind::User
            && account == view.policies().owner()
            && let Some(login) = identity.name().map(Login::new)
            && let Some(user) = view.users.get(&user_key(account, &login))
        {
            return user.principal(region, account).caller;
        }
        Caller::new(region, account, identity, &[], Scope::All)
    }

    pub(crate) fn identity(&self, text: &str) -> Result<Identity, IamError> {
        Identity::parse(text, self.settings.region).map_err(|error| {
            let message = format!("the URN {text} {error}, expected that of an identity");
            IamError::invalid(Fault::ResourceUrn, message)
        })
    }

    /// Returns the identifier and the content of a proposed policy; a new one gets an identifier of
    /// its own, so that it takes the place of no other.
    pub(crate) fn identified(
        &self,
        Proposal { id, input }: Proposal,
    ) -> Result<(PolicyId, Option<PolicyInput>), IamError> {
        Ok((id.map_or_else(|| self.sources.id(), Ok)?, input))
    }

    /// Returns the policies of the account with a proposed change applied.
    pub(crate) fn proposed(
        &self,
        set: &PolicySet,
        proposal: Option<(PolicyId, Option<PolicyInput>)>,
        conditions: Conditions,
    ) -> Result<PolicySet, IamError> {
        let mut set = set.clone();
        if let Some((id, input)) = proposal {
            set.remove(id);
            if let Some(input) = input {
                set.insert(self.compile(input, id, conditions)?);
            }
        }
        Ok(set)
    }

    fn compile(
        &self,
        input: PolicyInput,
        id: PolicyId,
        conditions: Conditions,
    ) -> Result<CompiledPolicy, IamError> {
        let region = self.settings.region;
        let mut rule = input.rule(id, region, &self.settings.limits)?;
        if conditions == Conditions::Ignored {
            rule.conditions = None;
        }
        rule.compile(region).map_err(IamError::internal)
    }

    pub(crate) fn everything(&self) -> String {
        ResourcePattern::everything(self.settings.region)
    }

    /// Returns the resources to examine for the effect of policies about these resources: patterns
    /// first, each by resource type, then individual resources.
    pub(crate) async fn targets(
        &self,
        account: &AccountName,
        view: &Arc<View>,
        resources: &BTreeSet<String>,
    ) -> Result<Vec<Target>, IamError> {
        let region = self.settings.region;
        let base = ResourceUrn::prefix(region);
        let (mut heads, mut single) = (BTreeSet::new(), BTreeSet::new());
        for text in resources {
            match ResourcePattern::parse(text, region).map_err(NoResource::of(text))? {
                ResourcePattern::Prefix(head) => drop(heads.insert(String::from(head))),
                ResourcePattern::One(urn) => drop(single.insert(String::from(urn))),
                ResourcePattern::Everything => drop(heads.insert(base.clone())),
                ResourcePattern::AnyGroup => {
                    let grouped = view.policies().grouped_resources();
                    single.extend(grouped.take(MOST_OF_A_GROUP).map(str::to_owned));
                }
                ResourcePattern::Group(id) => {
                    let group = self.find_resource_group(account, id).await?;
                    match group {
                        Some(group) if group.read_only => drop(heads.insert(base.clone())),
                        group => {
                            let members = group.map(|one| one.resources).unwrap_or_default();
                            single.extend(members.into_iter().take(MOST_OF_A_GROUP));
                        }
                    }
                }
            }
        }
        let catalogue = self.catalogue();
        let mut targets = Vec::new();
        for head in &heads {
            let malformed = NoResource::of(head);
            let rest = head.strip_prefix(&base).ok_or(UrnError::Malformed).map_err(malformed)?;
            if let Some((resource_type, name)) = rest.split_once(':') {
                targets.push(Target::matching(&base, resource_type, format!("{name}*")));
            } else {
                // A prefix that ends within a type matches every type that begins with it.
                let types =
                    catalogue.types().filter(|resource_type| resource_type.starts_with(rest));
                targets.extend(
                    types.map(|resource_type| {
                        Target::matching(&base, resource_type, "*".to_owned())
                    }),
                );
            }
        }
        let known =
            view.resources.iter().filter(|(urn, _)| heads.iter().any(|head| urn.starts_with(head)));
        let known: BTreeSet<String> = known.map(|(urn, _)| urn.to_owned()).collect();
        single.extend(known.into_iter().take(MOST_OF_A_PATTERN * heads.len()));
        for urn in single {
            let urn = ResourceUrn::parse(&urn, region).map_err(NoResource::of(&urn))?;
            targets.push(Target::of(&urn));
        }
        Ok(targets)
    }
}

//! What policies come to: a decision with its reasons, what somebody may do, what a change would
//! change. Nothing here is written down, and nothing is allowed by it.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use gatewright_policy::{
    Block, Caller, CompiledPolicy, Environment, Identity, IdentityKind, Outcome, PolicySet,
    Request, Resource as Seen, ResourcePattern, ResourceUrn, Scope, compare, decide, explain,
};
use uuid::Uuid;

use crate::caller::Context;
use crate::error::{Fault, IamError};
use crate::group::key;
use crate::iam::Iam;
use crate::input::Input;
use crate::log::Reason;
use crate::policy::PolicyInput;
use crate::rights;
use crate::view::View;

/// So many decisions are made for one answer.
const MOST_DECISIONS: usize = 300_000;

/// So many resources that fit a pattern are examined one by one.
const MOST_OF_A_PATTERN: usize = 20;

/// So many members of a resource group are examined.
const MOST_OF_A_GROUP: usize = 50;

/// A request to try.
#[derive(Debug, Clone)]
pub struct Simulation {
    /// The URN of who asks.
    pub identity: String,
    /// What they want to do.
    pub action: String,
    /// The URN of what they want to do it on.
    pub resource: String,
    /// From where.
    pub ip: Option<IpAddr>,
    /// When: microseconds since 1970, UTC.
    pub at: i64,
}

/// A policy as it may become: one that is changed, made, or deleted.
#[derive(Debug, Clone)]
pub struct Proposal {
    /// The policy that is changed; none when one is made.
    pub id: Option<Uuid>,
    /// What it shall be; none when it is deleted.
    pub input: Option<PolicyInput>,
}

/// Which part of a policy decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// The policy's own permissions.
    Own,
    /// A permissions group, by its URN.
    Group(String),
}

impl From<Block<'_>> for Part {
    fn from(block: Block<'_>) -> Self {
        match block {
            Block::Own => Self::Own,
            Block::Group(urn) => Self::Group(urn.to_owned()),
        }
    }
}

/// What came of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Contribution {
    /// It forbids the action.
    Denies(Part),
    /// It allows the action.
    Allows(Part),
    /// It takes the action out of what it allows.
    Excepts(Part),
    /// It has expired.
    Expired,
    /// It is about other resources.
    OtherResource,
    /// Its conditions do not hold.
    ConditionFails,
    /// It is about other actions.
    OtherAction,
}

impl From<Outcome<'_>> for Contribution {
    fn from(outcome: Outcome<'_>) -> Self {
        match outcome {
            Outcome::Denies(block) => Self::Denies(block.into()),
            Outcome::Grants(block) => Self::Allows(block.into()),
            Outcome::Excepted(block) => Self::Excepts(block.into()),
            Outcome::Expired => Self::Expired,
            Outcome::OtherResource => Self::OtherResource,
            Outcome::ConditionFails => Self::ConditionFails,
            Outcome::OtherAction => Self::OtherAction,
        }
    }
}

/// A policy that was examined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvaluatedPolicy {
    /// The policy.
    pub policy: Uuid,
    /// What it is called; none where it is not stored, as a proposal or the role of a group.
    pub name: Option<String>,
    /// The URN by which it is about who asks.
    pub identity: String,
    /// What came of it.
    pub contribution: Contribution,
}

/// A decision with its reasons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimulationResult {
    /// Whether they may.
    pub allowed: bool,
    /// Why.
    pub reason: Reason,
    /// The policy that decided.
    pub policy: Option<Uuid>,
    /// Every policy that names who asks.
    pub evaluated: Vec<EvaluatedPolicy>,
}

/// What an identity may do on something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EffectivePermissions {
    /// The type of the resource.
    pub kind: String,
    /// The URN of a resource, or a pattern.
    pub resource: String,
    /// The actions.
    pub actions: Vec<String>,
    /// How many of them only where the conditions of policies hold, which they do not at present.
    pub conditional: usize,
    /// How many actions there are on resources of this type.
    pub total: usize,
}

/// What an identity would gain and lose on something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessDiff {
    /// The URN of the identity.
    pub identity: String,
    /// The URN of a resource, or a pattern.
    pub resource: String,
    /// The actions that it gains.
    pub gained: Vec<String>,
    /// The actions that it loses.
    pub lost: Vec<String>,
}

/// What becomes of the conditions of a policy, which no list of rights shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ConditionsChange {
    /// It had none, and gets none.
    #[default]
    None,
    /// They stay as they are, or there was no policy before, or is none after.
    Stay,
    /// They are others.
    Change,
}

/// What a proposal would change.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AccessDiffs {
    /// For whom, on what.
    pub diffs: Vec<AccessDiff>,
    /// Whether not all of it was examined, since it is too much.
    pub is_part: bool,
    /// What becomes of its conditions, which are taken to hold.
    pub conditions: ConditionsChange,
    /// Whether the caller could not change policies any more.
    pub locks_out: bool,
}

/// What somebody should look at among the policies of an account.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Findings {
    /// Those that allow every action, now and later.
    pub everything: Vec<Uuid>,
    /// Those that name an identity of the account that is gone.
    pub gone: Vec<Uuid>,
    /// Those that name nobody.
    pub nobody: Vec<Uuid>,
    /// Those that expire soon, and when: microseconds since 1970, UTC.
    pub expiring: Vec<(i64, Uuid)>,
    /// Those that have expired.
    pub expired: Vec<Uuid>,
}

/// A policy expires soon that does so within this time.
const SOON: i64 = 30 * 24 * crate::log::HOUR;

/// A resource, or all that a pattern stands for, as decisions see it.
struct Target {
    urn: String,
    kind: String,
}

impl Target {
    fn of(urn: &ResourceUrn) -> Self {
        Self { urn: urn.urn().to_owned(), kind: urn.resource_type().to_owned() }
    }

    /// As decisions see it; what is not registered has no tags, and its name ends as the pattern.
    fn seen<'a>(&'a self, view: &'a View) -> Seen<'a> {
        let name = self.urn.splitn(6, ':').nth(5).unwrap_or_default();
        let bare = Seen::bare(&self.urn, &self.kind, name);
        view.resource(&self.urn).map_or(bare, |known| Seen { tags: &known.tags, ..bare })
    }
}

impl Iam {
    /// Who would ask, with the groups of a user.
    fn caller(&self, view: &View, identity: &Identity) -> Caller {
        let region = self.settings.region;
        let account = identity.account();
        if identity.kind() == IdentityKind::Account {
            return Caller::root(region, account, Scope::All);
        }
        if account == view.policies().owner()
            && let Some(user) = view.user(&key(account, identity.name().unwrap_or_default()))
            && identity.kind() == IdentityKind::User
        {
            return user.principal(region, account).caller;
        }
        Caller::new(region, account, std::slice::from_ref(identity), Scope::All)
    }

    fn identity(&self, text: &str) -> Result<Identity, IamError> {
        Identity::parse(text, self.settings.region).map_err(|error| {
            let message = format!("the URN {text} {error}, expected that of an identity");
            IamError::invalid(Fault::ResourceUrn, message)
        })
    }

    /// The policies of the account with a proposal carried out; `bare` without its conditions.
    fn proposed(
        &self,
        set: &PolicySet,
        proposal: Option<Proposal>,
        bare: bool,
    ) -> Result<PolicySet, IamError> {
        let mut set = set.clone();
        if let Some(Proposal { id, input }) = proposal {
            let id = id.unwrap_or(Uuid::nil());
            set.remove(id);
            if let Some(input) = input {
                set.insert(self.compile(input, id, bare)?);
            }
        }
        Ok(set)
    }

    fn compile(
        &self,
        input: PolicyInput,
        id: Uuid,
        bare: bool,
    ) -> Result<CompiledPolicy, IamError> {
        let region = self.settings.region;
        let mut rule = input.rule(id, region, &self.settings.limits)?;
        if bare {
            rule.conditions = None;
        }
        rule.compile(region).map_err(IamError::internal)
    }

    /// Decides a request by the policies of the caller's account, with a proposal carried out,
    /// and says why.
    pub async fn simulate(
        &self,
        context: &Context,
        simulation: Input<Simulation>,
        proposal: Option<Proposal>,
    ) -> Result<SimulationResult, IamError> {
        self.demand(context, rights::POLICY_GET).await?;
        let simulation = simulation?;
        let identity = self.identity(&simulation.identity)?;
        let urn =
            ResourceUrn::parse(&simulation.resource, self.settings.region).map_err(|error| {
                let message =
                    format!("the URN {} {error}, expected that of a resource", simulation.resource);
                IamError::invalid(Fault::ResourceUrn, message)
            })?;
        if !self.catalogue().knows(&simulation.action) {
            let message = format!("there is no action {:?}", simulation.action);
            return Err(IamError::invalid(Fault::Input, message));
        }
        let view = self.views.get(context.account()).await?;
        let set = self.proposed(view.policies(), proposal, false)?;
        let caller = self.caller(&view, &identity);
        let request = Request {
            caller: &caller,
            action: &simulation.action,
            resource: view.see(&urn),
            environment: Environment { now: simulation.at, ip: simulation.ip },
        };
        let explanation = explain(&request, &set, None);
        let (reason, policy) = Reason::of(&explanation.decision);
        let mut evaluated = Vec::new();
        for one in &explanation.evaluated {
            let stored = self.stored_policy(context.account(), one.policy).await?;
            evaluated.push(EvaluatedPolicy {
                policy: one.policy,
                name: stored.map(|policy| policy.name),
                identity: one.identity.clone(),
                contribution: one.outcome.into(),
            });
        }
        Ok(SimulationResult {
            allowed: explanation.decision.is_allowed(),
            reason,
            policy,
            evaluated,
        })
    }

    /// What an identity may do at present by the policies of the caller's account, from no address
    /// in particular.
    pub async fn effective_permissions(
        &self,
        context: &Context,
        identity: &str,
    ) -> Result<Vec<EffectivePermissions>, IamError> {
        self.demand(context, rights::POLICY_GET).await?;
        let identity = self.identity(identity)?;
        let view = self.views.get(context.account()).await?;
        let caller = self.caller(&view, &identity);
        let set = view.policies();
        let mut resources = BTreeSet::new();
        // What would be allowed if all conditions held.
        let mut unconditional = set.clone();
        for urn in caller.identities() {
            for id in set.naming(urn) {
                let stored = self.stored_policy(context.account(), id).await?;
                match stored {
                    Some(policy) => {
                        let mut rule = policy.rule;
                        resources.extend(rule.resources.iter().cloned());
                        if rule.conditions.take().is_some() {
                            let rule = rule.compile(self.settings.region);
                            unconditional.insert(rule.map_err(IamError::internal)?);
                        }
                    }
                    // The role of a group is about everything.
                    None => drop(resources.insert(self.everything())),
                }
            }
        }
        let catalogue = self.catalogue();
        let environment = Environment { now: context.now, ip: None };
        let mut reaches: Vec<EffectivePermissions> = Vec::new();
        let mut left = MOST_DECISIONS;
        for target in self.targets(context.account(), &view, &resources).await? {
            let names = catalogue.action_names(&target.kind);
            let Some(less) = left.checked_sub(names.len()) else { break };
            left = less;
            let resource = target.seen(&view);
            let may = |action: &String, set: &PolicySet| {
                let request = Request { caller: &caller, action, resource, environment };
                decide(&request, set, None).is_allowed()
            };
            let mut conditional = 0;
            let mut actions: Vec<String> = Vec::new();
            for action in names {
                let at_present = may(action, set);
                if at_present || may(action, &unconditional) {
                    conditional += usize::from(!at_present);
                    actions.push(action.clone());
                }
            }
            if actions.is_empty() {
                continue;
            }
            // What a pattern before it says already needs no row of its own.
            let said = reaches.iter().any(|one| {
                let head = one.resource.strip_suffix('*');
                let same = one.actions == actions && one.conditional == conditional;
                same && head.is_some_and(|head| target.urn.starts_with(head))
            });
            if !said {
                let (kind, resource) = (target.kind, target.urn);
                let total = names.len();
                reaches.push(EffectivePermissions { kind, resource, actions, conditional, total });
            }
        }
        Ok(reaches)
    }

    /// What a proposal would change, for whom and on what. Its conditions are taken to hold.
    pub async fn diffs(
        &self,
        context: &Context,
        proposal: Input<Proposal>,
    ) -> Result<AccessDiffs, IamError> {
        self.demand(context, rights::POLICY_GET).await?;
        let proposal = proposal?;
        if let Some(input) = &proposal.input {
            input.clone().check(Uuid::nil(), self.settings.region, &self.settings.limits)?;
        }
        let account = context.account();
        let view = self.views.get(account).await?;
        let before = match proposal.id {
            None => None,
            Some(id) => Some(self.stored_policy(account, id).await?.ok_or(IamError::NotFound)?),
        };
        let present = before.clone().map(|policy| Proposal {
            id: Some(policy.rule.id),
            input: Some(PolicyInput::from(policy)),
        });
        let rules =
            [before.map(|policy| policy.rule), proposal.input.clone().map(PolicyInput::into_rule)];
        let list = |of: fn(&gatewright_policy::Policy) -> &Vec<String>| {
            rules.iter().flatten().flat_map(of).cloned().collect::<BTreeSet<String>>()
        };
        let (identities, resources) = (list(|rule| &rule.identities), list(|rule| &rule.resources));
        let sets = (
            self.proposed(view.policies(), present, true)?,
            self.proposed(view.policies(), Some(proposal.clone()), true)?,
        );
        let conditions = match &rules {
            [Some(was), Some(becomes)] if was.conditions != becomes.conditions => {
                ConditionsChange::Change
            }
            rules if rules.iter().flatten().any(|rule| rule.conditions.is_some()) => {
                ConditionsChange::Stay
            }
            _ => ConditionsChange::None,
        };
        let mut found = AccessDiffs {
            conditions,
            locks_out: self.locks_out(context, &view, proposal)?,
            ..AccessDiffs::default()
        };
        let targets = self.targets(account, &view, &resources).await?;
        let environment = Environment { now: context.now, ip: context.ip };
        let catalogue = self.catalogue();
        let mut left = MOST_DECISIONS / 2;
        for text in identities {
            let identity = self.identity(&text)?;
            let caller = self.caller(&view, &identity);
            let mut rows: Vec<AccessDiff> = Vec::new();
            for target in &targets {
                let names = catalogue.action_names(&target.kind);
                let Some(less) = left.checked_sub(names.len()) else {
                    found.is_part = true;
                    break;
                };
                left = less;
                let names = names.iter().map(String::as_str);
                let seen = target.seen(&view);
                let difference = compare(&caller, seen, environment, names, (&sets.0, &sets.1));
                let own = |list: Vec<&str>| list.into_iter().map(str::to_owned).collect();
                let (gained, lost) = (own(difference.gained), own(difference.lost));
                let said = rows.iter().any(|one: &AccessDiff| {
                    let head = one.resource.strip_suffix('*');
                    head.is_some_and(|head| target.urn.starts_with(head))
                        && (&one.gained, &one.lost) == (&gained, &lost)
                });
                let nothing: &Vec<String> = &Vec::new();
                if !said && (&gained, &lost) != (nothing, nothing) {
                    let (identity, resource) = (text.clone(), target.urn.clone());
                    rows.push(AccessDiff { identity, resource, gained, lost });
                }
            }
            found.diffs.append(&mut rows);
        }
        Ok(found)
    }

    /// Whether the caller may change policies now, and not any more once it is done.
    fn locks_out(
        &self,
        context: &Context,
        view: &View,
        proposal: Proposal,
    ) -> Result<bool, IamError> {
        let after = self.proposed(view.policies(), Some(proposal), false)?;
        let account = self.account_urn(context.account());
        let may = |set: &PolicySet| {
            let request = Request {
                caller: &context.principal.caller,
                action: rights::POLICY_EDIT,
                resource: view.see(&account),
                environment: context.environment(),
            };
            decide(&request, set, None).is_allowed()
        };
        Ok(may(view.policies()) && !may(&after))
    }

    /// What somebody should look at among the policies of the caller's account.
    pub async fn findings(&self, context: &Context) -> Result<Findings, IamError> {
        self.demand(context, rights::POLICY_GET).await?;
        let view = self.views.get(context.account()).await?;
        let set = view.policies();
        let mut findings = Findings::default();
        let owner = Identity::account_of(self.settings.region, context.account());
        for policy in view.own_policies() {
            let id = policy.id();
            // The owner of the account may do everything without it.
            if policy.identities().eq([owner.urn()]) {
                continue;
            }
            if set.mentions_action(policy, "*") {
                findings.everything.push(id);
            }
            if policy.identities().any(|urn| self.is_gone(&view, urn)) {
                findings.gone.push(id);
            }
            if policy.identities().next().is_none() {
                findings.nobody.push(id);
            }
            match policy.expires() {
                Some(expires) if expires <= context.now => findings.expired.push(id),
                Some(expires) if expires <= context.now + SOON => {
                    findings.expiring.push((expires, id));
                }
                _ => {}
            }
        }
        findings.expiring.sort_unstable();
        let lists = [&mut findings.everything, &mut findings.gone, &mut findings.nobody];
        lists.into_iter().chain([&mut findings.expired]).for_each(|list| list.sort_unstable());
        Ok(findings)
    }

    /// Whether it is the URN of somebody of the account who is not there.
    fn is_gone(&self, view: &View, urn: &str) -> bool {
        let Ok(identity) = Identity::parse(urn, self.settings.region) else { return false };
        let (account, name) = (identity.account(), identity.name().unwrap_or_default());
        if account != view.policies().owner() {
            return false;
        }
        match identity.kind() {
            IdentityKind::User => name != "*" && view.user(&key(account, name)).is_none(),
            IdentityKind::Group => {
                let built_in = crate::group::BUILT_IN.iter().any(|(one, _)| *one == name);
                !built_in && !view.has_group(&key(account, name))
            }
            IdentityKind::Credential => {
                name.strip_prefix("oauth2-").is_some_and(|id| view.client(id).is_none())
            }
            IdentityKind::Account => false,
        }
    }

    fn everything(&self) -> String {
        format!("urn:v1:{}:resource:*", self.settings.region)
    }

    /// What to look at, to see what policies about these resources come to: patterns first, each
    /// by type, then single resources.
    async fn targets(
        &self,
        account: &str,
        view: &Arc<View>,
        resources: &BTreeSet<String>,
    ) -> Result<Vec<Target>, IamError> {
        let region = self.settings.region;
        let (mut heads, mut single) = (BTreeSet::new(), BTreeSet::new());
        for text in resources {
            match ResourcePattern::parse(text, region) {
                Ok(ResourcePattern::Prefix(head)) => drop(heads.insert(String::from(head))),
                Ok(ResourcePattern::One(urn)) => drop(single.insert(String::from(urn))),
                Ok(ResourcePattern::Group(id)) => {
                    let group = self.find_resource_group(account, id).await?;
                    match group {
                        Some(group) if group.read_only => {
                            heads.insert(format!("urn:v1:{region}:resource:"));
                        }
                        group => {
                            let members = group.map(|one| one.resources).unwrap_or_default();
                            single.extend(members.into_iter().take(MOST_OF_A_GROUP));
                        }
                    }
                }
                _ => drop(heads.insert(format!("urn:v1:{region}:resource:"))),
            }
        }
        let catalogue = self.catalogue();
        let mut targets = Vec::new();
        for head in &heads {
            let rest = head.splitn(5, ':').nth(4).unwrap_or_default();
            let kinds: Vec<&str> = match rest.split_once(':') {
                Some((kind, _)) => vec![kind],
                // A head that ends amid a type fits every type that begins so.
                None => catalogue.types().filter(|kind| kind.starts_with(rest)).collect(),
            };
            for kind in kinds {
                let urn = match rest.split_once(':') {
                    Some(_) => format!("{head}*"),
                    None => format!("urn:v1:{region}:resource:{kind}:*"),
                };
                targets.push(Target { urn, kind: kind.to_owned() });
            }
        }
        let known =
            view.resources().filter(|(urn, _)| heads.iter().any(|head| urn.starts_with(head)));
        let known: BTreeSet<String> = known.map(|(urn, _)| urn.to_owned()).collect();
        single.extend(known.into_iter().take(MOST_OF_A_PATTERN * heads.len()));
        for urn in single {
            if let Ok(urn) = ResourceUrn::parse(&urn, region) {
                targets.push(Target::of(&urn));
            }
        }
        Ok(targets)
    }
}

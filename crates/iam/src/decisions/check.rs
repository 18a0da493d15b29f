//! Checks actions on resources for the caller.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::quality::RandomState;
use gatewright_policy::{AccountName, ResourceUrn};

use crate::core::authorize::{CONTEXT_COST, DecisionContext};
use crate::core::budget::{Budget, CHUNK};
use crate::core::iam::Iam;
use crate::engine::recorder::RecordedDecision;
use crate::engine::recorder::recording::Recording;
use crate::model::caller::Context;
use crate::model::error::{Fault, IamError};
use crate::model::input::Input;
use crate::model::limits::{ACTION_BYTES, URN_BYTES, check_bytes};

/// The maximum number of decisions of a request.
pub(crate) const MOST: usize = 100_000;

/// The number of resources up to which a request may be small.
const SMALL_CHECK: usize = 1_000;

/// The result for one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckResult {
    /// The URN of the resource, as the request has it.
    pub resource: String,
    /// The actions that are allowed on it.
    pub authorized: Vec<String>,
    /// The actions that are denied on it.
    pub unauthorized: Vec<String>,
}

/// A request, in which each resource and each action comes once.
struct Check {
    /// The URNs as they were sent, each with the index of its resource.
    texts: Vec<(String, usize)>,
    urns: Vec<ResourceUrn>,
    actions: Vec<String>,
}

impl Iam {
    /// Decides each action on each resource for the caller. It needs no right.
    ///
    /// An action that is not in the catalogue fails the whole request. Repeated resources and
    /// actions are decided once.
    pub async fn check(
        self: &Arc<Self>,
        context: &Context,
        urns: Vec<String>,
        actions: Input<Vec<String>>,
    ) -> Result<Vec<CheckResult>, IamError> {
        let check = self.read_check(urns, actions?)?;
        if check.urns.len() <= SMALL_CHECK {
            let decision_contexts = match check.urns.as_slice() {
                [urn] => vec![self.decision_context(context, urn).await?],
                urns => self.decision_contexts(context, urns).await?,
            };
            let cost = check.cost(context, &decision_contexts);
            if self.small_budget(0).spend(cost).is_ok() {
                let mut recording = self.recorder.recording();
                let allowed = |(urn, decision_context)| {
                    let on = (urn, decision_context);
                    decide_all(context, &check.actions, on, &mut recording)
                };
                let allowed: Vec<_> =
                    check.urns.iter().zip(&decision_contexts).map(allowed).collect();
                return check.results(&allowed);
            }
        }
        // Boxed, since the future is large and rarely needed.
        Box::pin(self.check_large(context, check)).await
    }

    fn read_check(&self, urns: Vec<String>, actions: Vec<String>) -> Result<Check, IamError> {
        if actions.len().saturating_mul(urns.len()) > MOST {
            let message = format!("a request may ask for at most {MOST} decisions: split it");
            return Err(IamError::invalid(Fault::TooLong, message));
        }
        let catalogue = self.catalogue();
        for action in &actions {
            check_bytes("actions", action, ACTION_BYTES)?;
            if !catalogue.knows(action) {
                return Err(IamError::invalid(
                    Fault::Input,
                    format!("Unknown action \"{action}\""),
                ));
            }
        }
        let region = self.settings.region;
        let parse = |text: &String| {
            check_bytes("resourceURNs", text, URN_BYTES)?;
            ResourceUrn::parse(text, region).map_err(|error| {
                let message =
                    format!("the URN {text} {error}, expected urn:v1:{region}:resource:type:name");
                IamError::invalid(Fault::ResourceUrn, message)
            })
        };
        let parsed: Vec<ResourceUrn> = urns.iter().map(parse).collect::<Result<_, _>>()?;
        let (distinct, indices) = deduplicate(parsed, |urn| urn.urn());
        let (actions, _) = deduplicate(actions, String::as_str);
        Ok(Check { texts: urns.into_iter().zip(indices).collect(), urns: distinct, actions })
    }

    /// Decides a large request in portions, once it is known that it does not cost too much.
    async fn check_large(
        self: &Arc<Self>,
        context: &Context,
        check: Check,
    ) -> Result<Vec<CheckResult>, IamError> {
        let iam = Arc::clone(self);
        let work = async move |caller: Context, mut budget: Budget| {
            let decision_contexts = iam.decision_contexts(&caller, &check.urns).await?;
            budget.spend(check.cost(&caller, &decision_contexts))?;
            drop(decision_contexts);
            let (mut costs, mut recording) = (Costs::default(), iam.recorder.recording());
            let mut allowed = Vec::with_capacity(check.urns.len());
            for urns in check.urns.chunks(CHUNK) {
                iam.find_owners(&caller, urns).await?;
                for urn in urns {
                    let mut of_urn = Vec::with_capacity(check.actions.len());
                    for some in check.actions.chunks(CHUNK) {
                        // By the policies of now: the whole may take long.
                        let decision_context = iam.decision_context(&caller, urn).await?;
                        let on = (urn, &decision_context);
                        of_urn.extend(decide_all(&caller, some, on, &mut recording));
                        let cost = costs.of(&caller, &decision_context);
                        budget.pause_after(cost.saturating_mul(some.len() as u64)).await;
                    }
                    allowed.push(of_urn);
                }
            }
            check.results(&allowed)
        };
        self.run_large_request(&self.large_requests, context, work).await
    }
}

/// Decides actions on one resource.
fn decide_all(
    context: &Context,
    actions: &[String],
    (urn, decision_context): (&ResourceUrn, &DecisionContext),
    recording: &mut Recording<'_>,
) -> Vec<bool> {
    let decide = |action: &String| {
        let decision = decision_context.decide(context, action, urn);
        recording.add(context, RecordedDecision { action, resource: urn.urn(), decision });
        decision.is_allowed()
    };
    actions.iter().map(decide).collect()
}

/// The costs of a decision on the resources of each owner.
#[derive(Default)]
struct Costs(HashMap<AccountName, u64, RandomState>);

impl Costs {
    fn of(&mut self, context: &Context, decision_context: &DecisionContext) -> u64 {
        let owner = decision_context.owner.account();
        if let Some(cost) = self.0.get(owner) {
            return *cost;
        }
        let cost = decision_context.cost(context);
        self.0.insert(owner.clone(), cost);
        cost
    }
}

impl Check {
    /// Returns the cost of all decisions, in the worst case.
    fn cost(&self, context: &Context, decision_contexts: &[DecisionContext]) -> u64 {
        let actions = self.actions.len() as u64;
        let of_urn = |cost: u64| cost.saturating_mul(actions).saturating_add(CONTEXT_COST);
        if let [one] = decision_contexts {
            return of_urn(one.cost(context));
        }
        let mut costs = Costs::default();
        let costs = decision_contexts.iter().map(|one| of_urn(costs.of(context, one)));
        costs.fold(0, u64::saturating_add)
    }

    /// Returns the results, by whether each action is allowed on each resource.
    fn results(self, allowed: &[Vec<bool>]) -> Result<Vec<CheckResult>, IamError> {
        let Self { texts, actions, .. } = self;
        let result = |(resource, index): (String, usize)| {
            let of_urn = allowed.get(index).ok_or_else(|| IamError::impossible("a wrong index"))?;
            let (mut authorized, mut unauthorized) = (Vec::new(), Vec::new());
            for (action, allowed) in actions.iter().zip(of_urn) {
                if *allowed { &mut authorized } else { &mut unauthorized }.push(action.clone());
            }
            Ok(CheckResult { resource, authorized, unauthorized })
        };
        texts.into_iter().map(result).collect()
    }
}

/// Leaves out repeated values; returns the others, and the index of each of the given values among
/// them.
fn deduplicate<T>(values: Vec<T>, key: impl Fn(&T) -> &str) -> (Vec<T>, Vec<usize>) {
    if values.len() < 2 {
        let indices = values.iter().map(|_| 0).collect();
        return (values, indices);
    }
    let mut known = HashMap::<Box<str>, usize, RandomState>::default();
    let (mut kept, mut indices) = (Vec::new(), Vec::with_capacity(values.len()));
    for value in values {
        if let Some(index) = known.get(key(&value)) {
            indices.push(*index);
            continue;
        }
        known.insert(key(&value).into(), kept.len());
        indices.push(kept.len());
        kept.push(value);
    }
    (kept, indices)
}

//! Decisions that a service requests about other principals, as a guarded API does (AuthZEN).

use std::sync::Arc;

use gatewright_policy::{ResourceUrn, Tags};

use crate::core::authorize::{CONTEXT_COST, DecisionContext};
use crate::core::budget::{Budget, CHUNK};
use crate::core::iam::Iam;
use crate::engine::recorder::RecordedDecision;
use crate::engine::recorder::recording::Recording;
use crate::model::caller::{Context, Principal};
use crate::model::error::IamError;
use crate::model::evaluation::{Evaluation, EvaluationResult, EvaluationsSemantic, SubjectKind};
use crate::model::input::Input;
use crate::model::log::Reason;
use crate::model::rights;

/// The properties that a request asserts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AssertedProperties {
    /// They count as tags of the resource.
    Trusted,
    /// The caller asserts none, or has no right to.
    Ignored,
}

/// The number of requests up to which they may be small together.
const SMALL_BATCH: usize = 256;

/// The number of requests up to which the owners of their resources are found one by one.
const FEW: usize = 4;

/// The cost of the verification of a token.
const VERIFICATION_COST: u64 = 10_000;

/// The cost of each identity of a subject.
const IDENTITY_COST: u64 = 20;

/// A request with all that it is decided by.
pub(crate) struct Prepared {
    /// The context of the subject: the time and the address of the request.
    subject_context: Context,
    decision_context: DecisionContext,
    action: String,
    urn: ResourceUrn,
    /// The properties that count as tags of the resource.
    properties: Option<Tags>,
}

impl Prepared {
    /// Returns the cost of finding the accounts and of the decision, in the worst case.
    fn cost(&self) -> u64 {
        let identities = self.subject_context.principal.caller.identities().count() as u64;
        let decision = self.decision_context.cost(&self.subject_context);
        decision.saturating_add(CONTEXT_COST + IDENTITY_COST * identities)
    }
}

impl Budget {
    /// Spends the cost of a request, and returns it.
    pub(crate) fn spend_for(&mut self, prepared: Option<&Prepared>) -> Result<u64, IamError> {
        let cost = match prepared {
            Some(prepared) => prepared.cost(),
            None => 1,
        };
        self.spend(cost)?;
        Ok(cost)
    }
}

impl Iam {
    /// Evaluates requests about other principals one by one, as far as the semantic says. The
    /// caller needs the right to evaluate, and gets results about their own account alone, unless
    /// they are a registrar.
    pub async fn evaluate(
        self: &Arc<Self>,
        context: &Context,
        requests: Input<Vec<Input<Evaluation>>>,
        semantic: EvaluationsSemantic,
    ) -> Result<Vec<Input<EvaluationResult>>, IamError> {
        self.demand(context, rights::EVALUATE).await?;
        let requests: Vec<Input<Evaluation>> =
            requests?.into_iter().map(|request| request.and_then(Evaluation::checked)).collect();
        let properties = self.asserted_properties(context, requests.iter().flatten()).await?;
        let how = (properties, semantic);
        if requests.len() <= SMALL_BATCH {
            // Services ask about one token at a time.
            let mut budget = self.small_budget(VERIFICATION_COST);
            match self.evaluate_within(context, &requests, how, &mut budget).await {
                Err(IamError::TooLarge(_)) => {}
                answers => return answers,
            }
        }
        let iam = Arc::clone(self);
        let work = async move |caller: Context, mut budget: Budget| {
            iam.demand(&caller, rights::EVALUATE).await?;
            iam.evaluate_within(&caller, &requests, how, &mut budget).await
        };
        // Boxed, since the future is large and rarely needed.
        Box::pin(self.run_large_request(&self.large_requests, context, work)).await
    }

    /// Evaluates requests; fails where they would cost too much together, and then records none.
    async fn evaluate_within(
        &self,
        context: &Context,
        requests: &[Input<Evaluation>],
        how: (AssertedProperties, EvaluationsSemantic),
        budget: &mut Budget,
    ) -> Result<Vec<Input<EvaluationResult>>, IamError> {
        let mut recording = self.recorder.recording();
        let answers = self.evaluate_each(context, requests, how, (budget, &mut recording)).await;
        if matches!(answers, Err(IamError::TooLarge(_))) {
            recording.discard();
        }
        answers
    }

    /// Evaluates requests one by one: each is decided as soon as it is known by what.
    async fn evaluate_each(
        &self,
        context: &Context,
        requests: &[Input<Evaluation>],
        (properties, semantic): (AssertedProperties, EvaluationsSemantic),
        (budget, recording): (&mut Budget, &mut Recording<'_>),
    ) -> Result<Vec<Input<EvaluationResult>>, IamError> {
        let (mut answers, mut last) = (Vec::with_capacity(requests.len()), None);
        for some in requests.chunks(CHUNK) {
            if some.len() > FEW {
                self.find_owners_of(context, some).await?;
            }
            for request in some {
                let answer = match request {
                    Ok(request) => {
                        let subject = self.subject_within(context, request, last, budget).await?;
                        last = subject.is_some().then_some(request);
                        let prepared = self.prepare(context, request, subject, properties).await?;
                        let cost = budget.spend_for(prepared.as_ref())?;
                        let answer = decide_prepared(context, prepared, Some(&mut *recording));
                        budget.pause_after(cost).await;
                        Ok(answer)
                    }
                    Err(error) => Err(error.copy()),
                };
                let is_last = semantic.ends_with(&answer);
                answers.push(answer);
                if is_last {
                    return Ok(answers);
                }
            }
        }
        Ok(answers)
    }

    /// Finds the subject of a request within a budget. The token of the request before, which was
    /// valid, is not verified again.
    pub(crate) async fn subject_within(
        &self,
        context: &Context,
        request: &Evaluation,
        last: Option<&Evaluation>,
        budget: &mut Budget,
    ) -> Result<Option<Arc<Principal>>, IamError> {
        let is_token = request.subject_kind == Some(SubjectKind::Token);
        let is_verified = last.is_some_and(|last| request.has_subject_of(last));
        let cost = if is_token && !is_verified { VERIFICATION_COST } else { 1 };
        budget.spend(cost)?;
        let subject = self.subject(context, request).await?;
        budget.pause_after(cost).await;
        Ok(subject)
    }

    /// Reads the owners of the resources of some requests into memory.
    async fn find_owners_of(
        &self,
        context: &Context,
        requests: &[Input<Evaluation>],
    ) -> Result<(), IamError> {
        let urn = |request: &Evaluation| {
            let region = self.settings.region;
            ResourceUrn::of(region, &request.resource_type, &request.resource).ok()
        };
        let urns: Vec<ResourceUrn> = requests.iter().flatten().filter_map(urn).collect();
        self.find_owners(context, &urns).await
    }

    /// Returns what the properties count for that the caller asserts in some requests. Nearly all assert
    /// none, and the right need not be checked.
    pub(crate) async fn asserted_properties<'r>(
        &self,
        context: &Context,
        requests: impl IntoIterator<Item = &'r Evaluation>,
    ) -> Result<AssertedProperties, IamError> {
        if requests.into_iter().all(|request| request.properties.is_empty()) {
            return Ok(AssertedProperties::Ignored);
        }
        let may_assert = self.has_right(context, rights::SAY_PROPERTIES).await?;
        Ok(if may_assert { AssertedProperties::Trusted } else { AssertedProperties::Ignored })
    }

    /// Finds what a request is decided by; none where the subject or the resource does not exist,
    /// or the caller may not ask about it.
    pub(crate) async fn prepare(
        &self,
        context: &Context,
        request: &Evaluation,
        subject: Option<Arc<Principal>>,
        properties: AssertedProperties,
    ) -> Result<Option<Prepared>, IamError> {
        let Some(principal) = subject else { return Ok(None) };
        let (resource_type, name) = (&request.resource_type, &request.resource);
        let Ok(urn) = ResourceUrn::of(self.settings.region, resource_type, name) else {
            return Ok(None);
        };
        let subject_context = Context {
            principal,
            ip: request.ip,
            query_id: context.query_id,
            now: request.at.unwrap_or(context.now),
            conditions: None,
        };
        let decision_context = match &request.owner {
            None => self.decision_context(&subject_context, &urn).await,
            Some(owner) => {
                let home = self.views.get(subject_context.account()).await?;
                self.decision_context_behind(Some(owner), home, &urn).await
            }
        };
        let decision_context = match decision_context {
            Err(IamError::Refused(_)) => return Ok(None),
            decision_context => decision_context?,
        };
        let owner = decision_context.owner.policies().owner();
        let action = self.catalogue().resolve_action(resource_type, &request.action);
        let Some(action) = action.filter(|_| self.may_ask_about(context, owner)) else {
            return Ok(None);
        };
        let asserts = properties == AssertedProperties::Trusted && !request.properties.is_empty();
        let properties = asserts.then(|| request.properties.clone());
        Ok(Some(Prepared { subject_context, decision_context, action, urn, properties }))
    }
}

/// Decides a request; adds the decision to those that are recorded, if they are.
pub(crate) fn decide_prepared(
    context: &Context,
    prepared: Option<Prepared>,
    recording: Option<&mut Recording<'_>>,
) -> EvaluationResult {
    let Some(prepared) = prepared else { return EvaluationResult::UNKNOWN };
    let Prepared { subject_context, decision_context, action, urn, properties } = &prepared;
    let mut resource = decision_context.owner.decided_resource(urn);
    let mut tags;
    if let Some(properties) = properties {
        // They never replace the tags that the resource has.
        tags = properties.clone();
        tags.extend(resource.tags.clone());
        resource.tags = &tags;
    }
    let decision = decision_context.decide_on(subject_context, action, resource);
    if let Some(recording) = recording {
        let subject_context = Context { now: context.now, ..subject_context.clone() };
        recording.add(&subject_context, RecordedDecision { action, resource: urn.urn(), decision });
    }
    let (reason, policy) = Reason::of(&decision);
    EvaluationResult { allowed: decision.is_allowed(), reason: Some(reason), policy }
}

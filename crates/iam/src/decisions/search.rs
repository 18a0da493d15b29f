//! Searches the subjects, resources or actions for which an evaluation allows.

use std::sync::Arc;

use gatewright_policy::ResourceUrn;

use crate::core::budget::{Budget, CHUNK};
use crate::core::iam::Iam;
use crate::decisions::evaluation::decide_prepared;
use crate::decisions::subject::subjects;
use crate::engine::view::View;
use crate::model::caller::Context;
use crate::model::error::IamError;
use crate::model::evaluation::Evaluation;
use crate::model::input::Input;
use crate::model::rights;

/// The maximum number of subjects, resources or actions that a search evaluates.
pub(crate) const MOST: usize = 100_000;

/// The part of a request that a search varies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SearchTarget {
    Subject,
    Resource,
    Action,
}

impl SearchTarget {
    /// Returns the field of a request that names it.
    fn name(self, request: &mut Evaluation) -> &mut String {
        match self {
            Self::Subject => &mut request.subject,
            Self::Resource => &mut request.resource,
            Self::Action => &mut request.action,
        }
    }
}

impl Iam {
    /// Searches the caller's service accounts, users or groups for those that are allowed. The
    /// subject of the request is ignored, but for its type.
    pub async fn search_subjects(
        self: &Arc<Self>,
        context: &Context,
        request: Input<Evaluation>,
    ) -> Result<Vec<String>, IamError> {
        self.search(context, request, SearchTarget::Subject).await
    }

    /// Searches the caller's registered resources of a type for those on which the action is
    /// allowed. The resource of the request is ignored, but for its type.
    pub async fn search_resources(
        self: &Arc<Self>,
        context: &Context,
        request: Input<Evaluation>,
    ) -> Result<Vec<String>, IamError> {
        self.search(context, request, SearchTarget::Resource).await
    }

    /// Searches the actions that are allowed. The action of the request is ignored.
    pub async fn search_actions(
        self: &Arc<Self>,
        context: &Context,
        request: Input<Evaluation>,
    ) -> Result<Vec<String>, IamError> {
        self.search(context, request, SearchTarget::Action).await
    }

    /// Returns the names for which the evaluation is allowed.
    async fn search(
        self: &Arc<Self>,
        context: &Context,
        request: Input<Evaluation>,
        target: SearchTarget,
    ) -> Result<Vec<String>, IamError> {
        self.demand(context, rights::EVALUATE).await?;
        let request = request?.checked()?;
        let view = self.views.get(context.account()).await?;
        let mut names = match target {
            SearchTarget::Subject => subjects(&view, request.subject_kind)?,
            SearchTarget::Resource => self.resource_names(&view, &request.resource_type),
            SearchTarget::Action => {
                let catalogue = self.catalogue();
                let names = catalogue.action_names(&request.resource_type);
                names.iter().map(ToString::to_string).collect()
            }
        };
        names.sort_unstable();
        names.truncate(MOST);
        if names.len() <= CHUNK {
            let mut budget = self.small_budget(0);
            match self.search_among(context, &request, (target, &names), &mut budget).await {
                Err(IamError::TooLarge(_)) => {}
                found => return found,
            }
        }
        let iam = Arc::clone(self);
        let work = async move |caller: Context, mut budget: Budget| {
            iam.search_among(&caller, &request, (target, &names), &mut budget).await
        };
        Box::pin(self.run_large_request(&self.large_requests, context, work)).await
    }

    async fn search_among(
        &self,
        context: &Context,
        request: &Evaluation,
        (target, names): (SearchTarget, &[String]),
        budget: &mut Budget,
    ) -> Result<Vec<String>, IamError> {
        let properties = self.asserted_properties(context, [request]).await?;
        let (mut request, mut last) = (request.clone(), None);
        let mut found = Vec::new();
        for name in names {
            target.name(&mut request).clone_from(name);
            let subject = self.subject_within(context, &request, last.as_ref(), budget).await?;
            if subject.is_none() && target != SearchTarget::Subject {
                // Nobody is allowed anything.
                return Ok(Vec::new());
            }
            if last.is_none() {
                last = Some(request.clone());
            }
            let prepared = self.prepare(context, &request, subject, properties).await?;
            let cost = budget.spend_for(prepared.as_ref())?;
            if decide_prepared(context, prepared, None).allowed {
                found.push(name.clone());
            }
            budget.pause_after(cost).await;
        }
        Ok(found)
    }

    /// Lists the names of the registered resources of a type.
    fn resource_names(&self, view: &View, resource_type: &str) -> Vec<String> {
        let head = format!("{}{resource_type}:", ResourceUrn::prefix(self.settings.region));
        let names = view.resources.iter().filter_map(|(urn, _)| urn.strip_prefix(&head));
        names.map(str::to_owned).collect()
    }
}

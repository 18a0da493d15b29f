//! Lists of the resources that a caller may see.
//!
//! Those of the caller's account come first, so that no other account can push them off a page. All are
//! read with bounded work: a page may end early, even without an item, and its cursor leads on. Nobody is
//! shown less for it, and no account slows the lists of another by what it holds or by its policies.

use std::sync::Arc;

use gatewright_policy::{Instant, decision_cost};

use crate::core::authorize::CONTEXT_COST;
use crate::core::budget::Budget;
use crate::core::iam::Iam;
use crate::engine::view::View;
use crate::model::caller::Context;
use crate::model::error::IamError;
use crate::model::input::Input;
use crate::model::page::{Page, PageRequest};
use crate::model::resource::Resource;
use crate::model::resource_filter::ResourceFilter;

/// The difference between the position of a shared resource and the time of its creation, in
/// microseconds: positions of shared resources come after all others.
const SHARED: i64 = 1 << 60;

/// The maximum number of resources of other accounts that one page looks at.
pub(crate) const MOST_LOOKED_AT: u64 = 50_000;

/// The number of resources of each other account that a page looks at in any case.
const FEWEST_LOOKED_AT: u64 = 100;

/// The maximum cost of a page's decisions on resources of the caller's account, and of those on resources
/// of other accounts. A cost of 1 is about ten nanoseconds.
pub(crate) const MOST_COST: u64 = 50_000_000;

/// A resource of another account, some policy of which covers it for the caller.
struct Candidate<'v> {
    created: Instant,
    urn: &'v str,
    owner: &'v View,
}

/// The resources that other accounts may have shared, up to an instant.
struct Candidates<'v> {
    found: Vec<Candidate<'v>>,
    /// The instant up to which they are complete; none if there are no more.
    until: Option<Instant>,
}

impl Iam {
    /// Lists the resources on which the caller has any permission: those of the caller's account,
    /// then those of the accounts whose policies name the caller or that account.
    pub async fn resources(
        &self,
        context: &Context,
        filter: Input<ResourceFilter>,
        page: Input<PageRequest>,
    ) -> Result<Page<Resource>, IamError> {
        let (filter, page) = (filter?.check()?, page?);
        let home = self.views.get(context.account()).await?;
        let mut found: Vec<(i64, Resource)> = Vec::new();
        let mut budget = self.budget();
        let most = self.most_cost();
        let (mut spent, mut last) = (0_u64, None);
        for (created, urn, document) in home.resources_after(Instant::from_micros(page.after())) {
            let place = created.micros();
            if is_full(&found, &page, place) {
                return Ok(page.page(found));
            }
            // Resources that were created at one instant stay on one page.
            if let Some(last) = last.filter(|last| *last != place && spent > most) {
                return Ok(page.part(found, last));
            }
            last = Some(place);
            let urn = self.resource_urn(urn)?;
            if !filter.fits(&urn, document) {
                budget.pause_after(CONTEXT_COST).await;
                continue;
            }
            let access = self.find_access(context, &urn, &mut budget).await?;
            spent = spent.saturating_add(access.cost);
            if access.is_allowed {
                found.push((place, document.resource(urn, home.account())?));
            }
        }
        self.add_shared(context, (&filter, &page), found, &mut budget).await
    }

    /// Returns the cost after which a page ends.
    fn most_cost(&self) -> u64 {
        MOST_COST.min(self.settings.limits.request_cost)
    }

    /// Adds to a page the resources that other accounts share with the caller.
    async fn add_shared(
        &self,
        context: &Context,
        (filter, page): (&ResourceFilter, &PageRequest),
        mut found: Vec<(i64, Resource)>,
        budget: &mut Budget,
    ) -> Result<Page<Resource>, IamError> {
        let mut owners = Vec::new();
        for owner in self.store.accounts_mentioning(context.account()).await? {
            let view = self.views.get(&owner).await?;
            if view.policies().names(&context.principal.caller) {
                owners.push(view);
            }
        }
        let after = Instant::from_micros(page.after().saturating_sub(SHARED).max(0));
        let most = self.most_cost();
        let Candidates { found: candidates, until } =
            candidates(context, &owners, (after, most), budget).await;
        let mut spent = 0;
        let mut last = None;
        for Candidate { created, urn, owner } in candidates {
            let place = created.micros().saturating_add(SHARED);
            if is_full(&found, page, place) {
                return Ok(page.page(found));
            }
            // Resources that were created at one instant stay on one page.
            if let Some(last) = last.filter(|last| *last != place && spent > most) {
                return Ok(page.part(found, last));
            }
            last = Some(place);
            let urn = self.resource_urn(urn)?;
            let Some(document) = owner.resources.get(urn.urn()) else { continue };
            if !filter.fits(&urn, document) {
                budget.pause_after(CONTEXT_COST).await;
                continue;
            }
            let access = self.find_access(context, &urn, budget).await?;
            spent = spent.saturating_add(access.cost);
            if access.is_allowed {
                found.push((place, document.resource(urn, owner.account())?));
            }
        }
        Ok(match until {
            None => page.page(found),
            Some(until) => page.part(found, until.micros().saturating_add(SHARED)),
        })
    }
}

/// Returns whether a page has all its items, and the one that tells that a next page exists, so that what
/// is at this place belongs to another page.
fn is_full(found: &[(i64, Resource)], page: &PageRequest, place: i64) -> bool {
    found.len() > page.size() && found.last().is_some_and(|(last, _)| *last != place)
}

/// Finds the resources of other accounts that were created after an instant and that a policy covers for
/// the caller, in the order of their creation.
async fn candidates<'v>(
    context: &Context,
    owners: &'v [Arc<View>],
    (after, most): (Instant, u64),
    budget: &mut Budget,
) -> Candidates<'v> {
    let caller = &context.principal.caller;
    let mut candidates = Candidates { found: Vec::new(), until: None };
    let accounts = u64::try_from(owners.len()).unwrap_or(u64::MAX).max(1);
    for owner in owners {
        let cost = decision_cost(caller, owner.policies(), None);
        let share = MOST_LOOKED_AT.min(most / cost.max(1)) / accounts;
        let share = share.max(FEWEST_LOOKED_AT);
        let (mut looked_at, mut last) = (0, after);
        for (created, urn, _) in owner.resources_after(after) {
            if looked_at >= share && created != last {
                candidates.until = Some(candidates.until.map_or(last, |until| until.min(last)));
                break;
            }
            (looked_at, last) = (looked_at + 1, created);
            budget.pause_after(cost).await;
            if owner.policies().covers_for(caller, urn) {
                candidates.found.push(Candidate { created, urn, owner });
            }
        }
    }
    if let Some(until) = candidates.until {
        candidates.found.retain(|one| one.created <= until);
    }
    candidates.found.sort_unstable_by_key(|one| (one.created, one.urn));
    candidates
}

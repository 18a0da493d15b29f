//! Compares access before and after a change of policies.

use crate::decision::decide;
use crate::request::{Caller, Environment, Request, Resource};
use crate::set::PolicySet;

/// The actions that a caller may perform on a resource by only one of two policy sets.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Difference<'a> {
    /// Allowed after the change, and not before.
    pub gained: Vec<&'a str>,
    /// Allowed before the change, and not after.
    pub lost: Vec<&'a str>,
}

/// Compares the decisions of two policy sets of the resource's owner, for each action.
pub fn compare<'a>(
    caller: &Caller,
    resource: Resource<'_>,
    environment: Environment,
    actions: impl IntoIterator<Item = &'a str>,
    (before, after): (&PolicySet, &PolicySet),
) -> Difference<'a> {
    let mut difference = Difference::default();
    for action in actions {
        let request = Request { caller, action, resource, environment };
        let allows = |set| decide(&request, set, None).is_allowed();
        match (allows(before), allows(after)) {
            (false, true) => difference.gained.push(action),
            (true, false) => difference.lost.push(action),
            _ => {}
        }
    }
    difference
}

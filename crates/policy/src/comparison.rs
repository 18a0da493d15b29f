//! Compares access before and after a change of policies.

use crate::decision::decide;
use crate::request::{Caller, Environment, Request, Resource};
use crate::set::PolicySet;

/// Lists the actions that a caller may do on a resource by one of two policy sets alone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Difference<'a> {
    /// Allowed after, and not before.
    pub gained: Vec<&'a str>,
    /// Allowed before, and not after.
    pub lost: Vec<&'a str>,
}

/// Compares the decisions on each action by two policy sets of the owner of a resource.
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

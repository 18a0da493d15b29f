//! What a change of policies changes for somebody.

use crate::decision::decide;
use crate::request::{Caller, Environment, Request, Resource};
use crate::set::PolicySet;

/// The actions that somebody may do on a resource by one set of policies alone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Difference<'a> {
    /// Allowed after, and not before.
    pub gained: Vec<&'a str>,
    /// Allowed before, and not after.
    pub lost: Vec<&'a str>,
}

/// Decides each action by two sets of policies of the owner of a resource, and tells them apart.
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

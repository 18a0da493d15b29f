//! Checks that the modules of a crate use only the floors below theirs.

use super::edges::Edge;
use super::modules::Crate;

/// The floors of a crate's modules, the top one first.
pub(crate) struct Floors {
    pub(crate) package: &'static str,
    /// The modules on each floor. A module is named by its path (`token::key`), the root of the
    /// crate is `crate`, and an entry stands for everything below it that has no entry of its own.
    /// Modules on one floor do not use each other; references within one entry are free.
    pub(crate) floors: &'static [&'static [&'static str]],
    /// The exceptions from this rule: from, to, and the reason.
    pub(crate) allowed: &'static [(&'static str, &'static str, &'static str)],
}

/// Finds references that lead up or sideways, and modules without a floor.
pub(crate) fn faults(of: &Crate, edges: &[Edge], table: &Floors) -> Vec<String> {
    let mut faults = Vec::new();
    let place = |file: &str| {
        let mut modules = of.modules.iter().filter(|(_, module)| !module.inline);
        modules.find(|(_, module)| module.file == file).and_then(|(path, _)| entry(table, path))
    };
    for module in of.modules.values().filter(|module| !module.inline) {
        if place(&module.file).is_none() {
            faults.push(format!("{} has no floor: give it one", module.file));
        }
    }
    let named = table.floors.iter().flat_map(|names| names.iter());
    for name in named.filter(|name| !of.modules.keys().any(|path| shown(path) == **name)) {
        faults.push(format!("{}: {name} has a floor, but is no module", table.package));
    }
    for edge in edges {
        let (Some(from), Some(to)) = (place(&edge.from), place(&edge.to)) else { continue };
        let allowed = |(one, other, _): &(&str, &str, &str)| *one == from.name && *other == to.name;
        if from.name != to.name && from.floor >= to.floor && !table.allowed.iter().any(allowed) {
            faults.push(format!(
                "{}:{}: {} may not use {} ({}, by {})",
                edge.from, edge.line, from.name, to.name, edge.to, edge.path
            ));
        }
    }
    faults
}

struct ModuleFloor {
    name: &'static str,
    /// The number of floors above this one.
    floor: usize,
}

/// Returns the entry of the table for a module: the longest one that its path begins with.
fn entry(table: &Floors, path: &[String]) -> Option<ModuleFloor> {
    let shortest = path.len().min(1);
    (shortest..=path.len()).rev().find_map(|length| {
        let wanted = shown(path.get(..length)?);
        let mut floors = table.floors.iter().enumerate();
        floors.find_map(|(floor, names)| {
            names.iter().find(|name| **name == wanted).map(|name| ModuleFloor { name, floor })
        })
    })
}

/// Returns the name of a module as it stands in the table.
fn shown(path: &[String]) -> String {
    if path.is_empty() { "crate".into() } else { path.join("::") }
}

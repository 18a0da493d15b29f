//! Finds files that refer to each other in a circle.

use std::collections::{BTreeMap, BTreeSet};

use super::edges::Edge;

/// A set of files that all lead to each other.
#[derive(PartialEq, Eq, Debug)]
pub(crate) struct Circle {
    pub(crate) files: BTreeSet<String>,
    pub(crate) edges: Vec<Edge>,
}

/// Finds the circles. Two files that belong together count as one.
pub(crate) fn circles(edges: &[Edge], one_thing: &[(&str, &str, &str)]) -> Vec<Circle> {
    let node = |file: &str| {
        let pair = one_thing.iter().find(|(_, second, _)| *second == file);
        pair.map_or(file, |(first, _, _)| *first).to_owned()
    };
    let mut next: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for edge in edges {
        let (from, to) = (node(&edge.from), node(&edge.to));
        if from != to {
            next.entry(from).or_default().insert(to);
        }
    }
    let reached: BTreeMap<&String, BTreeSet<&String>> =
        next.keys().map(|from| (from, reachable(&next, from))).collect();
    let leads =
        |from: &String, to: &String| reached.get(from).is_some_and(|reached| reached.contains(to));
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for first in next.keys().filter(|file| leads(file, file)) {
        if !seen.insert(first) {
            continue;
        }
        let nodes = next.keys().filter(|other| leads(first, other) && leads(other, first));
        let nodes: BTreeSet<&String> = nodes.collect();
        seen.extend(nodes.iter().copied());
        let within = |file: &str| nodes.contains(&node(file));
        let edges = edges.iter().filter(|edge| within(&edge.from) && within(&edge.to));
        let edges: Vec<Edge> = edges.cloned().collect();
        let files = edges.iter().flat_map(|edge| [edge.from.clone(), edge.to.clone()]).collect();
        found.push(Circle { files, edges });
    }
    found
}

fn reachable<'a>(
    next: &'a BTreeMap<String, BTreeSet<String>>,
    from: &String,
) -> BTreeSet<&'a String> {
    let mut reached = BTreeSet::new();
    let mut waiting: Vec<&String> = next.get(from).into_iter().flatten().collect();
    while let Some(file) = waiting.pop() {
        if reached.insert(file) {
            waiting.extend(next.get(file).into_iter().flatten());
        }
    }
    reached
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge(from: &str, to: &str) -> Edge {
        Edge { from: from.into(), to: to.into(), line: 1, path: String::new() }
    }

    #[test]
    fn files_that_lead_to_each_other_are_a_circle() {
        let edges = [edge("a", "b"), edge("b", "c"), edge("c", "a"), edge("c", "d")];
        let found = circles(&edges, &[]);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].files, ["a", "b", "c"].map(String::from).into());
        assert_eq!(found[0].edges.len(), 3);
        assert!(circles(&[edge("a", "b"), edge("a", "c"), edge("b", "c")], &[]).is_empty());
    }

    #[test]
    fn two_circles_are_two() {
        let edges =
            [edge("a", "b"), edge("b", "a"), edge("b", "c"), edge("c", "d"), edge("d", "c")];
        assert_eq!(circles(&edges, &[]).len(), 2);
    }

    #[test]
    fn two_files_that_are_one_thing_may_know_each_other_but_no_third() {
        let pair = [("a", "b", "one state machine")];
        assert!(circles(&[edge("a", "b"), edge("b", "a")], &pair).is_empty());
        let through = [edge("a", "b"), edge("b", "a"), edge("b", "c"), edge("c", "a")];
        assert_eq!(circles(&through, &pair).len(), 1);
    }
}

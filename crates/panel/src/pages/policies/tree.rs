//! The actions on the types of resources that a policy is about, by their categories.

use std::collections::BTreeMap;

use gatewright_iam::Catalogue;

use super::form::{PolicyForm, lines};

/// The actions on resources of one type.
pub(super) struct TypeActions {
    pub(super) kind: String,
    /// How many the policy allows.
    pub(super) allowed: usize,
    pub(super) total: usize,
    pub(super) categories: Vec<CategoryActions>,
}

/// Those of one category.
pub(super) struct CategoryActions {
    pub(super) name: &'static str,
    pub(super) actions: Vec<TreeAction>,
}

/// An action.
pub(super) struct TreeAction {
    pub(super) name: String,
    pub(super) description: String,
    /// Whether it is in the list of those allowed.
    pub(super) listed: bool,
    /// Whether a pattern in the list stands for it.
    pub(super) covered: bool,
}

/// Whether a pattern of the list stands for an action.
fn covers(pattern: &str, action: &str) -> bool {
    match (pattern.strip_suffix('*'), pattern.strip_prefix('*')) {
        (Some(head), _) => action.starts_with(head),
        (None, Some(tail)) => action.ends_with(tail),
        (None, None) => false,
    }
}

/// The types that the resources of a policy name.
fn types(form: &PolicyForm) -> Vec<String> {
    let mut types: Vec<String> = lines(&form.resources)
        .iter()
        .filter_map(|urn| urn.split(':').nth(4).map(str::to_owned))
        .filter(|kind| !kind.is_empty() && !kind.contains('*'))
        .collect();
    types.sort_unstable();
    types.dedup();
    types
}

/// Builds the tree of the types that the resources of the form name.
pub(super) fn tree(catalogue: &Catalogue, form: &PolicyForm) -> Vec<TypeActions> {
    let allow = lines(&form.allow);
    let mut tree = Vec::new();
    for kind in types(form) {
        let mut categories: BTreeMap<&'static str, Vec<TreeAction>> = BTreeMap::new();
        let (mut allowed, mut total) = (0, 0);
        for action in catalogue.actions(Some(&kind)) {
            let listed = allow.contains(&action.name);
            let covered = allow.iter().any(|pattern| covers(pattern, &action.name));
            allowed += usize::from(listed || covered);
            total += 1;
            let category = action.categories.first().map_or("", |category| category.as_str());
            let (name, description) = (action.name.clone(), action.description.clone());
            let action = TreeAction { name, description, listed, covered };
            categories.entry(category).or_default().push(action);
        }
        if total > 0 {
            let categories = categories.into_iter();
            let categories =
                categories.map(|(name, actions)| CategoryActions { name, actions }).collect();
            tree.push(TypeActions { kind, allowed, total, categories });
        }
    }
    tree
}

/// The names of all actions of one category on resources of one type.
pub(super) fn of_category(catalogue: &Catalogue, kind: &str, category: &str) -> Vec<String> {
    let actions = catalogue.actions(Some(kind)).into_iter();
    let fits = |action: &&gatewright_iam::Action| {
        action.categories.first().map_or("", |one| one.as_str()) == category
    };
    actions.filter(fits).map(|action| action.name.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_stands_for_what_begins_or_ends_as_it_does() {
        for (pattern, action, stands) in [
            ("*", "vps:apiovh:get", true),
            ("vps:*", "vps:apiovh:get", true),
            ("*/get", "vps:apiovh:ips/get", true),
            ("vps:apiovh:get", "vps:apiovh:get", false),
            ("dbaas:*", "vps:apiovh:get", false),
        ] {
            assert_eq!(covers(pattern, action), stands, "{pattern} {action}");
        }
    }

    #[test]
    fn the_types_are_those_that_the_resources_name() {
        let resources = "urn:v1:eu:resource:vps:*\nurn:v1:eu:resource:vps:a\nurn:v1:eu:resource:*\n\
                         urn:v1:eu:resourceGroup:00000000-0000-0000-0000-000000000000\n\
                         urn:v1:eu:resource:dns*\nnonsense\nurn:v1:eu:resource:domain:b:c";
        let form = PolicyForm { resources: resources.to_owned(), ..PolicyForm::default() };
        let found = types(&form);
        assert_eq!(found.iter().filter(|one| ["vps", "domain"].contains(&one.as_str())).count(), 2);
        assert!(!found.iter().any(|one| one.contains('*')), "{found:?}");
    }
}

//! Tree of the actions on the resource types of a policy, by their categories.

use std::collections::BTreeMap;

use gatewright_iam::{Action, Catalogue, Pattern, Region, ResourcePattern};

use super::form::PolicyForm;
use crate::format::lines;

/// Actions on resources of one type.
pub(super) struct TypeActions {
    pub(super) resource_type: String,
    /// Number of actions that the policy allows.
    pub(super) allowed: usize,
    pub(super) total: usize,
    pub(super) categories: Vec<CategoryActions>,
}

/// Actions of one category.
pub(super) struct CategoryActions {
    pub(super) name: &'static str,
    pub(super) actions: Vec<TreeAction>,
}

/// Action of the tree.
pub(super) struct TreeAction {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) selection: Selection,
}

/// Way in which the list of allowed actions contains an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Selection {
    /// The list has its name.
    Listed,
    /// The list has a pattern that matches it.
    Covered,
    /// No entry of the list matches it.
    Unselected,
}

/// Patterns in the list of allowed actions, matched as decisions match them. An invalid pattern
/// matches nothing: saving the policy refuses it.
struct AllowedPatterns(Vec<Pattern>);

impl AllowedPatterns {
    fn parse(form: &PolicyForm) -> Self {
        Self(lines(&form.allow).iter().filter_map(|text| Pattern::parse(text).ok()).collect())
    }

    fn selection(&self, action: &str) -> Selection {
        let is_exact = |pattern: &&Pattern| matches!(pattern, Pattern::Exact(_));
        let mut matching = self.0.iter().filter(|pattern| pattern.matches(action)).peekable();
        if matching.peek().is_none() {
            Selection::Unselected
        } else if matching.any(|pattern| is_exact(&pattern)) {
            Selection::Listed
        } else {
            Selection::Covered
        }
    }
}

/// Returns the types that the resources of a policy name.
fn types(form: &PolicyForm, region: Region) -> Vec<String> {
    let mut types: Vec<String> = lines(&form.resources)
        .iter()
        .filter_map(|text| ResourcePattern::parse(text, region).ok())
        .filter_map(|pattern| pattern.resource_type().map(str::to_owned))
        .collect();
    types.sort_unstable();
    types.dedup();
    types
}

/// Builds the tree of the types that the resources of the form name.
pub(super) fn tree(catalogue: &Catalogue, form: &PolicyForm, region: Region) -> Vec<TypeActions> {
    let patterns = AllowedPatterns::parse(form);
    let types = types(form, region).into_iter();
    let tree = types.map(|resource_type| type_actions(catalogue, resource_type, &patterns));
    tree.filter(|one| one.total > 0).collect()
}

fn type_actions(
    catalogue: &Catalogue,
    resource_type: String,
    patterns: &AllowedPatterns,
) -> TypeActions {
    let mut categories: BTreeMap<&'static str, Vec<TreeAction>> = BTreeMap::new();
    let (mut allowed, mut total) = (0, 0);
    for action in catalogue.actions(Some(&resource_type)) {
        let selection = patterns.selection(&action.name);
        allowed += usize::from(selection != Selection::Unselected);
        total += 1;
        let (name, description) = (action.name.to_string(), action.description.clone());
        let row = TreeAction { name, description, selection };
        categories.entry(category_name(action)).or_default().push(row);
    }
    let categories = categories.into_iter();
    let categories = categories.map(|(name, actions)| CategoryActions { name, actions }).collect();
    TypeActions { resource_type, allowed, total, categories }
}

/// Returns the first category of an action; an action may have none.
pub(super) fn category_name(action: &Action) -> &'static str {
    action.categories.first().map_or("", |category| category.as_str())
}

/// Returns the names of all actions of one category on resources of one type.
pub(super) fn actions_of_category(
    catalogue: &Catalogue,
    resource_type: &str,
    category: &str,
) -> Vec<String> {
    let actions = catalogue.actions(Some(resource_type)).into_iter();
    let matching = actions.filter(|action| category_name(action) == category);
    matching.map(|action| action.name.to_string()).collect()
}

#[cfg(test)]
mod tests {
    use gatewright_iam::BuiltInProducts;

    use super::*;

    #[test]
    fn a_pattern_covers_the_actions_that_the_engine_matches_it_with() {
        let catalogue = Catalogue::load(BuiltInProducts::Included, None).unwrap();
        let resources = "urn:v1:eu:resource:vps:*".to_owned();
        for (pattern, covers_all, covers_some) in [
            ("*", true, true),
            ("vps:*", true, true),
            ("*:apiovh:*", true, true),
            ("*/get", false, true),
            ("*ips*", false, true),
            ("dbaas:*", false, false),
            ("vps:*:get", false, false),
        ] {
            let form = PolicyForm {
                resources: resources.clone(),
                allow: pattern.to_owned(),
                ..PolicyForm::default()
            };
            let [vps] = tree(&catalogue, &form, Region::Eu).try_into().ok().unwrap();
            assert_eq!(vps.allowed == vps.total, covers_all, "{pattern}: {}", vps.allowed);
            assert_eq!(vps.allowed > 0, covers_some, "{pattern}: {}", vps.allowed);
        }
    }

    #[test]
    fn the_types_are_those_that_the_resources_name() {
        let resources = "urn:v1:eu:resource:vps:*\nurn:v1:eu:resource:vps:a\nurn:v1:eu:resource:*\n\
                         urn:v1:eu:resourceGroup:00000000-0000-0000-0000-000000000000\n\
                         urn:v1:eu:resource:dns*\nnonsense\nurn:v1:eu:resource:domain:b:c";
        let form = PolicyForm { resources: resources.to_owned(), ..PolicyForm::default() };
        let found = types(&form, Region::Eu);
        assert_eq!(found, ["domain", "vps"]);
    }
}

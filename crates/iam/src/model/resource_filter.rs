//! Filters of lists of resources.

use std::collections::BTreeMap;

use gatewright_policy::{ResourceUrn, Tags};

use crate::model::error::{Fault, IamError};
use crate::model::resource::ResourceDocument;

/// A comparison of a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TagOperator {
    /// The tag exists and has the value.
    Eq,
    /// The tag is missing, or has another value.
    Neq,
    /// The tag matches the pattern, in which `%` stands for any run of characters.
    Like,
    /// The tag matches the pattern, ignoring case.
    ILike,
    /// The tag exists.
    Exists,
    /// The tag is missing.
    NotExists,
}

/// A condition on one tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagFilter {
    /// The comparison.
    pub operator: TagOperator,
    /// The value to compare with; unused by the last two operators.
    pub value: Option<String>,
}

/// A filter of resources. Within one list any value may match; all lists must match, and all
/// conditions on tags.
#[derive(Debug, Clone, Default)]
pub struct ResourceFilter {
    /// Names, with `*` for any run of characters.
    pub names: Vec<String>,
    /// Types, with `*` for any run of characters.
    pub resource_types: Vec<String>,
    /// URNs, with `*` for any run of characters.
    pub urns: Vec<String>,
    /// Conditions by the key of a tag.
    pub tags: BTreeMap<String, Vec<TagFilter>>,
}

impl ResourceFilter {
    pub(crate) fn check(self) -> Result<Self, IamError> {
        for (key, filters) in &self.tags {
            for filter in filters {
                let needs =
                    !matches!(filter.operator, TagOperator::Exists | TagOperator::NotExists);
                if needs && filter.value.is_none() {
                    let message = format!("\"tags\": the condition on \"{key}\" needs a value");
                    return Err(IamError::invalid(Fault::Missing, message));
                }
            }
        }
        Ok(self)
    }

    pub(crate) fn fits(&self, urn: &ResourceUrn, document: &ResourceDocument) -> bool {
        let any = |patterns: &[String], text: &str| {
            patterns.is_empty() || patterns.iter().any(|pattern| like(pattern, text, '*'))
        };
        any(&self.names, urn.name())
            && any(&self.resource_types, urn.resource_type())
            && any(&self.urns, urn.urn())
            && self.tags.iter().all(|(key, filters)| {
                filters.iter().all(|filter| filter.holds(&document.tags, key))
            })
    }
}

impl TagFilter {
    fn holds(&self, tags: &Tags, key: &str) -> bool {
        let there = tags.get(key);
        let value = self.value.as_deref().unwrap_or_default();
        match self.operator {
            TagOperator::Eq => there.is_some_and(|there| there == value),
            TagOperator::Neq => there.is_none_or(|there| there != value),
            TagOperator::Like => there.is_some_and(|there| like(value, there, '%')),
            TagOperator::ILike => {
                there.is_some_and(|there| like(&value.to_lowercase(), &there.to_lowercase(), '%'))
            }
            TagOperator::Exists => there.is_some(),
            TagOperator::NotExists => there.is_none(),
        }
    }
}

/// Returns whether the text matches the pattern, in which `wild` stands for any run of characters.
///
/// Each part is searched for once, from left to right, so the cost is linear in the length of the
/// text.
pub fn like(pattern: &str, text: &str, wild: char) -> bool {
    let Some((head, rest)) = pattern.split_once(wild) else {
        return pattern == text;
    };
    let Some(mut text) = text.strip_prefix(head) else {
        return false;
    };
    let mut parts = rest.split(wild).peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return text.ends_with(part);
        }
        match text.find(part).and_then(|at| text.get(at + part.len()..)) {
            Some(after) => text = after,
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_wildcard_stands_for_any_run() {
        for (pattern, text, fits) in [
            ("*", "", true),
            ("a*", "abc", true),
            ("*c", "abc", true),
            ("a*c", "abc", true),
            ("a*b*c", "axbxc", true),
            ("a*b*c", "acb", false),
            ("ab*ba", "aba", false),
            ("abc", "abcd", false),
            ("**", "x", true),
        ] {
            assert_eq!(like(pattern, text, '*'), fits, "{pattern} {text}");
        }
    }

    proptest! {
        #[test]
        fn a_text_fits_its_own_pieces(pieces in prop::collection::vec("[ab]{0,3}", 1..4)) {
            prop_assert!(like(&pieces.join("*"), &pieces.concat(), '*'));
        }
    }
}

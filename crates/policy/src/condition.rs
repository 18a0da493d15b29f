//! Conditions, which decide whether a policy is in force.
//!
//! [`Condition`] is the text that a person wrote, which must be returned letter for letter;
//! `CompiledCondition` is evaluated by decisions. Everything that could fail in a decision (an
//! unknown key, a malformed date or list of addresses) is refused when compiling.

mod error;
mod key;
mod predicate;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::request::{Environment, Resource};
pub use error::ConditionError;
use predicate::Predicate;

/// The maximum depth of nested conditions.
pub const MAX_DEPTH: usize = 8;

/// The operator that combines the parts of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Operator {
    /// Every pair of `values` holds.
    Match,
    /// Every inner condition holds; holds without any.
    And,
    /// At least one inner condition holds.
    Or,
    /// No inner condition holds.
    Not,
}

/// A condition as written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    /// The operator that combines the parts.
    pub operator: Operator,
    /// Pairs of a key, as in `date(Europe/Paris).Hour.GE`, and the text to compare with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values: Option<IndexMap<String, String>>,
    /// Inner conditions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conditions: Option<Vec<Condition>>,
}

/// The maximum number of pairs and inner conditions in one tree.
const MAX_PARTS: usize = 5_000;

impl Operator {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Match => "MATCH",
            Self::And => "AND",
            Self::Or => "OR",
            Self::Not => "NOT",
        }
    }
}

/// A condition that can be evaluated without failing.
#[derive(Debug, Clone)]
pub(crate) enum CompiledCondition {
    Match(Box<[Predicate]>),
    And(Box<[CompiledCondition]>),
    Or(Box<[CompiledCondition]>),
    Not(Box<[CompiledCondition]>),
}

impl Condition {
    /// Returns the length of its texts together, in bytes.
    pub(crate) fn text_bytes(&self) -> usize {
        let pairs = self.values.iter().flatten().map(|(key, value)| key.len() + value.len());
        let inner = self.conditions.iter().flatten().map(Self::text_bytes);
        pairs.sum::<usize>() + inner.sum::<usize>()
    }

    pub(crate) fn compile(&self) -> Result<CompiledCondition, ConditionError> {
        self.compile_at(1, &mut 0)
    }

    fn compile_at(
        &self,
        depth: usize,
        parts: &mut usize,
    ) -> Result<CompiledCondition, ConditionError> {
        if depth > MAX_DEPTH {
            return Err(ConditionError::TooDeep(MAX_DEPTH));
        }
        let name = self.operator.as_str();
        let pairs = self.values.iter().flatten();
        let inner = self.conditions.as_deref().unwrap_or_default();
        *parts += inner.len() + self.values.as_ref().map_or(0, IndexMap::len);
        if *parts > MAX_PARTS {
            return Err(ConditionError::TooMany(MAX_PARTS));
        }
        if self.operator == Operator::Match {
            if !inner.is_empty() {
                return Err(ConditionError::Misplaced(name, "conditions"));
            }
            let tests: Box<[Predicate]> =
                pairs.map(|(key, value)| Predicate::parse(key, value)).collect::<Result<_, _>>()?;
            if tests.is_empty() {
                return Err(ConditionError::Empty(name, "values"));
            }
            return Ok(CompiledCondition::Match(tests));
        }
        if pairs.count() > 0 {
            return Err(ConditionError::Misplaced(name, "values"));
        }
        if inner.is_empty() && self.operator != Operator::And {
            return Err(ConditionError::Empty(name, "conditions"));
        }
        let inner = inner
            .iter()
            .map(|condition| condition.compile_at(depth + 1, parts))
            .collect::<Result<_, _>>()?;
        Ok(match self.operator {
            Operator::Or => CompiledCondition::Or(inner),
            Operator::Not => CompiledCondition::Not(inner),
            Operator::And | Operator::Match => CompiledCondition::And(inner),
        })
    }
}

impl CompiledCondition {
    /// Returns the cost of its evaluation, in the worst case.
    pub(crate) fn cost(&self) -> u32 {
        let sum = |sum: u32, one: u32| sum.saturating_add(one);
        match self {
            Self::Match(tests) => tests.iter().map(Predicate::cost).fold(1, sum),
            Self::And(inner) | Self::Or(inner) | Self::Not(inner) => {
                inner.iter().map(Self::cost).fold(1, sum)
            }
        }
    }

    pub(crate) fn holds(&self, resource: &Resource<'_>, at: &Environment) -> bool {
        match self {
            Self::Match(tests) => tests.iter().all(|predicate| predicate.holds(resource, at)),
            Self::And(inner) => inner.iter().all(|one| one.holds(resource, at)),
            Self::Or(inner) => inner.iter().any(|one| one.holds(resource, at)),
            Self::Not(inner) => !inner.iter().any(|one| one.holds(resource, at)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instant::Instant;
    use proptest::prelude::*;

    fn compile(json: &str) -> Result<CompiledCondition, ConditionError> {
        serde_json::from_str::<Condition>(json).unwrap().compile()
    }

    #[test]
    fn an_and_without_conditions_holds() {
        let condition = compile(r#"{"operator":"AND","conditions":[]}"#).unwrap();
        let resource = Resource::bare("urn:v1:eu:resource:vps:a", "vps", "a");
        assert!(condition.holds(&resource, &Environment { now: Instant::EPOCH, ip: None }));
    }

    #[test]
    fn what_is_ambiguous_or_empty_is_refused() {
        let cases = [
            r#"{"operator":"OR","conditions":[]}"#,
            r#"{"operator":"NOT"}"#,
            r#"{"operator":"MATCH"}"#,
            r#"{"operator":"MATCH","values":{}}"#,
        ];
        for json in cases {
            assert!(matches!(compile(json), Err(ConditionError::Empty(..))), "{json}");
        }
        let cases = [
            r#"{"operator":"MATCH","values":{"resource.Name":"a"},"conditions":[{"operator":"AND"}]}"#,
            r#"{"operator":"AND","values":{"resource.Name":"a"}}"#,
        ];
        for json in cases {
            assert!(matches!(compile(json), Err(ConditionError::Misplaced(..))), "{json}");
        }
        let json = r#"{"operator":"MATCH","values":{"resource.Name":"a"},"conditions":[]}"#;
        assert!(compile(json).is_ok());
    }

    #[test]
    fn trees_nest_eight_deep_and_no_deeper() {
        let nested = |depth: usize| {
            (1..depth).fold(r#"{"operator":"AND"}"#.to_owned(), |inner, _| {
                format!(r#"{{"operator":"AND","conditions":[{inner}]}}"#)
            })
        };
        assert!(compile(&nested(MAX_DEPTH)).is_ok());
        assert_eq!(
            compile(&nested(MAX_DEPTH + 1)).unwrap_err(),
            ConditionError::TooDeep(MAX_DEPTH)
        );
    }

    #[test]
    fn a_condition_is_given_back_letter_for_letter() {
        let json = r#"{"operator":"OR","conditions":[{"operator":"MATCH","values":{"resource.Tag(b)":"1","date(UTC).WeekDay.In":"monday,Friday","resource.Name.EQ":"x"}},{"operator":"AND","conditions":[]}]}"#;
        let condition: Condition = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&condition).unwrap(), json);
    }

    proptest! {
        #[test]
        fn any_pair_is_compiled_or_refused(key in "(date|resource|request|\\PC{0,6})?\\(?[A-Za-z/]{0,12}\\)?\\.?(Date|Hour|WeekDay|Tag|Name|Type|IP)?(\\.[A-Za-z_]{0,9})?", value in "\\PC{0,24}") {
            let values = Some(IndexMap::from([(key, value)]));
            let condition = Condition { operator: Operator::Match, values, conditions: None };
            if let Ok(compiled) = condition.compile() {
                let resource = Resource::bare("urn:v1:eu:resource:vps:a", "vps", "a");
                let at = Environment { now: Instant::from_seconds(1_700_000_000), ip: None };
                let _ = compiled.holds(&resource, &at);
            }
        }
    }
}

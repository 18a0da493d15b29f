//! Condition of the tree, with its inner conditions.

use gatewright_iam::{Fault, IamError};
use serde_json::{Map, Value, json};

/// Operators with the keys of their texts, in the order in which they are offered.
const OPERATORS: [(&str, &str); 4] = [
    ("MATCH", "condition-match"),
    ("AND", "condition-and"),
    ("OR", "condition-or"),
    ("NOT", "condition-not"),
];

/// Condition with its inner conditions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Node {
    pub(super) operator: String,
    pub(super) pairs: Vec<(String, String)>,
    pub(super) children: Vec<Node>,
}

/// Condition as the form displays it.
pub(super) struct Row {
    /// Position in the tree: numbers from 0, joined by `-`.
    pub(super) path: String,
    pub(super) depth: usize,
    pub(super) operator: String,
    pub(super) pairs: Vec<(String, String)>,
}

impl Node {
    /// Creates an empty condition that compares values.
    pub(super) fn new_match() -> Self {
        let pairs = vec![(String::new(), String::new())];
        Self { operator: "MATCH".to_owned(), pairs, children: Vec::new() }
    }

    /// Creates a condition that holds if all inner conditions hold.
    pub(super) fn new_group() -> Self {
        Self { operator: "AND".to_owned(), ..Self::default() }
    }

    /// Reads a condition of a known structure; none if something would be lost.
    pub(super) fn of(value: &Value) -> Option<Self> {
        let fields = value.as_object()?;
        let operator = fields.get("operator")?.as_str()?.to_owned();
        if !OPERATORS.iter().any(|(known, _)| *known == operator) {
            return None;
        }
        if fields.keys().any(|key| !["operator", "values", "conditions"].contains(&key.as_str())) {
            return None;
        }
        let pairs = match fields.get("values") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Object(pairs)) => pairs
                .iter()
                .map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
                .collect::<Option<_>>()?,
            Some(_) => return None,
        };
        let children = match fields.get("conditions") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(inner)) => inner.iter().map(Self::of).collect::<Option<_>>()?,
            Some(_) => return None,
        };
        Some(Self { operator, pairs, children })
    }

    /// Converts the condition to JSON; fails if the input has no form in JSON.
    pub(super) fn value(&self) -> Result<Value, IamError> {
        let mut fields = Map::new();
        fields.insert("operator".to_owned(), self.operator.as_str().into());
        if !self.pairs.is_empty() {
            let mut pairs = Map::new();
            for (key, value) in &self.pairs {
                if pairs.insert(key.clone(), json!(value)).is_some() {
                    let message = format!(
                        "a condition looks at {key} twice: put each into a condition of its own"
                    );
                    return Err(IamError::invalid(Fault::Format, message));
                }
            }
            fields.insert("values".to_owned(), Value::Object(pairs));
        }
        if !self.children.is_empty() {
            let inner = self.children.iter().map(Self::value).collect::<Result<Vec<_>, _>>()?;
            fields.insert("conditions".to_owned(), Value::Array(inner));
        }
        Ok(Value::Object(fields))
    }

    /// Returns whether this condition, or one inside it, looks at nothing. Of groups, those that must
    /// all hold may be empty.
    pub(super) fn has_empty(&self) -> bool {
        let is_empty = match self.operator.as_str() {
            "MATCH" => self.pairs.iter().all(|(key, value)| key.is_empty() && value.is_empty()),
            "OR" | "NOT" => self.children.is_empty(),
            _ => false,
        };
        is_empty || self.children.iter().any(Self::has_empty)
    }

    /// Lists the condition and its inner conditions, depth first.
    pub(super) fn rows(&self, path: &str, depth: usize, rows: &mut Vec<Row>) {
        let (operator, pairs) = (self.operator.clone(), self.pairs.clone());
        rows.push(Row { path: path.to_owned(), depth, operator, pairs });
        for (place, child) in self.children.iter().enumerate() {
            child.rows(&format!("{path}-{place}"), depth + 1, rows);
        }
    }

    /// Returns the condition at a position in this one, which is at `0`.
    pub(super) fn at(&mut self, path: &str) -> Option<&mut Self> {
        let mut node = self;
        for part in path.split('-').skip(1) {
            node = node.children.get_mut(part.parse::<usize>().ok()?)?;
        }
        Some(node)
    }

    /// Returns the parent of a position; this condition must be a virtual one above the tree.
    pub(super) fn parent_of(&mut self, path: &str) -> Option<&mut Self> {
        let (parents, _) = path.rsplit_once('-').unwrap_or(("", path));
        let mut node = self;
        for part in parents.split('-').filter(|part| !part.is_empty()) {
            node = node.children.get_mut(part.parse::<usize>().ok()?)?;
        }
        Some(node)
    }
}

impl Row {
    /// Lists the operators with the keys of their texts, and whether the condition has them.
    pub(super) fn operators(&self) -> [(&'static str, &'static str, bool); 4] {
        OPERATORS.map(|(operator, text)| (operator, text, self.operator == operator))
    }
}

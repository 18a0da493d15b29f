//! Conditions as a tree that is edited without a script.

use gatewright_iam::{Fault, IamError};
use serde_json::{Map, Value, json};

use crate::fields::Fields;

/// What a condition may be, with the keys of its texts, in the order in which it is offered.
const OPERATORS: [(&str, &str); 4] = [
    ("MATCH", "condition-match"),
    ("AND", "condition-and"),
    ("OR", "condition-or"),
    ("NOT", "condition-not"),
];

/// Conditions of a policy, as the form holds them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) enum Conditions {
    /// There are none.
    #[default]
    None,
    /// A tree.
    Tree(Node),
    /// A text that is no tree, kept as it was typed.
    Text(String),
}

/// A condition with those in it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Node {
    operator: String,
    pairs: Vec<(String, String)>,
    children: Vec<Node>,
}

/// A condition as it is shown.
pub(super) struct Row {
    /// Its place in the tree: numbers from 0, joined by `-`.
    pub(super) path: String,
    pub(super) depth: usize,
    pub(super) operator: String,
    pub(super) pairs: Vec<(String, String)>,
}

impl Conditions {
    /// Reads JSON; what is not of the form of conditions is kept as a text.
    pub(super) fn of(value: &Value) -> Self {
        match (value, Node::of(value)) {
            (Value::Null, _) => Self::None,
            (_, Some(node)) => Self::Tree(node),
            (value, None) => Self::Text(super::form::pretty(value)),
        }
    }

    pub(super) fn read(form: &Fields) -> Self {
        let text = form.get("conditions");
        if !text.is_empty() {
            let value = serde_json::from_str::<Value>(text);
            return value.map_or_else(|_| Self::Text(text.to_owned()), |value| Self::of(&value));
        }
        let mut root = Node { operator: "AND".to_owned(), ..Node::default() };
        for path in form.all("c") {
            let Some(parent) = root.parent_of(path) else { continue };
            let all = |name: &str| -> Vec<String> {
                form.all(&format!("{name}-{path}")).map(|text| text.trim().to_owned()).collect()
            };
            let pairs = all("c-key").into_iter().zip(all("c-val"));
            let pairs = pairs.filter(|(key, value)| !key.is_empty() || !value.is_empty());
            let operator = form.get(&format!("c-op-{path}")).to_owned();
            parent.children.push(Node { operator, pairs: pairs.collect(), children: Vec::new() });
        }
        root.children.into_iter().next().map_or(Self::None, Self::Tree)
    }

    /// As JSON; refused where that cannot say what was typed.
    pub(super) fn value(&self) -> Result<Value, IamError> {
        match self {
            Self::None => Ok(Value::Null),
            Self::Tree(node) => node.value(),
            Self::Text(text) => serde_json::from_str(text).map_err(|error| {
                IamError::invalid(Fault::Format, format!("\"conditions\": {error}"))
            }),
        }
    }

    pub(super) fn rows(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        if let Self::Tree(node) = self {
            node.rows("0", 0, &mut rows);
        }
        rows
    }

    /// The text that is no tree.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Text(text) => text,
            _ => "",
        }
    }

    /// Does what a button says: an act and the place of a condition, if there is one.
    pub(super) fn change(&mut self, act: &str, path: &str) {
        let new = |operator: &str| {
            let operator = operator.to_owned();
            let is_match = operator == "MATCH";
            let pairs = if is_match { vec![(String::new(), String::new())] } else { Vec::new() };
            Node { operator, pairs, children: Vec::new() }
        };
        match (act, &mut *self) {
            ("match", Self::None) => *self = Self::Tree(new("MATCH")),
            ("group", Self::None) => *self = Self::Tree(new("AND")),
            ("remove", Self::Tree(_)) if path == "0" => *self = Self::None,
            (act, Self::Tree(root)) => {
                if let ("remove", Some((parent, last))) = (act, path.rsplit_once('-')) {
                    let place = last.parse::<usize>().unwrap_or(usize::MAX);
                    if let Some(parent) = root.at(parent)
                        && place < parent.children.len()
                    {
                        parent.children.remove(place);
                    }
                    return;
                }
                let Some(node) = root.at(path) else { return };
                match act {
                    "match" => node.children.push(new("MATCH")),
                    "group" => node.children.push(new("AND")),
                    "pair" => node.pairs.push((String::new(), String::new())),
                    "wrap" => {
                        let inner = std::mem::replace(node, new("AND"));
                        node.children.push(inner);
                    }
                    _ => {}
                }
            }
            _ => {}
        }
    }
}

impl Node {
    /// Reads a condition whose form is known; none where something would be lost.
    fn of(value: &Value) -> Option<Self> {
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

    fn value(&self) -> Result<Value, IamError> {
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

    fn rows(&self, path: &str, depth: usize, rows: &mut Vec<Row>) {
        let (operator, pairs) = (self.operator.clone(), self.pairs.clone());
        rows.push(Row { path: path.to_owned(), depth, operator, pairs });
        for (place, child) in self.children.iter().enumerate() {
            child.rows(&format!("{path}-{place}"), depth + 1, rows);
        }
    }

    /// The condition at a place below this one, which is at `0`.
    fn at(&mut self, path: &str) -> Option<&mut Self> {
        let mut node = self;
        for part in path.split('-').skip(1) {
            node = node.children.get_mut(part.parse::<usize>().ok()?)?;
        }
        Some(node)
    }

    /// Where the condition at a place goes, if this one is above the tree and all before it are in.
    fn parent_of(&mut self, path: &str) -> Option<&mut Self> {
        let (parents, _) = path.rsplit_once('-').unwrap_or(("", path));
        let mut node = self;
        for part in parents.split('-').filter(|part| !part.is_empty()) {
            node = node.children.get_mut(part.parse::<usize>().ok()?)?;
        }
        Some(node)
    }
}

impl Row {
    /// What it may be with the keys of its texts, and whether it is that.
    pub(super) fn operators(&self) -> Vec<(&'static str, &'static str, bool)> {
        let offer = |(one, text): (&'static str, &'static str)| (one, text, self.operator == one);
        OPERATORS.map(offer).to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> Value {
        json!({"operator": "AND", "conditions": [
            {"operator": "MATCH", "values": {"resource.Tag(env)": "test", "request.IP": "1.2.3.4"}},
            {"operator": "NOT", "conditions": [
                {"operator": "OR", "conditions": [{"operator": "MATCH", "values": {"a": ""}}]},
            ]},
        ]})
    }

    /// What a browser sends of the rows.
    fn sent(conditions: &Conditions) -> Fields {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        for row in conditions.rows() {
            form.append_pair("c", &row.path);
            form.append_pair(&format!("c-op-{}", row.path), &row.operator);
            for (key, value) in &row.pairs {
                form.append_pair(&format!("c-key-{}", row.path), key);
                form.append_pair(&format!("c-val-{}", row.path), value);
            }
        }
        Fields::parse(form.finish().as_bytes())
    }

    #[test]
    fn a_tree_comes_back_from_the_form_as_it_was() {
        let conditions = Conditions::of(&tree());
        assert_eq!(Conditions::read(&sent(&conditions)), conditions);
        assert_eq!(conditions.value().unwrap(), tree());
        assert_eq!(Conditions::read(&Fields::default()), Conditions::None);
    }

    #[test]
    fn what_is_no_tree_is_kept_as_it_was_typed() {
        for other in [json!(1), json!({"operator": "AND", "more": 1}), json!({"values": {}})] {
            let kept = Conditions::of(&other);
            assert!(kept.rows().is_empty(), "{other}");
            assert_eq!(kept.value().unwrap(), other);
        }
        assert!(Conditions::Text("{".to_owned()).value().is_err());
    }

    #[test]
    fn buttons_change_the_condition_that_they_belong_to_alone() {
        let mut conditions = Conditions::None;
        conditions.change("match", "");
        conditions.change("wrap", "0");
        conditions.change("group", "0");
        conditions.change("match", "0-1");
        conditions.change("pair", "0-1-0");
        let paths = |conditions: &Conditions| {
            conditions.rows().into_iter().map(|row| row.path).collect::<Vec<_>>()
        };
        assert_eq!(paths(&conditions), ["0", "0-0", "0-1", "0-1-0"]);
        conditions.change("remove", "0-0");
        assert_eq!(paths(&conditions), ["0", "0-0", "0-0-0"]);
        for lost in ["0-9", "x", "0-0-0-0"] {
            conditions.change("remove", lost);
            conditions.change("pair", lost);
        }
        assert_eq!(paths(&conditions), ["0", "0-0", "0-0-0"]);
        conditions.change("remove", "0");
        assert_eq!(conditions, Conditions::None);
    }

    #[test]
    fn a_key_that_is_typed_twice_is_refused_and_kept() {
        let pair = |value: &str| ("resource.Name".to_owned(), value.to_owned());
        let node = Node {
            operator: "MATCH".to_owned(),
            pairs: vec![pair("a"), pair("b")],
            children: Vec::new(),
        };
        let conditions = Conditions::Tree(node);
        assert!(conditions.value().unwrap_err().to_string().contains("twice"));
        assert_eq!(Conditions::read(&sent(&conditions)), conditions);
    }
}

//! Conditions as a tree that is edited without a script.

use gatewright_iam::{Fault, IamError, check_keys};
use serde_json::Value;

use super::condition_node::{Node, Row};
use super::keys::CONDITION;
use crate::fields::Fields;

/// Conditions of a policy, as the form contains them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) enum Conditions {
    #[default]
    None,
    Tree(Node),
    /// Text that is not a tree, kept as it was typed.
    Text(String),
}

impl Conditions {
    /// Reads JSON; a value without the structure of conditions is kept as text.
    pub(super) fn of(value: &Value) -> Self {
        match (value, Node::of(value)) {
            (Value::Null, _) => Self::None,
            (_, Some(node)) => Self::Tree(node),
            (value, None) => Self::Text(format!("{value:#}")),
        }
    }

    /// Reads the rows of the form, or its text.
    pub(super) fn read(form: &Fields) -> Self {
        let text = form.get("conditions");
        if !text.is_empty() {
            // A tree would show one of two values of a key: such a text stays as it is.
            let value = check_keys(text.as_bytes(), CONDITION).ok();
            let value = value.and_then(|()| serde_json::from_str::<Value>(text).ok());
            return value.map_or_else(|| Self::Text(text.to_owned()), |value| Self::of(&value));
        }
        let mut root = Node::new_group();
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

    /// Converts the conditions to JSON; fails if the input has no form in JSON.
    pub(super) fn value(&self) -> Result<Value, IamError> {
        match self {
            Self::None => Ok(Value::Null),
            Self::Tree(node) => node.value(),
            Self::Text(text) => {
                check_keys(text.as_bytes(), CONDITION)?;
                serde_json::from_str(text).map_err(|error| {
                    IamError::invalid(Fault::Format, format!("\"conditions\": {error}"))
                })
            }
        }
    }

    /// Returns whether a condition of the tree looks at nothing.
    pub(super) fn has_empty(&self) -> bool {
        matches!(self, Self::Tree(root) if root.has_empty())
    }

    /// Lists the conditions, depth first.
    pub(super) fn rows(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        if let Self::Tree(node) = self {
            node.rows("0", 0, &mut rows);
        }
        rows
    }

    /// Returns the text that is not a tree; empty if there is none.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::None | Self::Tree(_) => "",
        }
    }

    /// Applies a button: an operation on the condition at a position. An unknown position, as in a
    /// form that was changed in another window, changes nothing.
    pub(super) fn change(&mut self, act: &str, path: &str) {
        match (act, &mut *self) {
            ("match", Self::None) => *self = Self::Tree(Node::new_match()),
            ("group", Self::None) => *self = Self::Tree(Node::new_group()),
            ("remove", Self::Tree(_)) if path == "0" => *self = Self::None,
            ("remove", Self::Tree(root)) => remove(root, path),
            (act, Self::Tree(root)) => {
                if let Some(node) = root.at(path) {
                    extend(node, act);
                }
            }
            (_, Self::None | Self::Text(_)) => {}
        }
    }
}

fn remove(root: &mut Node, path: &str) {
    let Some((parent, last)) = path.rsplit_once('-') else { return };
    if let (Some(parent), Ok(place)) = (root.at(parent), last.parse::<usize>())
        && place < parent.children.len()
    {
        parent.children.remove(place);
    }
}

fn extend(node: &mut Node, act: &str) {
    match act {
        "match" => node.children.push(Node::new_match()),
        "group" => node.children.push(Node::new_group()),
        "pair" => node.pairs.push((String::new(), String::new())),
        "wrap" => {
            let inner = std::mem::replace(node, Node::new_group());
            node.children.push(inner);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn tree() -> Value {
        json!({"operator": "AND", "conditions": [
            {"operator": "MATCH", "values": {"resource.Tag(env)": "test", "request.IP": "1.2.3.4"}},
            {"operator": "NOT", "conditions": [
                {"operator": "OR", "conditions": [{"operator": "MATCH", "values": {"a": ""}}]},
            ]},
        ]})
    }

    /// Returns the form fields that a browser sends for the rows.
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
        for other in [json!(1), json!({"values": {}})] {
            let kept = Conditions::of(&other);
            assert!(kept.rows().is_empty(), "{other}");
            assert_eq!(kept.value().unwrap(), other);
        }
        assert!(Conditions::Text("{".to_owned()).value().is_err());
    }

    #[test]
    fn a_text_whose_keys_would_be_lost_is_kept_and_refused() {
        for text in [
            r#"{"operator":"AND","more":1}"#,
            r#"{"operator":"MATCH","values":{"request.IP":"1","request.IP":"2"}}"#,
        ] {
            let mut form = url::form_urlencoded::Serializer::new(String::new());
            form.append_pair("conditions", text);
            let kept = Conditions::read(&Fields::parse(form.finish().as_bytes()));
            assert!(kept.rows().is_empty() && !kept.text().is_empty(), "{text}");
            assert!(kept.value().is_err(), "{text}");
        }
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

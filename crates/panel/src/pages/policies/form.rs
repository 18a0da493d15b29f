//! Fields of the policy form, and the policy as JSON, as the API takes it, and as Terraform.

use std::fmt::Write;
use std::hash::{DefaultHasher, Hash, Hasher};

use gatewright_iam::{Fault, IamError, Permissions, Policy, PolicyInput};
use serde_json::{Value, json};

use super::conditions::Conditions;
use crate::fields::Fields;

/// The fields of the form as texts, lists one entry a line, so that nothing that was typed is ever
/// lost, be it right or wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct PolicyForm {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) identities: String,
    pub(super) resources: String,
    pub(super) allow: String,
    pub(super) except: String,
    pub(super) deny: String,
    /// URNs of permissions groups.
    pub(super) groups: Vec<String>,
    pub(super) conditions: Conditions,
    pub(super) expiry: String,
}

/// Splits a list of one entry a line.
pub(in crate::pages) fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// A list with one more entry, unless it is there already.
pub(in crate::pages) fn add(list: &mut String, entry: &str) {
    let mut entries = lines(list);
    if !entry.is_empty() && !entries.iter().any(|one| one == entry) {
        entries.push(entry.to_owned());
    }
    *list = entries.join("\n");
}

impl PolicyForm {
    pub(super) fn read(fields: &Fields) -> Self {
        let text = |name| fields.get(name).to_owned();
        let mut form = Self {
            name: text("name"),
            description: text("description"),
            identities: text("identities"),
            resources: text("resources"),
            allow: text("allow"),
            except: text("except"),
            deny: text("deny"),
            groups: fields.all("group").map(str::to_owned).collect(),
            conditions: Conditions::read(fields),
            expiry: text("expiry"),
        };
        // A box that is as it was says nothing: its action may have been taken out of the list.
        let picked: Vec<&str> = fields.all("pick").collect();
        let was: Vec<&str> = fields.all("was").collect();
        let mut allow = lines(&form.allow);
        allow.retain(|one| picked.contains(&one.as_str()) || !was.contains(&one.as_str()));
        form.allow = allow.join("\n");
        for action in picked.iter().filter(|action| !was.contains(action)) {
            add(&mut form.allow, action);
        }
        for identity in fields.all("pick-identity") {
            add(&mut form.identities, identity);
        }
        form
    }

    pub(super) fn of(policy: Policy) -> Self {
        let rule = policy.rule;
        let conditions = rule.conditions.as_ref().map(|one| json!(one));
        Self {
            name: policy.name,
            description: policy.description.unwrap_or_default(),
            identities: rule.identities.join("\n"),
            resources: rule.resources.join("\n"),
            allow: rule.permissions.allow.join("\n"),
            except: rule.permissions.except.join("\n"),
            deny: rule.permissions.deny.join("\n"),
            groups: rule.permissions_groups,
            conditions: Conditions::of(&conditions.unwrap_or_default()),
            expiry: policy.expired_at.unwrap_or_default(),
        }
    }

    /// Tells it from any other that somebody may have looked at.
    pub(super) fn fingerprint(&self) -> String {
        let mut hasher = DefaultHasher::new();
        self.hash(&mut hasher);
        format!("{:016x}", hasher.finish())
    }

    /// What use cases take.
    pub(super) fn input(&self) -> Result<PolicyInput, IamError> {
        let some = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        let conditions = match self.conditions.value()? {
            Value::Null => None,
            value => Some(serde_json::from_value(value).map_err(|error| {
                IamError::invalid(Fault::Format, format!("\"conditions\": {error}"))
            })?),
        };
        Ok(PolicyInput {
            name: self.name.clone(),
            description: some(&self.description),
            identities: lines(&self.identities),
            resources: lines(&self.resources),
            permissions: Permissions {
                allow: lines(&self.allow),
                except: lines(&self.except),
                deny: lines(&self.deny),
            },
            permissions_groups: self.groups.clone(),
            conditions,
            expired_at: some(&self.expiry),
        })
    }

    /// The policy as the API takes it.
    pub(super) fn json(&self) -> String {
        let urns = |list: Vec<String>| -> Vec<Value> {
            list.into_iter().map(|urn| json!({ "urn": urn })).collect()
        };
        let actions = |text: &str| -> Vec<Value> {
            lines(text).into_iter().map(|action| json!({ "action": action })).collect()
        };
        let conditions = self.conditions.value().unwrap_or_default();
        let expiry = Some(&self.expiry).filter(|text| !text.is_empty());
        pretty(&json!({
            "name": self.name,
            "description": self.description,
            "identities": lines(&self.identities),
            "resources": urns(lines(&self.resources)),
            "permissions": {
                "allow": actions(&self.allow),
                "except": actions(&self.except),
                "deny": actions(&self.deny),
            },
            "permissionsGroups": urns(self.groups.clone()),
            "conditions": conditions,
            "expiredAt": expiry,
        }))
    }

    /// Reads what [`Self::json`] writes, and what the API gives.
    pub(super) fn from_json(text: &str) -> Result<Self, IamError> {
        let wrong = |message: String| IamError::invalid(Fault::Format, message);
        let value: Value = serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
        let Some(fields) = value.as_object() else {
            return Err(wrong("the JSON must be an object".to_owned()));
        };
        let text = |name: &str| match fields.get(name) {
            None | Some(Value::Null) => Ok(String::new()),
            Some(Value::String(text)) => Ok(text.clone()),
            Some(_) => Err(wrong(format!("\"{name}\" must be a text"))),
        };
        let list = |value: Option<&Value>, name: &str, key: &str| {
            let items = match value {
                None | Some(Value::Null) => return Ok(Vec::new()),
                Some(Value::Array(items)) => items,
                Some(_) => return Err(wrong(format!("\"{name}\" must be a list"))),
            };
            let entry = |item: &Value| item.get(key).unwrap_or(item).as_str().map(str::to_owned);
            let entries = items.iter().map(entry).collect::<Option<Vec<String>>>();
            entries.ok_or_else(|| wrong(format!("\"{name}\" holds what is no text")))
        };
        let permissions = fields.get("permissions");
        let actions = |name: &str| {
            let value = permissions.and_then(|one| one.get(name));
            list(value, name, "action").map(|list| list.join("\n"))
        };
        let conditions = fields.get("conditions").map(Conditions::of);
        Ok(Self {
            name: text("name")?,
            description: text("description")?,
            identities: list(fields.get("identities"), "identities", "urn")?.join("\n"),
            resources: list(fields.get("resources"), "resources", "urn")?.join("\n"),
            allow: actions("allow")?,
            except: actions("except")?,
            deny: actions("deny")?,
            groups: list(fields.get("permissionsGroups"), "permissionsGroups", "urn")?,
            conditions: conditions.unwrap_or_default(),
            expiry: text("expiredAt")?,
        })
    }

    /// The policy as a resource of OVHcloud's Terraform provider.
    pub(super) fn terraform(&self) -> String {
        let mut text = format!("resource \"ovh_iam_policy\" \"{}\" {{\n", label(&self.name));
        let mut field = |name: &str, value: Value| {
            let is_empty = value.as_array().is_some_and(Vec::is_empty);
            if !is_empty && value != "" {
                let value = literal(&value, 1);
                let _ = writeln!(text, "  {name:<18} = {value}");
            }
        };
        field("name", json!(self.name));
        field("description", json!(self.description));
        field("identities", json!(lines(&self.identities)));
        field("resources", json!(lines(&self.resources)));
        field("allow", json!(lines(&self.allow)));
        field("except", json!(lines(&self.except)));
        field("deny", json!(lines(&self.deny)));
        field("permissions_groups", json!(self.groups));
        field("expired_at", json!(self.expiry));
        if let Ok(Value::Object(conditions)) = self.conditions.value() {
            condition(&mut text, "conditions", &conditions, 1);
        }
        text.push_str("}\n");
        text
    }
}

pub(super) fn pretty(value: &impl serde::Serialize) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

/// A name as Terraform's own names are.
fn label(name: &str) -> String {
    let label: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if label.starts_with(|c: char| c.is_ascii_alphabetic()) {
        label
    } else {
        format!("policy_{label}")
    }
}

/// A text or a list of texts as Terraform writes it: as JSON, but for its two templates.
fn literal(value: &Value, depth: usize) -> String {
    let quoted = |value: &Value| value.to_string().replace("${", "$${").replace("%{", "%%{");
    match value {
        Value::Array(items) => {
            let indent = "  ".repeat(depth);
            let items: Vec<String> =
                items.iter().map(|item| format!("{indent}  {},\n", quoted(item))).collect();
            format!("[\n{}{indent}]", items.concat())
        }
        other => quoted(other),
    }
}

fn condition(text: &mut String, name: &str, value: &serde_json::Map<String, Value>, depth: usize) {
    let indent = "  ".repeat(depth);
    let _ = writeln!(text, "{indent}{name} {{");
    if let Some(operator) = value.get("operator") {
        let _ = writeln!(text, "{indent}  operator = {}", literal(operator, depth));
    }
    if let Some(values) = value.get("values").and_then(Value::as_object) {
        let _ = writeln!(text, "{indent}  values = {{");
        for (key, value) in values {
            let key = literal(&json!(key), depth);
            let _ = writeln!(text, "{indent}    {key} = {}", literal(value, depth));
        }
        let _ = writeln!(text, "{indent}  }}");
    }
    for inner in value.get("conditions").and_then(Value::as_array).into_iter().flatten() {
        if let Some(inner) = inner.as_object() {
            condition(text, "condition", inner, depth + 1);
        }
    }
    let _ = writeln!(text, "{indent}}}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole() -> PolicyForm {
        PolicyForm {
            name: "9 to 5/x".to_owned(),
            description: "says \"${this}\"".to_owned(),
            identities: "urn:v1:eu:identity:user:xx1-ovh/a\nurn:v1:eu:identity:group:xx1-ovh/b"
                .to_owned(),
            resources: "urn:v1:eu:resource:vps:*".to_owned(),
            allow: "vps:apiovh:*".to_owned(),
            except: "vps:apiovh:terminate".to_owned(),
            deny: "vps:apiovh:reinstall".to_owned(),
            groups: vec!["urn:v1:eu:permissionsGroup:ovh:globalReadOnly".to_owned()],
            conditions: Conditions::of(&json!({"operator": "AND", "conditions": [
                {"operator": "MATCH", "values": {"resource.Tag(env)": "test"}},
            ]})),
            expiry: "2027-01-01T00:00:00Z".to_owned(),
        }
    }

    #[test]
    fn a_policy_is_read_back_from_its_json_whole() {
        assert_eq!(PolicyForm::from_json(&whole().json()).unwrap(), whole());
        assert_eq!(
            PolicyForm::from_json(&PolicyForm::default().json()).unwrap(),
            PolicyForm::default()
        );
    }

    #[test]
    fn json_that_is_no_policy_is_refused() {
        for wrong in ["", "[]", "1", "{\"name\":1}", "{\"resources\":{}}", "{\"resources\":[1]}"] {
            assert!(PolicyForm::from_json(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn terraform_says_all_of_a_policy_and_runs_no_template_in_it() {
        let text = whole().terraform();
        for part in [
            "resource \"ovh_iam_policy\" \"policy_9_to_5_x\" {",
            "\"says \\\"$${this}\\\"\"",
            "except             = [",
            "condition {",
            "\"resource.Tag(env)\" = \"test\"",
            "expired_at         = \"2027-01-01T00:00:00Z\"",
        ] {
            assert!(text.contains(part), "{part} is not in {text}");
        }
    }

    #[test]
    fn conditions_that_are_no_json_are_refused_and_kept() {
        let conditions = Conditions::Text("{".to_owned());
        let form = PolicyForm { conditions, ..whole() };
        assert!(form.input().is_err());
        assert_eq!(form.conditions.text(), "{");
        assert!(whole().input().is_ok());
    }
}

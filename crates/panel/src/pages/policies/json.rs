//! Policies as JSON, in the format of the API.

use gatewright_iam::{Fault, IamError, check_keys};
use serde_json::{Map, Value, json};

use super::conditions::Conditions;
use super::form::PolicyForm;
use super::keys::POLICY;
use crate::format::lines;

/// Converts a policy to the API's format. Malformed conditions are left out.
pub(super) fn to_json(form: &PolicyForm) -> String {
    let urns = |list: Vec<String>| -> Vec<Value> {
        list.into_iter().map(|urn| json!({ "urn": urn })).collect()
    };
    let actions = |text: &str| -> Vec<Value> {
        lines(text).into_iter().map(|action| json!({ "action": action })).collect()
    };
    let conditions = form.conditions.value().unwrap_or(Value::Null);
    let expiry = Some(&form.expiry).filter(|text| !text.is_empty());
    let value = json!({
        "name": form.name,
        "description": form.description,
        "identities": lines(&form.identities),
        "resources": urns(lines(&form.resources)),
        "permissions": {
            "allow": actions(&form.allow),
            "except": actions(&form.except),
            "deny": actions(&form.deny),
        },
        "permissionsGroups": urns(form.groups.clone()),
        "conditions": conditions,
        "expiredAt": expiry,
    });
    format!("{value:#}")
}

impl PolicyForm {
    /// Reads the output of [`to_json`], and of the API.
    pub(super) fn from_json(text: &str) -> Result<Self, IamError> {
        check_keys(text.as_bytes(), POLICY)?;
        let value: Value = serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
        let Some(fields) = value.as_object() else {
            return Err(wrong("the JSON must be an object".to_owned()));
        };
        let permissions = match fields.get("permissions") {
            None | Some(Value::Null) => None,
            Some(Value::Object(permissions)) => Some(permissions),
            Some(_) => return Err(wrong("\"permissions\" must be an object".to_owned())),
        };
        let actions = |name: &str| {
            let value = permissions.and_then(|one| one.get(name));
            list(value, name, "action").map(|list| list.join("\n"))
        };
        let urns = |name: &str| list(fields.get(name), name, "urn");
        let conditions = fields.get("conditions").map(Conditions::of);
        Ok(Self {
            name: text_field(fields, "name")?,
            description: text_field(fields, "description")?,
            identities: urns("identities")?.join("\n"),
            resources: urns("resources")?.join("\n"),
            allow: actions("allow")?,
            except: actions("except")?,
            deny: actions("deny")?,
            groups: urns("permissionsGroups")?,
            conditions: conditions.unwrap_or_default(),
            expiry: text_field(fields, "expiredAt")?,
        })
    }
}

fn wrong(message: String) -> IamError {
    IamError::invalid(Fault::Format, message)
}

/// Reads a text; empty where it is absent or null.
fn text_field(fields: &Map<String, Value>, name: &str) -> Result<String, IamError> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(String::new()),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(_) => Err(wrong(format!("\"{name}\" must be a text"))),
    }
}

/// Reads a list of texts, or of objects with the text under a key; empty where it is absent or null.
fn list(value: Option<&Value>, name: &str, key: &str) -> Result<Vec<String>, IamError> {
    let items = match value {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(items)) => items,
        Some(_) => return Err(wrong(format!("\"{name}\" must be a list"))),
    };
    let entry = |item: &Value| item.get(key).unwrap_or(item).as_str().map(str::to_owned);
    let entries = items.iter().map(entry).collect::<Option<Vec<String>>>();
    entries.ok_or_else(|| wrong(format!("\"{name}\" holds what is no text")))
}

#[cfg(test)]
mod tests {
    use super::super::form::tests::whole;
    use super::*;
    use crate::text::Catalogues;

    #[test]
    fn a_policy_is_read_back_from_its_json_whole() {
        assert_eq!(PolicyForm::from_json(&to_json(&whole())).unwrap(), whole());
        assert_eq!(
            PolicyForm::from_json(&to_json(&PolicyForm::default())).unwrap(),
            PolicyForm::default()
        );
    }

    #[test]
    fn json_that_is_no_policy_is_refused() {
        for wrong in ["", "[]", "1", "{\"name\":1}", "{\"resources\":{}}", "{\"resources\":[1]}"] {
            assert!(PolicyForm::from_json(wrong).is_err(), "{wrong}");
        }
        for wrong in ["{\"permissions\":[]}", "{\"permissions\":[{\"allow\":[]}]}"] {
            let error = PolicyForm::from_json(wrong).map(|_| ()).unwrap_err();
            assert_eq!(error.to_string(), "\"permissions\" must be an object");
        }
        let texts = Catalogues::load().unwrap().choose("en");
        let positional = r#"{"conditions":["MATCH",{"request.IP":"127.0.0.1"}]}"#;
        assert!(PolicyForm::from_json(positional).and_then(|form| form.input(&texts)).is_err());
        let unknown = PolicyForm::from_json(r#"{"permissions":{"denies":[]}}"#).unwrap_err();
        let said = "\"permissions.denies\" is unknown: did you mean \"deny\"?";
        assert_eq!(unknown.to_string(), said);
        let twice =
            r#"{"conditions":{"operator":"MATCH","values":{"request.IP":"1","request.IP":"2"}}}"#;
        assert!(PolicyForm::from_json(twice).is_err());
    }
}

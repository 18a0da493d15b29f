//! Policies as Terraform.

use std::fmt::Write;

use serde_json::{Value, json};

use super::form::PolicyForm;
use crate::format::lines;

/// Converts a policy to a resource of OVHcloud's Terraform provider.
pub(super) fn to_terraform(form: &PolicyForm) -> String {
    let mut text = format!("resource \"ovh_iam_policy\" \"{}\" {{\n", label(&form.name));
    let mut field = |name: &str, value: Value| {
        let is_empty = value.as_array().is_some_and(Vec::is_empty);
        if !is_empty && value != "" {
            let value = literal(&value, 1);
            let _ = writeln!(text, "  {name:<18} = {value}");
        }
    };
    field("name", json!(form.name));
    field("description", json!(form.description));
    field("identities", json!(lines(&form.identities)));
    field("resources", json!(lines(&form.resources)));
    field("allow", json!(lines(&form.allow)));
    field("except", json!(lines(&form.except)));
    field("deny", json!(lines(&form.deny)));
    field("permissions_groups", json!(form.groups));
    field("expired_at", json!(form.expiry));
    if let Ok(Value::Object(conditions)) = form.conditions.value() {
        condition(&mut text, "conditions", &conditions, 1);
    }
    text.push_str("}\n");
    text
}

/// Converts a name to a valid Terraform label.
fn label(name: &str) -> String {
    let label: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if label.starts_with(|c: char| c.is_ascii_alphabetic()) {
        label
    } else {
        format!("policy_{label}")
    }
}

/// Writes a text or a list of texts: as JSON, with both kinds of templates escaped.
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

/// Writes a condition and those in it as blocks.
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
    use super::super::form::tests::whole;
    use super::*;

    #[test]
    fn terraform_says_all_of_a_policy_and_runs_no_template_in_it() {
        let text = to_terraform(&whole());
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
}

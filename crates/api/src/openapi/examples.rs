//! Examples of what operations take and give, by the names of the schemas.

mod account;
mod authzen;
mod identity;
mod oauth2;
mod policy;
mod resource;

use serde_json::{Value, json};

/// Gives an example of what a schema describes; none where it is too plain to have one.
pub(super) fn of(schema: &Value) -> Option<Value> {
    if let Some(items) = schema.get("items") {
        return of(items).map(|item| json!([item]));
    }
    let name = schema.get("$ref")?.as_str()?.rsplit('/').next()?;
    let all = [account::of, authzen::of, identity::of, oauth2::of, policy::of, resource::of];
    all.into_iter().find_map(|group| group(name))
}

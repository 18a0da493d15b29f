//! Examples of request and response bodies, by the names of their schemas.

mod account;
mod authzen;
mod identity;
mod oauth2;
mod policy;
mod resource;

use serde_json::{Value, json};

/// Returns an example for a schema; none if it is too simple to need one.
pub(super) fn of(schema: &Value) -> Option<Value> {
    if let Some(items) = schema.get("items") {
        return of(items).map(|item| json!([item]));
    }
    let name = schema.get("$ref")?.as_str()?.rsplit('/').next()?;
    let all = [account::of, authzen::of, identity::of, oauth2::of, policy::of, resource::of];
    all.into_iter().find_map(|group| group(name))
}

//! Examples of identities.

use serde_json::{Value, json};

const CREATED: &str = "2026-11-26T20:51:34.041391Z";

/// Returns examples of users, their groups and their tokens.
pub(super) fn of(name: &str) -> Option<Value> {
    Some(match name {
        "auth.User" => json!({
            "creation": CREATED,
            "description": "runs the shop",
            "email": "jo@example.com",
            "group": "DEFAULT",
            "groups": ["DEFAULT", "operators"],
            "lastUpdate": CREATED,
            "login": "jo",
            "passwordLastUpdate": CREATED,
            "status": "OK",
            "type": "USER",
            "urn": "urn:v1:eu:identity:user:xx11111-ovh/jo",
        }),
        "auth.UserRequest" => json!({
            "description": "runs the shop",
            "email": "jo@example.com",
            "group": "operators",
            "login": "jo",
            "password": "a long password that nobody guesses",
        }),
        "auth.Group" => json!({
            "creation": CREATED,
            "defaultGroup": false,
            "description": "those who run the shop",
            "lastUpdate": CREATED,
            "name": "operators",
            "role": "NONE",
            "urn": "urn:v1:eu:identity:group:xx11111-ovh/operators",
        }),
        "auth.GroupRequest" => json!({
            "description": "those who run the shop", "name": "operators", "role": "NONE",
        }),
        "auth.SecondFactor" => json!({"secondFactor": "REQUIRED"}),
        "auth.PersonalAccessToken" => json!({
            "creation": CREATED,
            "description": "for the laptop",
            "expiresAt": "2027-12-31T23:59:59Z",
            "lastUsed": null,
            "name": "laptop",
        }),
        "auth.PersonalAccessTokenResponse" => json!({
            "creation": CREATED,
            "description": "for the laptop",
            "expiresAt": "2027-12-31T23:59:59Z",
            "lastUsed": null,
            "name": "laptop",
            "token": "eyJ…",
        }),
        "auth.PersonalAccessTokenRequest" => json!({
            "description": "for the laptop", "expiresAt": "2027-12-31T23:59:59Z", "name": "laptop",
        }),
        "auth.PersonalAccessTokenModifyRequest" => json!({
            "description": "for the old laptop", "expiresIn": 86_400,
        }),
        _ => return None,
    })
}

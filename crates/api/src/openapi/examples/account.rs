//! Examples of accounts.

use serde_json::{Value, json};

/// Returns examples of accounts, their service accounts and their logs.
pub(super) fn of(name: &str) -> Option<Value> {
    let urn = "urn:v1:eu:identity:credential:xx11111-ovh/oauth2-EU.9cf2b1d0a7e84c35";
    Some(match name {
        "auth.Details" => json!({
            "account": "xx11111-ovh",
            "allowedRoutes": null,
            "description": null,
            "identities": [urn],
            "method": "oauth2_client_credentials",
            "roles": [],
            "user": null,
        }),
        "nichandle.Nichandle" => json!({
            "city": "Roubaix",
            "country": "FR",
            "currency": {"code": "EUR", "symbol": "€"},
            "email": "admin@example.com",
            "firstname": "Jo",
            "language": "fr_FR",
            "legalform": "corporation",
            "name": "Doe",
            "nichandle": "xx11111-ovh",
            "organisation": "Example",
            "ovhCompany": "ovh",
            "ovhSubsidiary": "EU",
            "state": "complete",
        }),
        "oauth2.client" => json!({
            "callbackUrls": [],
            "clientId": "EU.9cf2b1d0a7e84c35",
            "createdAt": "2026-11-26T20:51:34.041391Z",
            "description": "deploys the shop",
            "enabled": true,
            "flow": "CLIENT_CREDENTIALS",
            "identity": urn,
            "name": "deploy",
        }),
        "oauth2.clientRequest" => json!({
            "description": "deploys the shop", "flow": "CLIENT_CREDENTIALS", "name": "deploy",
        }),
        "oauth2.clientSecret" => json!({
            "clientId": "EU.9cf2b1d0a7e84c35", "clientSecret": "gws_…",
        }),
        "api.Log" => json!({
            "account": "xx11111-ovh",
            "date": "2026-11-26T20:51:34.041391Z",
            "ip": "203.0.113.7",
            "logId": 1_795_726_294_041_391_i64,
            "method": "PUT",
            "path": "/v1/me/api/oauth2/client/EU.9cf2b1d0a7e84c35",
            "route": "/me/api/oauth2/client/{clientId}",
        }),
        "audit.Log" => json!({
            "authDetails": {"userDetails": {"type": "USER", "user": "jo"}},
            "equalToAdministrator": false,
            "createdAt": "2026-11-26T20:51:34.041391Z",
            "groupCreatedDetails": {
                "group": "operators", "new": {"description": "", "name": "operators", "role": "NONE"},
            },
            "ip": "203.0.113.7",
            "type": "GROUP_CREATED",
        }),
        _ => return None,
    })
}

//! Logs, and OVHcloud's event types.

use gatewright_iam::{AccountName, Event, Instant, Kind, Line};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::Identified;

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = api::Log)]
pub(crate) struct Log {
    account: String,
    date: String,
    ip: Option<String>,
    log_id: i64,
    method: String,
    path: String,
    route: String,
}

impl Identified for Log {
    type Id = i64;
    const ID: &'static str = "logId";
}

impl Log {
    pub(crate) fn of(account: &AccountName, line: Line) -> Self {
        let (method, path) = line.what.split_once(' ').unwrap_or(("", &line.what));
        Self {
            account: account.to_string(),
            date: line.at.to_string(),
            ip: line.ip,
            log_id: line.at.micros(),
            method: method.to_owned(),
            path: path.to_owned(),
            route: line.on.unwrap_or_default(),
        }
    }
}

/// A line of an activity log: a token request, a decision or a call.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = iam::activity::Line)]
pub(crate) struct ActivityLine {
    /// A scope, an action, or a method and a path; several, where the line stands for several.
    action: String,
    /// The URN of the principal.
    actor: String,
    /// The number of activities that the line stands for.
    count: u64,
    date: String,
    ip: Option<String>,
    /// `allowed` or `denied`; none, where the activities were left out of the log.
    outcome: Option<&'static str>,
    /// The determining policy of a decision.
    policy_id: Option<String>,
    query_id: String,
    /// The reason for a decision.
    reason: Option<Value>,
    /// The URN of a resource, or a route.
    resource: Option<String>,
    /// The HTTP status of the response to a call.
    status: Option<u16>,
    user_agent: Option<String>,
}

impl ActivityLine {
    pub(crate) fn of(line: Line) -> Self {
        let outcome = if line.allowed { "allowed" } else { "denied" };
        Self {
            action: line.what,
            actor: line.who,
            count: line.count.unwrap_or(1),
            date: line.at.to_string(),
            ip: line.ip,
            outcome: (!line.left_out).then_some(outcome),
            policy_id: line.policy.map(|id| id.to_string()),
            query_id: line.query_id,
            reason: line.reason.map(|reason| json!(reason)),
            resource: line.on,
            status: line.status,
            user_agent: line.user_agent,
        }
    }
}

/// An audit event. Only the details field of its type is set.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = audit::Log)]
pub(crate) struct AuditLog {
    auth_details: Option<Value>,
    created_at: String,
    /// True if the change gave somebody a right that leads to all others (`docs/rights.md`).
    #[schema(extensions(("x-gatewright-extension" = json!(true))))]
    equal_to_administrator: bool,
    group_created_details: Option<Value>,
    group_deleted_details: Option<Value>,
    group_modified_details: Option<Value>,
    ip: Option<String>,
    login_success_details: Option<Value>,
    policy_created_details: Option<Value>,
    policy_deleted_details: Option<Value>,
    policy_modified_details: Option<Value>,
    provider_created_details: Option<Value>,
    provider_deleted_details: Option<Value>,
    provider_modified_details: Option<Value>,
    resource_group_created_details: Option<Value>,
    resource_group_deleted_details: Option<Value>,
    resource_group_modified_details: Option<Value>,
    token_created_details: Option<Value>,
    token_deleted_details: Option<Value>,
    token_modified_details: Option<Value>,
    #[serde(rename = "type")]
    kind: String,
    user_created_details: Option<Value>,
    user_deleted_details: Option<Value>,
    user_modified_details: Option<Value>,
    user_password_changed_details: Option<Value>,
}

impl AuditLog {
    /// Converts an event to OVHcloud's format; none if that has no such type.
    pub(crate) fn of(event: &Event) -> Option<Self> {
        let (old_password, password) = event.field("passwordChangedAt");
        let act = event.act();
        let new_password = act == "modified" && old_password != password;
        let (kind, details) = match event.subject {
            Kind::Session if act == "created" => ("LOGIN_SUCCESS".to_owned(), signed_in(event)),
            Kind::Account if new_password => ("ACCOUNT_PASSWORD_CHANGED".to_owned(), Value::Null),
            Kind::User if new_password => {
                let details = json!({"user": event.name, "userCreatedAt": created(event)});
                ("USER_PASSWORD_CHANGED".to_owned(), details)
            }
            subject => {
                let (name, details) = match subject {
                    Kind::User => ("USER", user(event)),
                    Kind::Group => ("GROUP", group(event)),
                    Kind::UserToken => ("TOKEN", token(event)),
                    Kind::Policy => ("POLICY", policy(event)),
                    Kind::ResourceGroup => ("RESOURCE_GROUP", resource_group(event)),
                    _ => return None,
                };
                (format!("{name}_{}", act.to_uppercase()), details)
            }
        };
        let details = Some(details).filter(|details| !details.is_null());
        let only = |one: &str| details.clone().filter(|_| kind == one);
        Some(Self {
            auth_details: Some(json!({ "userDetails": author(event) })),
            created_at: event.at.to_string(),
            equal_to_administrator: event.equal_to_administrator,
            ip: event.ip.clone(),
            group_created_details: only("GROUP_CREATED"),
            group_deleted_details: only("GROUP_DELETED"),
            group_modified_details: only("GROUP_MODIFIED"),
            login_success_details: only("LOGIN_SUCCESS"),
            policy_created_details: only("POLICY_CREATED"),
            policy_deleted_details: only("POLICY_DELETED"),
            policy_modified_details: only("POLICY_MODIFIED"),
            provider_created_details: None,
            provider_deleted_details: None,
            provider_modified_details: None,
            resource_group_created_details: only("RESOURCE_GROUP_CREATED"),
            resource_group_deleted_details: only("RESOURCE_GROUP_DELETED"),
            resource_group_modified_details: only("RESOURCE_GROUP_MODIFIED"),
            token_created_details: only("TOKEN_CREATED"),
            token_deleted_details: only("TOKEN_DELETED"),
            token_modified_details: only("TOKEN_MODIFIED"),
            user_created_details: only("USER_CREATED"),
            user_deleted_details: only("USER_DELETED"),
            user_modified_details: only("USER_MODIFIED"),
            user_password_changed_details: only("USER_PASSWORD_CHANGED"),
            kind,
        })
    }
}

/// Returns the author of an event: the owner of the account, or one of its identities.
fn author(event: &Event) -> Value {
    let name = event.who.split_once('/').map(|(_, name)| name);
    json!({"type": if name.is_some() { "USER" } else { "ACCOUNT" }, "user": name})
}

fn signed_in(event: &Event) -> Value {
    let (_, user_agent) = event.field("userAgent");
    let (_, factor) = event.field("secondFactor");
    let factor = factor.and_then(Value::as_str).unwrap_or("NONE");
    json!({"mfaType": factor, "userAgent": user_agent})
}

/// Returns the creation time of an event's object.
fn created(event: &Event) -> Value {
    let (before, after) = event.field("createdAt");
    let instant = after.or(before).and_then(Value::as_i64);
    instant.map_or(Value::Null, |micros| Instant::from_micros(micros).to_string().into())
}

/// Describes the object before and after an event, as far as it existed.
fn sides(event: &Event, mut details: Map<String, Value>, side: impl Fn(&Value) -> Value) -> Value {
    if let Some(before) = &event.before {
        details.insert("old".to_owned(), side(before));
    }
    if let Some(after) = &event.after {
        details.insert("new".to_owned(), side(after));
    }
    Value::Object(details)
}

fn map<const N: usize>(fields: [(&str, Value); N]) -> Map<String, Value> {
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn user(event: &Event) -> Value {
    let mut details = map([("user", event.name.clone().into()), ("userCreatedAt", created(event))]);
    let (before, after) = event.field("kind");
    if before.is_none() || after.is_none() {
        details.insert("userType".to_owned(), after.or(before).cloned().unwrap_or_default());
    }
    sides(event, details, |one| {
        json!({
            "description": one.get("description"),
            "group": one.pointer("/groups/0"),
            "passwordRecoveryEmail": one.get("email"),
            "userType": one.get("kind"),
        })
    })
}

fn group(event: &Event) -> Value {
    sides(event, map([("group", event.name.clone().into())]), |one| {
        json!({
            "description": one.get("description"),
            "name": one.get("name"),
            "role": one.get("role"),
        })
    })
}

fn token(event: &Event) -> Value {
    let (before, after) = event.field("user");
    let user = after.or(before).cloned().unwrap_or_default();
    let details = [
        ("tokenCreatedAt", created(event)),
        ("tokenName", event.name.clone().into()),
        ("user", user),
    ];
    sides(event, map(details), |one| {
        let expires = one.get("expires").and_then(Value::as_i64);
        let expires = expires.map(|micros| Instant::from_micros(micros).to_string());
        json!({"description": one.get("description"), "expiresAt": expires})
    })
}

fn policy(event: &Event) -> Value {
    let details =
        [("policyId", event.id.clone().into()), ("policyName", event.name.clone().into())];
    let (added, removed) = (
        |list| difference(event.after.as_ref(), event.before.as_ref(), list),
        |list| difference(event.before.as_ref(), event.after.as_ref(), list),
    );
    let (identities, resources) = ("/rule/identities", "/rule/resources");
    let mut details = map(details);
    if event.after.is_some() {
        let added = json!({"identities": added(identities), "resources": added(resources)});
        details.insert("added".to_owned(), added);
    }
    if event.before.is_some() {
        let removed = json!({"identities": removed(identities), "resources": removed(resources)});
        details.insert("removed".to_owned(), removed);
    }
    sides(event, details, |one| {
        let description = one.get("description").and_then(Value::as_str).unwrap_or_default();
        json!({"description": description, "name": one.get("name")})
    })
}

fn resource_group(event: &Event) -> Value {
    let list = "/resources";
    let mut details = map([
        ("resourceGroupId", event.id.clone().into()),
        ("resourceGroupName", event.name.clone().into()),
    ]);
    if event.after.is_some() {
        let added = difference(event.after.as_ref(), event.before.as_ref(), list);
        details.insert("added".to_owned(), json!({ "resources": added }));
    }
    if event.before.is_some() {
        let removed = difference(event.before.as_ref(), event.after.as_ref(), list);
        details.insert("removed".to_owned(), json!({ "resources": removed }));
    }
    sides(event, details, |one| json!({"name": one.get("name")}))
}

/// Lists the items that only one of two values has.
fn difference(one: Option<&Value>, other: Option<&Value>, list: &str) -> Vec<Value> {
    let items = |side: Option<&Value>| {
        let list = side.and_then(|side| side.pointer(list)).and_then(Value::as_array);
        list.cloned().unwrap_or_default()
    };
    let others = items(other);
    items(one).into_iter().filter(|item| !others.contains(item)).collect()
}

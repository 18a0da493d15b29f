//! Parses AuthZEN requests.

use std::collections::BTreeMap;

use gatewright_iam::limits::{SUBJECT_BYTES, check_properties};
use gatewright_iam::{
    AccountName, Evaluation, EvaluationsSemantic, Fault, IamError, Instant, SubjectKind,
};
use serde_json::{Map, Value};

/// The maximum number of evaluations in one request.
const MOST: usize = 10_000;

/// The maximum length of the evaluations of one request together, in bytes. Each has a copy of the
/// defaults that it does not replace.
const MOST_BYTES: usize = 16 * 1_024 * 1_024;

/// The search that a request is for, which decides what it may leave out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Asks {
    /// None: a request for a decision names everything.
    All,
    /// A subject search: no subject identifier.
    Subjects,
    /// A resource search: no resource identifier.
    Resources,
    /// An action search: no action.
    Actions,
}

/// Parses a request for a decision.
pub(super) fn evaluation(fields: &Map<String, Value>, asks: Asks) -> Result<Evaluation, IamError> {
    read(&|name| fields.get(name), asks)
}

/// Returns a member of a request by its name.
type Member<'a> = &'a dyn Fn(&str) -> Option<&'a Value>;

fn read(member: Member<'_>, asks: Asks) -> Result<Evaluation, IamError> {
    let object = |name: &str| match member(name) {
        Some(Value::Object(object)) => Ok(object),
        Some(_) => Err(invalid(format!("\"{name}\" must be an object"))),
        None => Err(invalid(format!("\"{name}\" is missing"))),
    };
    let text = |name: &str, field: &str| match object(name)?.get(field) {
        Some(Value::String(text)) if text.len() <= SUBJECT_BYTES => Ok(Some(text.clone())),
        Some(Value::String(_)) => Err(invalid(format!("\"{name}.{field}\" is too long"))),
        Some(_) => Err(invalid(format!("\"{name}.{field}\" must be a text"))),
        None => Ok(None),
    };
    let required = |name: &str, field: &str| {
        text(name, field)?.ok_or_else(|| invalid(format!("\"{name}.{field}\" is missing")))
    };
    for name in ["subject", "action", "resource"] {
        let properties = member(name).and_then(|one| one.get("properties"));
        if properties.is_some_and(|one| !one.is_object()) {
            return Err(invalid(format!("\"{name}.properties\" must be an object")));
        }
    }
    let context = match member("context") {
        None => None,
        Some(Value::Object(context)) => Some(context),
        Some(_) => return Err(invalid("\"context\" must be an object".to_owned())),
    };
    let said = |name: &str| context.and_then(|context| context.get(name)).and_then(Value::as_str);
    let ip = match said("ip") {
        None => None,
        Some(text) => Some(text.parse().map_err(|_| {
            invalid("\"context.ip\" must be an address, such as 203.0.113.7".to_owned())
        })?),
    };
    let at = match said("time") {
        None => None,
        Some(text) => Some(Instant::parse(text).ok_or_else(|| {
            invalid("\"context.time\" must be such as 2027-12-31T23:59:59Z".to_owned())
        })?),
    };
    Ok(Evaluation {
        subject_kind: match required("subject", "type")?.as_str() {
            "service_account" => Some(SubjectKind::ServiceAccount),
            "user" => Some(SubjectKind::User),
            "group" => Some(SubjectKind::Group),
            "token" => Some(SubjectKind::Token),
            _ => None,
        },
        subject: match asks {
            Asks::Subjects => text("subject", "id")?.unwrap_or_default(),
            _ => required("subject", "id")?,
        },
        action: match asks {
            Asks::Actions => String::new(),
            _ => required("action", "name")?,
        },
        resource_type: required("resource", "type")?,
        resource: match asks {
            Asks::Resources => text("resource", "id")?.unwrap_or_default(),
            _ => required("resource", "id")?,
        },
        owner: match member("resource").and_then(|one| one.get("properties")?.get("account")) {
            None => None,
            Some(Value::String(account)) => Some(AccountName::new(account.as_str())),
            Some(_) => {
                return Err(invalid("\"resource.properties.account\" must be a text".to_owned()));
            }
        },
        properties: properties(member)?,
        ip,
        at,
    })
}

/// Reads the properties as tags: those of the resource under their own names, those of the subject
/// and of the action with the prefixes `subject.` and `action.`. Lists and objects are left out,
/// because conditions compare texts.
fn properties(member: Member<'_>) -> Result<BTreeMap<String, String>, IamError> {
    let (mut tags, mut bytes) = (BTreeMap::new(), 0);
    for (name, before) in [("resource", ""), ("subject", "subject."), ("action", "action.")] {
        let said = member(name).and_then(|one| one.get("properties")?.as_object());
        for (key, value) in said.into_iter().flatten() {
            let text = match value {
                Value::String(text) => text.clone(),
                Value::Bool(_) | Value::Number(_) => value.to_string(),
                _ => continue,
            };
            bytes += before.len() + key.len() + text.len();
            check_properties(tags.len() + 1, bytes)?;
            // The prefix is reserved: a caller must not override the server's own tags.
            if !key.starts_with("ovh:") {
                tags.insert(format!("{before}{key}"), text);
            }
        }
    }
    Ok(tags)
}

fn bytes_of(request: &Evaluation) -> usize {
    let properties = request.properties.iter().map(|(key, value)| key.len() + value.len());
    let texts = [&request.subject, &request.action, &request.resource_type, &request.resource];
    properties.sum::<usize>() + texts.iter().map(|text| text.len()).sum::<usize>()
}

fn invalid(message: String) -> IamError {
    IamError::invalid(Fault::Input, message)
}

/// The requests, and where their evaluation stops (`evaluations_semantic`).
pub(super) type Batch = (Vec<Result<Evaluation, IamError>>, EvaluationsSemantic);

/// Parses a batch of requests. An invalid one is an error of its own, not of the batch.
pub(super) fn batch(fields: &Map<String, Value>) -> Result<Batch, IamError> {
    let items = match fields.get("evaluations") {
        Some(Value::Array(items)) if items.len() <= MOST => items,
        Some(Value::Array(_)) => {
            let message = format!("\"evaluations\" may hold {MOST} at most: split it");
            return Err(invalid(message));
        }
        _ => return Err(invalid("\"evaluations\" must be a list".to_owned())),
    };
    let options = match fields.get("options") {
        None | Some(Value::Null) => None,
        Some(Value::Object(options)) => Some(options),
        Some(_) => return Err(invalid("\"options\" must be an object".to_owned())),
    };
    let semantic = options.and_then(|options| options.get("evaluations_semantic"));
    let semantic = match semantic.map(|one| one.as_str().unwrap_or_default()) {
        None | Some("execute_all") => EvaluationsSemantic::ExecuteAll,
        Some("deny_on_first_deny") => EvaluationsSemantic::DenyOnFirstDeny,
        Some("permit_on_first_permit") => EvaluationsSemantic::PermitOnFirstPermit,
        Some(_) => {
            let message = "\"options.evaluations_semantic\" is none of execute_all, \
                           deny_on_first_deny, permit_on_first_permit";
            return Err(invalid(message.to_owned()));
        }
    };
    let read_item = |item: &Value| {
        let Value::Object(item) = item else {
            return Err(invalid("an evaluation must be an object".to_owned()));
        };
        // A member of an evaluation replaces the whole default of the same name; they are not
        // merged.
        read(&|name| item.get(name).or_else(|| fields.get(name)), Asks::All)
    };
    let (mut requests, mut bytes) = (Vec::with_capacity(items.len()), 0);
    for item in items {
        let request = read_item(item);
        bytes += request.as_ref().map_or(0, bytes_of);
        if bytes > MOST_BYTES {
            let message = "the evaluations are too large together: split the request";
            return Err(IamError::TooLarge(message.to_owned()));
        }
        requests.push(request);
    }
    Ok((requests, semantic))
}

//! Limits of what callers may name and of what an account may hold, in bytes and in numbers.
//!
//! They count when something is written or asked for. Objects that exceed them, since an older
//! version accepted them, can be read and deleted, and count in decisions.

use std::borrow::Cow;

use gatewright_policy::{Condition, LONGEST_ACTION, LONGEST_URN, Permissions, Policy as Rule};

use crate::model::error::{Fault, IamError};

/// The maximum length of a URN, and of a pattern of URNs, in bytes.
pub const URN_BYTES: usize = LONGEST_URN;

/// The maximum length of an action, and of a pattern of actions, in bytes.
pub const ACTION_BYTES: usize = LONGEST_ACTION;

/// The maximum length of a resource type, in bytes.
pub const RESOURCE_TYPE_BYTES: usize = 128;

/// The maximum length of the name of a guarded API, in bytes.
pub const API_NAME_BYTES: usize = 255;

/// The maximum number of tags of a resource.
pub const TAGS: usize = 100;

/// The maximum number of replicas of an account that follow a node at once.
pub const REPLICAS: usize = 100;

/// The maximum length of a key in a condition, in bytes.
pub const CONDITION_KEY_BYTES: usize = 256;

/// The maximum length of a value in a condition, in bytes.
pub const CONDITION_VALUE_BYTES: usize = 4_096;

/// The maximum length of the subject of an evaluation, in bytes: it may be a token.
pub const SUBJECT_BYTES: usize = 8_192;

/// The maximum number of properties that an evaluation asserts.
pub const PROPERTIES: usize = 100;

/// The maximum length of the properties of an evaluation together, in bytes.
pub const PROPERTIES_BYTES: usize = 16_384;

/// The maximum size of the body of an authenticated request, in bytes.
pub const BODY_BYTES: usize = 2 << 20;

/// The maximum size of a body whose sender is not known yet, in bytes: a token request, say.
pub const ANONYMOUS_BODY_BYTES: usize = 64 << 10;

/// The maximum size of a form that signs in, in bytes. It carries the form that was kept when the
/// session ended, field by field.
pub const SIGN_IN_FORM_BYTES: usize = 128 << 10;

/// The maximum size of a response that counts as small, in bytes: most have less by far. What is held
/// of others for their recipients is limited.
pub const SMALL_RESPONSE_BYTES: usize = 16 << 10;

/// The maximum length of a text in a line of a log, in bytes; the rest is cut off.
pub const LOG_TEXT_BYTES: usize = 1_024;

/// The maximum length of a `User-Agent` in a line of a log, in bytes.
pub(crate) const USER_AGENT_BYTES: usize = 255;

/// The limits of an account, which the operator may change.
#[derive(Debug, Clone)]
pub struct Limits {
    /// The maximum number of policies of an account.
    pub policies: usize,
    /// The maximum number of service accounts of an account.
    pub clients: usize,
    /// The maximum number of users of an account.
    pub users: usize,
    /// The maximum number of groups of users of an account, beside the built-in ones.
    pub groups: usize,
    /// The maximum number of registered resources of an account.
    pub resources: usize,
    /// The maximum number of resource groups of an account.
    pub resource_groups: usize,
    /// The maximum number of permissions groups of an account.
    pub permissions_groups: usize,
    /// The maximum number of entries of any list.
    pub entries: usize,
    /// The maximum number of idempotency keys of an account within 24 hours.
    pub idempotency_keys: usize,
    /// The maximum length of the texts of a policy or a permissions group together, in bytes.
    pub policy_bytes: usize,
    /// The maximum size of the policies of an account in memory, in bytes.
    pub account_policy_bytes: usize,
    /// The maximum cost of a decision by the policies that name the identities of one caller. A
    /// cost of 1 is about ten nanoseconds.
    pub decision_cost: u64,
    /// The maximum cost of the decisions of one request.
    pub request_cost: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            policies: 100_000,
            clients: 1_000_000,
            users: 10_000,
            groups: 1_000,
            resources: 200_000,
            resource_groups: 10_000,
            permissions_groups: 1_000,
            entries: 5_000,
            idempotency_keys: 10_000,
            policy_bytes: 1_048_576,
            account_policy_bytes: 268_435_456,
            decision_cost: 50_000,
            request_cost: 500_000_000,
        }
    }
}

/// Checks the length of a text.
pub(crate) fn check_bytes(field: &str, text: &str, most: usize) -> Result<(), IamError> {
    if text.len() <= most {
        return Ok(());
    }
    let message = format!("\"{field}\" must have at most {most} bytes");
    Err(IamError::invalid(Fault::TooLong, message))
}

/// Checks the number of the properties of an evaluation, and their length together.
pub fn check_properties(number: usize, bytes: usize) -> Result<(), IamError> {
    if number <= PROPERTIES && bytes <= PROPERTIES_BYTES {
        return Ok(());
    }
    let message = format!(
        "\"properties\" may hold {PROPERTIES} texts at most, of {PROPERTIES_BYTES} bytes together"
    );
    Err(IamError::invalid(Fault::TooLong, message))
}

/// Checks the length of each text of a list.
fn check_each(field: &str, list: &[String], most: usize) -> Result<(), IamError> {
    let mut entries = list.iter().enumerate();
    entries.try_for_each(|(index, text)| check_bytes(&format!("{field}[{index}]"), text, most))
}

fn total(list: &[String]) -> usize {
    list.iter().map(String::len).sum()
}

impl Limits {
    /// Checks the lengths of the texts of permissions, each and together.
    pub(crate) fn check_permissions(&self, permissions: &Permissions) -> Result<(), IamError> {
        self.check_whole("the permissions", permissions_bytes(permissions)?)
    }

    /// Checks the lengths of the texts of a policy, each and together: its lists of identities, of
    /// resources and of permissions groups, its permissions and its conditions.
    pub(crate) fn check_policy(
        &self,
        [identities, resources, permissions_groups]: [&[String]; 3],
        permissions: &Permissions,
        conditions: Option<&Condition>,
    ) -> Result<(), IamError> {
        check_each("identities", identities, URN_BYTES)?;
        check_each("resources", resources, URN_BYTES)?;
        check_each("permissionsGroups", permissions_groups, URN_BYTES)?;
        let lists = total(identities) + total(resources) + total(permissions_groups);
        let conditions = conditions.map_or(Ok(0), condition_bytes)?;
        self.check_whole("the policy", lists + conditions + permissions_bytes(permissions)?)
    }

    /// Checks the lengths of the texts of a rule, each and together.
    pub(crate) fn check_rule(&self, rule: &Rule) -> Result<(), IamError> {
        self.check_policy(
            [&rule.identities, &rule.resources, &rule.permissions_groups],
            &rule.permissions,
            rule.conditions.as_ref(),
        )
    }

    fn check_whole(&self, subject: &str, bytes: usize) -> Result<(), IamError> {
        let most = self.policy_bytes;
        if bytes <= most {
            return Ok(());
        }
        Err(IamError::TooLarge(format!(
            "{subject} must have at most {most} bytes in its lists: split it"
        )))
    }
}

/// Checks the length of each pattern; returns their sum.
fn permissions_bytes(permissions: &Permissions) -> Result<usize, IamError> {
    let Permissions { allow, except, deny } = permissions;
    check_each("permissions.allow", allow, ACTION_BYTES)?;
    check_each("permissions.except", except, ACTION_BYTES)?;
    check_each("permissions.deny", deny, ACTION_BYTES)?;
    Ok(total(allow) + total(except) + total(deny))
}

/// Checks the length of each key and value; returns their sum.
fn condition_bytes(condition: &Condition) -> Result<usize, IamError> {
    let mut sum = 0;
    for (key, value) in condition.values.iter().flatten() {
        check_bytes("conditions.values", key, CONDITION_KEY_BYTES)?;
        check_bytes(&format!("conditions.values.{key}"), value, CONDITION_VALUE_BYTES)?;
        sum += key.len() + value.len();
    }
    for inner in condition.conditions.iter().flatten() {
        sum += condition_bytes(inner)?;
    }
    Ok(sum)
}

/// Checks that an account may hold one more object of a kind. Concurrent creations may exceed the limit
/// by a few.
pub(crate) fn check_number(held: usize, most: usize, kind: &str) -> Result<(), IamError> {
    if held < most {
        return Ok(());
    }
    let message = format!("the account has {most} {kind} already: delete some");
    Err(IamError::invalid(Fault::Parameter, message))
}

/// Checks the cost of a decision by the policies of a caller.
pub(crate) fn check_cost(caller: &str, cost: u64, most: u64) -> Result<(), IamError> {
    if cost <= most {
        return Ok(());
    }
    let message = format!(
        "a decision for {caller} would cost {cost}, more than {most}: it needs fewer policies, \
         patterns with *, permissions groups or conditions"
    );
    Err(IamError::invalid(Fault::Parameter, message))
}

/// Cuts a text to a length in bytes, marking that it is cut.
pub fn cut(text: &str, most: usize) -> Cow<'_, str> {
    const MARK: &str = "…";
    if text.len() <= most {
        return text.into();
    }
    let mut end = most.saturating_sub(MARK.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let (kept, _) = text.split_at(end);
    [kept, MARK].concat().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_cut_says_so_and_stays_within_its_length() {
        assert_eq!(cut("short", 5), "short");
        assert_eq!(cut("longer than that", 8), "longe…");
        for most in 3..12 {
            let cut = cut("ééééééééé", most);
            assert!(cut.len() <= most && cut.ends_with('…'), "{cut}");
        }
    }
}

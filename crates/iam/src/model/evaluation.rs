//! Evaluations: requests for decisions about other principals, and their results.

use std::net::IpAddr;

use gatewright_policy::{AccountName, Instant, PolicyId, Tags};

use crate::model::error::IamError;
use crate::model::input::Input;
use crate::model::limits::{
    ACTION_BYTES, RESOURCE_TYPE_BYTES, SUBJECT_BYTES, URN_BYTES, check_bytes, check_properties,
};
use crate::model::log::Reason;

/// The type of the subject of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubjectKind {
    /// A service account, by its identifier or its URN.
    ServiceAccount,
    /// A user, by their login or URN.
    User,
    /// A group of users, by its name or URN.
    Group,
    /// The principal of a token, with the token's scope, while the token is active.
    Token,
}

/// An evaluation request.
#[derive(Debug, Clone)]
pub struct Evaluation {
    /// The type of the subject; none where it is not one of this server's.
    pub subject_kind: Option<SubjectKind>,
    /// The identifier of the subject.
    pub subject: String,
    /// The action: its full name, or the part after the last colon, where only one action on the
    /// resource type has it.
    pub action: String,
    /// The resource type.
    pub resource_type: String,
    /// The name of the resource.
    pub resource: String,
    /// The account that owns the resource, where no registrar registered it. The default is the
    /// subject's account.
    pub owner: Option<AccountName>,
    /// The properties of the subject, the action and the resource that the request asserts. They
    /// count as tags of the resource where the caller has the right to assert them, and never
    /// override those that it has.
    pub properties: Tags,
    /// The source IP address, as the calling service saw it.
    pub ip: Option<IpAddr>,
    /// The time of the request. The default is now.
    pub at: Option<Instant>,
}

/// The result of an evaluation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvaluationResult {
    /// `true` if the action is allowed.
    pub allowed: bool,
    /// The reason; none where nothing was decided, since the subject or the resource does not
    /// exist.
    pub reason: Option<Reason>,
    /// The determining policy.
    pub policy: Option<PolicyId>,
}

impl Evaluation {
    /// Returns whether another request is about the same subject.
    pub(crate) fn has_subject_of(&self, other: &Self) -> bool {
        self.subject_kind == other.subject_kind && self.subject == other.subject
    }

    /// Checks the lengths of its texts.
    pub(crate) fn checked(self) -> Input<Self> {
        check_bytes("subject.id", &self.subject, SUBJECT_BYTES)?;
        check_bytes("action.name", &self.action, ACTION_BYTES)?;
        check_bytes("resource.type", &self.resource_type, RESOURCE_TYPE_BYTES)?;
        check_bytes("resource.id", &self.resource, URN_BYTES)?;
        let bytes = self.properties.iter().map(|(key, value)| key.len() + value.len()).sum();
        check_properties(self.properties.len(), bytes)?;
        Ok(self)
    }
}

impl EvaluationResult {
    /// The result where the subject or the resource does not exist.
    pub(crate) const UNKNOWN: Self = Self { allowed: false, reason: None, policy: None };
}

/// The end of several evaluations (AuthZEN's `evaluations_semantic`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EvaluationsSemantic {
    /// All requests are evaluated.
    ExecuteAll,
    /// The first request that is denied is the last that is evaluated.
    DenyOnFirstDeny,
    /// The first request that is allowed is the last that is evaluated.
    PermitOnFirstPermit,
}

impl EvaluationsSemantic {
    /// Returns whether the request with a result, or with an error, is the last that is evaluated.
    pub(crate) fn ends_with(self, result: &Result<EvaluationResult, IamError>) -> bool {
        let allowed = result.as_ref().is_ok_and(|result| result.allowed);
        match self {
            Self::ExecuteAll => false,
            Self::DenyOnFirstDeny => !allowed,
            Self::PermitOnFirstPermit => allowed,
        }
    }
}

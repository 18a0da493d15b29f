//! Permissions: patterns of allowed, excepted and denied actions.

use serde::{Deserialize, Serialize};

use crate::automaton::Marks;
use crate::pattern::{Pattern, PatternError};
use crate::patterns::Patterns;

/// Permissions as written: patterns of allowed, excepted and denied actions.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Permissions {
    /// Patterns of actions that are granted.
    #[serde(default)]
    pub allow: Vec<String>,
    /// Patterns of actions that are excepted from this `allow`.
    #[serde(default)]
    pub except: Vec<String>,
    /// Patterns of actions that are denied; a deny overrides every allow.
    #[serde(default)]
    pub deny: Vec<String>,
}

/// One of the lists of [`Permissions`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lists {
    /// `allow`
    Allow,
    /// `except`
    Except,
    /// `deny`
    Deny,
}

impl Lists {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Except => "except",
            Self::Deny => "deny",
        }
    }
}

/// The error of an action in permissions.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("action \"{}[{index}]\" {reason}", .list.as_str())]
pub struct PermissionsError {
    /// The list of the pattern.
    pub list: Lists,
    /// The index of the pattern, from 0.
    pub index: usize,
    /// The error of the pattern.
    pub reason: PatternError,
}

fn patterns(
    list: Lists,
    texts: &[String],
    marks: Marks,
) -> impl Iterator<Item = Result<(Pattern, Marks), PermissionsError>> {
    texts.iter().enumerate().map(move |(index, text)| match Pattern::parse(text) {
        Ok(pattern) => Ok((pattern, marks)),
        Err(reason) => Err(PermissionsError { list, index, reason }),
    })
}

/// Compiled permissions, which decisions evaluate.
#[derive(Debug, Clone, Default)]
pub struct CompiledPermissions {
    actions: Patterns<160>,
}

/// The lists of permissions that match an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ActionMatch(Marks);

impl ActionMatch {
    const ALLOWED: Marks = 1;
    const EXCEPTED: Marks = 2;
    const DENIED: Marks = 4;

    /// Returns whether the action is granted: allowed and not excepted. A deny is not considered.
    pub fn grants(self) -> bool {
        self.0 & (Self::ALLOWED | Self::EXCEPTED) == Self::ALLOWED
    }

    /// Returns whether an `allow` covers the action, excepted or not.
    pub(crate) fn allows(self) -> bool {
        self.0 & Self::ALLOWED != 0
    }

    /// Returns whether the action is allowed and excepted.
    pub(crate) fn excepts(self) -> bool {
        self.allows() && self.0 & Self::EXCEPTED != 0
    }

    /// Returns whether the action is denied.
    pub fn denies(self) -> bool {
        self.0 & Self::DENIED != 0
    }
}

impl Permissions {
    /// Compiles the permissions; malformed ones are refused.
    pub fn compile(&self) -> Result<CompiledPermissions, PermissionsError> {
        let all = patterns(Lists::Allow, &self.allow, ActionMatch::ALLOWED)
            .chain(patterns(Lists::Except, &self.except, ActionMatch::EXCEPTED))
            .chain(patterns(Lists::Deny, &self.deny, ActionMatch::DENIED));
        Ok(CompiledPermissions { actions: all.collect::<Result<_, _>>()? })
    }
}

/// The maximum length of an action that is decided on, in bytes, which costs are computed for.
pub const LONGEST_ACTION: usize = 256;

impl CompiledPermissions {
    /// Returns whether an action is denied.
    pub(crate) fn denies_something(&self) -> bool {
        self.actions.has(ActionMatch::DENIED)
    }

    /// Returns the cost of matching an action, in the worst case.
    pub(crate) fn cost(&self) -> u32 {
        self.actions.cost(LONGEST_ACTION)
    }

    /// Returns the memory that they take beside the value itself, in bytes.
    pub fn memory(&self) -> usize {
        self.actions.memory()
    }

    /// Returns whether the action is allowed and not excepted.
    pub fn grants(&self, action: &str) -> bool {
        let found = self.action_match(action);
        found.allows() && !found.excepts()
    }

    /// Matches an action.
    pub fn action_match(&self, action: &str) -> ActionMatch {
        ActionMatch(self.actions.marks(action))
    }
}

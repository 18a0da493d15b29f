//! Actions, `<resource type>:<namespace>:<path>`, and the scopes of tokens.

/// The error of a text that is not an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ActionError {
    /// Not three parts joined by `:`.
    #[error("must have the form <resource type>:<namespace>:<path>")]
    Malformed,
    /// A `*`, a space or a control character.
    #[error("must not hold a *, a space or a control character")]
    BadCharacter,
}

/// Returns the resource type of an action: everything before the first `:`.
pub fn action_type(action: &str) -> &str {
    let end = action.bytes().position(|byte| byte == b':');
    end.and_then(|end| action.get(..end)).unwrap_or(action)
}

/// Checks that a text is a single action, as in `vps:apiovh:reboot`.
pub fn check_action(action: &str) -> Result<(), ActionError> {
    if action.chars().any(|c| c == '*' || c.is_whitespace() || c.is_control()) {
        return Err(ActionError::BadCharacter);
    }
    let mut parts = action.splitn(3, ':');
    let whole = (0..3).all(|_| parts.next().is_some_and(|part| !part.is_empty()));
    whole.then_some(()).ok_or(ActionError::Malformed)
}

/// The scope of a token, which limits its use to a part of its owner's permissions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Scope {
    /// Everything (`all`).
    #[default]
    All,
    /// The actions of these resource types (`account/all` stands for `account`).
    Types(Vec<Box<str>>),
}

impl Scope {
    /// Returns whether the token may be used for an action.
    pub fn covers(&self, action: &str) -> bool {
        match self {
            Self::All => true,
            Self::Types(types) => types.iter().any(|one| **one == *action_type(action)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_has_a_type_a_namespace_and_a_path() {
        assert_eq!(check_action("vps:apiovh:reboot"), Ok(()));
        assert_eq!(check_action("ldp/stream:apiovh:a/b:c?d"), Ok(()));
        for text in ["", "vps", "vps:apiovh", "vps:apiovh:", ":apiovh:x", "vps::x"] {
            assert_eq!(check_action(text), Err(ActionError::Malformed), "{text}");
        }
        for text in ["vps:apiovh:*", "vps:api ovh:x", "vps:apiovh:x\n"] {
            assert_eq!(check_action(text), Err(ActionError::BadCharacter), "{text}");
        }
        assert_eq!(action_type("ldp/stream:apiovh:get"), "ldp/stream");
    }

    #[test]
    fn a_scope_covers_the_actions_of_its_types_alone() {
        let scope = Scope::Types(vec!["account".into()]);
        assert!(scope.covers("account:apiovh:me/get"));
        assert!(!scope.covers("accounting:apiovh:get"));
        assert!(!Scope::Types(vec![]).covers("account:apiovh:me/get"));
        assert!(Scope::All.covers("vps:apiovh:get"));
    }
}

//! Patterns with a `*` at the start, at the end, at both, or alone.

use std::fmt;

/// A pattern of actions.
///
/// `*` stands for any run of characters, including the empty run and runs with `:` and `/`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Pattern {
    /// `*`
    Any,
    /// `text`
    Exact(Box<str>),
    /// `text*`
    Prefix(Box<str>),
    /// `*text`
    Suffix(Box<str>),
    /// `*text*`
    Contains(Box<str>),
}

/// The error of a text that is not a [`Pattern`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// An empty text.
    #[error("must not be empty")]
    Empty,
    /// A `*` between other characters, which is not supported.
    #[error("may have a * only at its start or at its end")]
    InteriorWildcard,
}

impl Pattern {
    /// Parses a pattern.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        if text == "*" {
            return Ok(Self::Any);
        }
        let (leading, rest) = text.strip_prefix('*').map_or((false, text), |rest| (true, rest));
        let (trailing, core) = rest.strip_suffix('*').map_or((false, rest), |core| (true, core));
        if core.is_empty() {
            return if leading {
                Err(PatternError::InteriorWildcard)
            } else {
                Err(PatternError::Empty)
            };
        }
        if core.contains('*') {
            return Err(PatternError::InteriorWildcard);
        }
        let core = core.into();
        Ok(match (leading, trailing) {
            (false, false) => Self::Exact(core),
            (false, true) => Self::Prefix(core),
            (true, false) => Self::Suffix(core),
            (true, true) => Self::Contains(core),
        })
    }

    /// Returns whether the whole text matches.
    pub fn matches(&self, text: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Exact(core) => text == &**core,
            Self::Prefix(core) => text.starts_with(&**core),
            Self::Suffix(core) => text.ends_with(&**core),
            Self::Contains(core) => text.contains(&**core),
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::Exact(core) => f.write_str(core),
            Self::Prefix(core) => write!(f, "{core}*"),
            Self::Suffix(core) => write!(f, "*{core}"),
            Self::Contains(core) => write!(f, "*{core}*"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn matches(pattern: &str, text: &str) -> bool {
        Pattern::parse(pattern).unwrap().matches(text)
    }

    #[test]
    fn a_wildcard_matches_at_the_start_at_the_end_and_at_both() {
        assert!(matches("*", ""));
        assert!(matches("*get", "vps:apiovh:ips/get"));
        assert!(matches("vps:*", "vps:apiovh:ips/get"));
        assert!(matches("*:vrack:attach", "ip:vrack:attach"));
        assert!(matches("*:apiovh:*", "vps:apiovh:ips/get"));
        assert!(!matches("*:apiovh:*", "vps:openstack:x"));
        assert!(!matches("vps:*", "vpsx:apiovh:get"));
    }

    #[test]
    fn a_wildcard_matches_the_empty_run() {
        assert!(matches("vps:apiovh:get*", "vps:apiovh:get"));
        assert!(matches("*get", "get"));
    }

    #[test]
    fn a_question_mark_is_a_character_like_others() {
        assert!(matches("a:b:assume?*", "a:b:assume?role=x"));
        assert!(!matches("a:b:assume?*", "a:b:assumeXrole=x"));
    }

    #[test]
    fn a_wildcard_in_the_middle_is_refused() {
        for text in ["vps:*:get", "a*b", "**a", "a**", "***", "**", "*a*b*"] {
            assert_eq!(Pattern::parse(text), Err(PatternError::InteriorWildcard), "{text}");
        }
        assert_eq!(Pattern::parse(""), Err(PatternError::Empty));
    }

    proptest! {
        #[test]
        fn a_pattern_prints_as_it_was_written(text in "\\*?[a-z:/]{1,8}\\*?") {
            prop_assert_eq!(Pattern::parse(&text).unwrap().to_string(), text);
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,20}") {
            let interior = text.trim_start_matches('*').trim_end_matches('*').contains('*');
            if let Ok(pattern) = Pattern::parse(&text) {
                prop_assert!(!interior);
                prop_assert!(pattern.matches(&text.replace('*', "")));
            }
        }
    }
}

//! Preconditions of changes: a client names the state that its change was made from (RFC 9110,
//! section 13), so that it overwrites nobody else's change.

use aws_lc_rs::digest::{SHA256, digest};
use gatewright_store::Kind;
use serde::Serialize;

use crate::model::error::IamError;
use crate::model::mismatch::Mismatch;

/// The tag of an object: it changes exactly when what responses show of the object changes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EntityTag(String);

/// The number of bytes of a hash that are in a tag.
const TAG_BYTES: usize = 16;

impl EntityTag {
    /// Creates the tag of an object from what responses show of it.
    pub(crate) fn of(kind: Kind, shown: &impl Serialize) -> Result<Self, IamError> {
        Ok(Self::of_bytes(&serde_json::to_vec(&(kind.as_str(), shown))?))
    }

    /// Creates the tag of a text.
    pub fn of_bytes(text: &[u8]) -> Self {
        let hash = digest(&SHA256, text);
        Self(hex::encode(hash.as_ref().get(..TAG_BYTES).unwrap_or(hash.as_ref())))
    }

    /// Returns the text of the tag, without quotes: hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The tags of which an object has, or has not, one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TagMatch {
    /// Any tag: the object exists (`*`).
    Any,
    /// One of these; none of `If-Match` where it has weak tags alone.
    OneOf(Vec<String>),
}

impl TagMatch {
    /// Returns why an object that does not match is refused by `If-Match`.
    fn mismatch(&self, current: Option<&EntityTag>) -> Mismatch {
        match (self, current) {
            (Self::OneOf(tags), _) if tags.is_empty() => Mismatch::WeakTag,
            (_, None) => Mismatch::Missing,
            (_, Some(_)) => Mismatch::Changed,
        }
    }

    fn matches(&self, current: Option<&EntityTag>) -> bool {
        match self {
            Self::Any => current.is_some(),
            Self::OneOf(tags) => current.is_some_and(|current| tags.contains(&current.0)),
        }
    }
}

/// The precondition of a change, which is checked against the very state that the change replaces.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Precondition {
    /// `If-Match`: the object has one of the tags.
    pub if_match: Option<TagMatch>,
    /// `If-None-Match`: the object has none of the tags.
    pub if_none_match: Option<TagMatch>,
}

impl Precondition {
    /// Checks the precondition against the tag of the object, if there is one.
    pub(crate) fn check(
        &self,
        current: impl FnOnce() -> Result<Option<EntityTag>, IamError>,
    ) -> Result<(), IamError> {
        if *self == Self::default() {
            return Ok(());
        }
        let current = current()?;
        let current = current.as_ref();
        let mismatch = match (&self.if_match, &self.if_none_match) {
            (Some(wanted), _) if !wanted.matches(current) => wanted.mismatch(current),
            (_, Some(TagMatch::Any)) if current.is_some() => Mismatch::Exists,
            (_, Some(excluded)) if excluded.matches(current) => Mismatch::Unchanged,
            _ => return Ok(()),
        };
        Err(IamError::PreconditionFailed(mismatch))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_precondition_holds_for_the_state_that_it_names() {
        let tag = EntityTag::of(Kind::Policy, &"a").unwrap();
        let one = |text: &str| Some(TagMatch::OneOf(vec!["x".to_owned(), text.to_owned()]));
        let holds = |precondition: &Precondition, current: Option<&EntityTag>| {
            precondition.check(|| Ok(current.cloned())).is_ok()
        };
        let cases = [
            (Precondition::default(), true, true),
            (
                Precondition { if_match: Some(TagMatch::Any), ..Precondition::default() },
                true,
                false,
            ),
            (Precondition { if_match: one(tag.as_str()), ..Precondition::default() }, true, false),
            (Precondition { if_match: one("y"), ..Precondition::default() }, false, false),
            (
                Precondition { if_none_match: Some(TagMatch::Any), ..Precondition::default() },
                false,
                true,
            ),
            (
                Precondition { if_none_match: one(tag.as_str()), ..Precondition::default() },
                false,
                true,
            ),
            (Precondition { if_none_match: one("y"), ..Precondition::default() }, true, true),
        ];
        for (precondition, with, without) in cases {
            assert_eq!(holds(&precondition, Some(&tag)), with, "{precondition:?}");
            assert_eq!(holds(&precondition, None), without, "{precondition:?}");
        }
        let if_match =
            |wanted: TagMatch| Precondition { if_match: Some(wanted), if_none_match: None };
        let unless =
            |wanted: TagMatch| Precondition { if_match: None, if_none_match: Some(wanted) };
        let tags =
            |tags: &[&str]| TagMatch::OneOf(tags.iter().map(|&tag| tag.to_owned()).collect());
        for (precondition, current, said) in [
            (if_match(tags(&["y"])), Some(&tag), Mismatch::Changed),
            (if_match(tags(&[])), Some(&tag), Mismatch::WeakTag),
            (if_match(tags(&["y"])), None, Mismatch::Missing),
            (if_match(TagMatch::Any), None, Mismatch::Missing),
            (unless(TagMatch::Any), Some(&tag), Mismatch::Exists),
            (unless(tags(&[tag.as_str()])), Some(&tag), Mismatch::Unchanged),
        ] {
            let refused = precondition.check(|| Ok(current.cloned())).unwrap_err();
            assert!(
                matches!(refused, IamError::PreconditionFailed(why) if why == said),
                "{refused}"
            );
        }
        assert_ne!(tag, EntityTag::of(Kind::Policy, &"b").unwrap());
        assert_ne!(tag, EntityTag::of(Kind::Client, &"a").unwrap());
    }
}

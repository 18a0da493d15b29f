//! Reads the preconditions of a request: `If-Match` and `If-None-Match` (RFC 9110, section 13).

use axum::http::header::{IF_MATCH, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderName};
use gatewright_iam::{Fault, IamError, Input, Precondition, TagMatch};

/// Separates the tag of an object from the hash of what a response shows beside it.
const BESIDE: char = '-';

/// The comparison of tags that a header asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    /// A weak tag equals none.
    Strong,
    /// Weak and strong tags are alike.
    Weak,
}

/// Reads the precondition of a change.
pub(crate) fn read(headers: &HeaderMap) -> Input<Precondition> {
    // A change is made to the object, whatever the response that the tag is from showed beside it.
    let object = |tag: String| tag.split(BESIDE).next().unwrap_or_default().to_owned();
    let objects = |wanted: TagMatch| match wanted {
        TagMatch::Any => TagMatch::Any,
        TagMatch::OneOf(tags) => TagMatch::OneOf(tags.into_iter().map(object).collect()),
    };
    Ok(Precondition {
        if_match: tags(headers, &IF_MATCH, Comparison::Strong)?.map(objects),
        if_none_match: tags(headers, &IF_NONE_MATCH, Comparison::Weak)?.map(objects),
    })
}

/// Returns whether a reader has the representation with a tag already (`If-None-Match`).
pub(crate) fn has_representation(headers: &HeaderMap, tag: &str) -> Input<bool> {
    Ok(match tags(headers, &IF_NONE_MATCH, Comparison::Weak)? {
        None => false,
        Some(TagMatch::Any) => true,
        Some(TagMatch::OneOf(tags)) => tags.iter().any(|one| one == tag),
    })
}

/// Returns the tag of a representation that shows more than its object.
pub(crate) fn beside(object: &str, shown: &str) -> String {
    format!("{object}{BESIDE}{shown}")
}

fn tags(headers: &HeaderMap, name: &HeaderName, comparison: Comparison) -> Input<Option<TagMatch>> {
    let mut found = None;
    for value in headers.get_all(name) {
        let parsed = value.to_str().ok().and_then(|text| parse(text, comparison));
        let parsed = parsed.ok_or_else(|| {
            let message = format!("{name} must be * or entity tags in quotes, such as \"0a1b\"");
            IamError::invalid(Fault::Format, message)
        })?;
        found = Some(match (found, parsed) {
            (None, parsed) => parsed,
            (Some(TagMatch::OneOf(mut all)), TagMatch::OneOf(more)) => {
                all.extend(more);
                TagMatch::OneOf(all)
            }
            (Some(_), _) => TagMatch::Any,
        });
    }
    Ok(found)
}

/// Parses a list of entity tags (RFC 9110, section 8.8.3); none if it is malformed.
fn parse(text: &str, comparison: Comparison) -> Option<TagMatch> {
    if text.trim() == "*" {
        return Some(TagMatch::Any);
    }
    let (mut tags, mut rest) = (Vec::new(), text.trim());
    loop {
        let (weak, opaque) = match rest.strip_prefix("W/") {
            Some(rest) => (true, rest),
            None => (false, rest),
        };
        let (tag, after) = opaque.strip_prefix('"')?.split_once('"')?;
        if !weak || comparison == Comparison::Weak {
            tags.push(tag.to_owned());
        }
        rest = after.trim_start();
        if rest.is_empty() {
            return Some(TagMatch::OneOf(tags));
        }
        rest = rest.strip_prefix(',')?.trim_start();
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn one_of(tags: &[&str]) -> TagMatch {
        TagMatch::OneOf(tags.iter().map(|&tag| tag.to_owned()).collect())
    }

    #[test]
    fn a_list_of_tags_is_read_or_refused_whole() {
        let strong = |text| parse(text, Comparison::Strong);
        assert_eq!(strong("*"), Some(TagMatch::Any));
        assert_eq!(strong("\"a\""), Some(one_of(&["a"])));
        assert_eq!(strong("\"a,b\" , W/\"c\",\"\""), Some(one_of(&["a,b", ""])));
        assert_eq!(parse("W/\"c\", \"d\"", Comparison::Weak), Some(one_of(&["c", "d"])));
        for wrong in ["", "a", "\"a", "\"a\" \"b\"", "\"a\",", "w/\"a\"", "*, \"a\"", "\"a\", *"] {
            assert_eq!(strong(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_change_is_made_to_the_object_alone() {
        let mut headers = HeaderMap::new();
        headers.append(IF_MATCH, HeaderValue::from_static("\"0a\""));
        headers.append(IF_MATCH, HeaderValue::from_static("\"0b-1c\""));
        let precondition = read(&headers).unwrap();
        let if_match = Some(one_of(&["0a", "0b"]));
        assert_eq!(precondition, Precondition { if_match, if_none_match: None });
        headers.append(IF_MATCH, HeaderValue::from_static("0c"));
        assert!(read(&headers).is_err());
    }

    proptest! {
        #[test]
        fn any_list_is_read_or_refused(text in "[*W/\"a, ]{0,12}") {
            let _ = parse(&text, Comparison::Strong);
        }
    }
}

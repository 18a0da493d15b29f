//! Parses the request target of a request to a guarded API, as a proxy received it.
//!
//! Invariant: a target has one interpretation or none. A target that a proxy, this server and the
//! API could each interpret in another way is refused, never normalised.

use std::borrow::Cow;

use smallvec::SmallVec;

/// The maximum length of a target, in bytes.
pub(crate) const MOST: usize = 8192;

/// The reason why a target is refused: a target that a proxy, this server and the API might each
/// interpret in their own way is never authorized.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// The target does not begin with a slash, as an absolute URL does not.
    #[error("the target must be a path that begins with /")]
    NotAPath,
    /// The target is too long.
    #[error("the target must have at most 8192 bytes")]
    TooLong,
    /// Two slashes follow each other, or the path ends with one.
    #[error("the path must not hold empty parts")]
    EmptyPart,
    /// A part is a dot segment.
    #[error("the path must not hold parts that are made of dots")]
    Dots,
    /// A character is not allowed in a path, or some servers give it another meaning.
    #[error("the path must not hold a {0:?}")]
    Character(char),
    /// A `%` is not followed by two hexadecimal digits.
    #[error("the path holds a % that encodes nothing")]
    Encoding,
    /// A character is percent-encoded that need not be.
    #[error("the path must not encode {0:?}, which needs no encoding")]
    NotNormal(char),
    /// A percent-encoded character would get another meaning if it were decoded twice.
    #[error("the path must not hold an encoded {0:?}")]
    Encoded(char),
    /// The decoded part is not UTF-8.
    #[error("the path must be UTF-8")]
    NotText,
    /// A query parameter overrides the method.
    #[error("the query must not name another method")]
    OtherMethod,
}

/// A path with exactly one interpretation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target<'t> {
    parts: SmallVec<[Cow<'t, str>; 8]>,
}

impl<'t> Target<'t> {
    /// Parses a target in origin form (RFC 9112, section 3.2.1), as the client sent it.
    pub fn parse(text: &'t str) -> Result<Self, TargetError> {
        if text.len() > MOST {
            return Err(TargetError::TooLong);
        }
        let (path, query) = text.split_once('?').unwrap_or((text, ""));
        let path = path.strip_prefix('/').ok_or(TargetError::NotAPath)?;
        check_query(query)?;
        if path.is_empty() {
            return Ok(Self { parts: SmallVec::new() });
        }
        Ok(Self { parts: path.split('/').map(part).collect::<Result<_, _>>()? })
    }

    /// Returns the decoded parts of the path.
    pub fn parts(&self) -> &[Cow<'t, str>] {
        &self.parts
    }
}

fn part(text: &str) -> Result<Cow<'_, str>, TargetError> {
    if text.is_empty() {
        return Err(TargetError::EmptyPart);
    }
    if text.bytes().all(|byte| byte == b'.') {
        return Err(TargetError::Dots);
    }
    if let Some(wrong) = text.chars().find(|&one| !is_plain(one) && one != '%') {
        return Err(TargetError::Character(wrong));
    }
    if !text.contains('%') {
        return Ok(Cow::Borrowed(text));
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        if first != b'%' {
            decoded.push(first);
            rest = after;
            continue;
        }
        let (digits, after) = after.split_first_chunk::<2>().ok_or(TargetError::Encoding)?;
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|one| u8::try_from(one).ok());
        let [Some(high), Some(low)] = digits.map(digit) else { return Err(TargetError::Encoding) };
        let byte = high << 4 | low;
        let meant = char::from(byte);
        if meant.is_ascii_alphanumeric() || "-._~".contains(meant) {
            return Err(TargetError::NotNormal(meant));
        }
        if meant.is_ascii_control() || "/\\%;?#".contains(meant) {
            return Err(TargetError::Encoded(meant));
        }
        decoded.push(byte);
        rest = after;
    }
    let decoded = String::from_utf8(decoded).map_err(|_| TargetError::NotText)?;
    match decoded.chars().find(|one| one.is_control()) {
        Some(control) => Err(TargetError::Encoded(control)),
        None => Ok(Cow::Owned(decoded)),
    }
}

/// Returns whether a character may stand in a part of a path without encoding (RFC 3986, section
/// 3.3). `;` may not, since some servers parse parameters after it.
fn is_plain(one: char) -> bool {
    matches!(
        one,
        'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '.' | '_' | '~' | '!' | '$' | '&' | '\'' | '(' | ')'
            | '*' | '+' | ',' | '=' | ':' | '@'
    )
}

/// Returns whether programs could end or cut a query at a character.
fn is_forbidden_in_query(one: char) -> bool {
    one == '#' || one.is_control() || one.is_whitespace()
}

/// The names of parameters that override the method, with every mark as an underscore.
const OVERRIDES: [&str; 4] =
    ["_method", "x_http_method_override", "x_http_method", "x_method_override"];

/// Returns whether a parameter of the query overrides the method. Programs differ in how they read a
/// name: some take a mark for an underscore, drop blanks or brackets around it, or cut it at a bracket
/// or a NUL.
fn overrides_method(pair: &str) -> bool {
    let name = pair.split('=').next().unwrap_or_default().replace('+', " ");
    let name = percent_encoding::percent_decode_str(&name).decode_utf8_lossy();
    let blank = |one: char| one.is_whitespace() || one.is_control();
    let name =
        name.trim_matches(blank).split('\0').next().unwrap_or_default().trim_end_matches(blank);
    let is_bracket = |one: char| one == '[' || one == ']';
    let inside = name.trim_start_matches(is_bracket);
    let cut = inside.split(is_bracket).next().unwrap_or_default();
    // A bracket before the rest may count as a mark like any other.
    let marked = if inside == name { cut.to_owned() } else { format!("_{cut}") };
    [name, cut, &marked].iter().any(|reading| {
        let plain = reading.replace(|one: char| !one.is_ascii_alphanumeric(), "_");
        OVERRIDES.contains(&&*plain.to_ascii_lowercase())
    })
}

/// Checks the query for overrides of the method, which many frameworks accept, and for characters
/// that are refused.
fn check_query(query: &str) -> Result<(), TargetError> {
    if query.is_empty() {
        return Ok(());
    }
    // Many clients send brackets, quotes and the like without encoding; they mean nothing to a
    // proxy.
    if let Some(wrong) = query.chars().find(|&one| is_forbidden_in_query(one)) {
        return Err(TargetError::Character(wrong));
    }
    let overrides = query.split(['&', ';']).any(overrides_method);
    if overrides { Err(TargetError::OtherMethod) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parts(text: &str) -> Result<Vec<String>, TargetError> {
        Ok(Target::parse(text)?.parts().iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_path_is_cut_and_decoded_once() {
        assert_eq!(parts("/"), Ok(vec![]));
        assert_eq!(parts("/a/b:c@d?e=/f&g=[1]"), Ok(vec!["a".to_owned(), "b:c@d".to_owned()]));
        assert_eq!(parts("/a?x[method]=1&method=[_method]&[]=&]["), Ok(vec!["a".to_owned()]));
        assert_eq!(parts("/a%20b/%C3%A9"), Ok(vec!["a b".to_owned(), "é".to_owned()]));
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        for (text, reason) in [
            ("", TargetError::NotAPath),
            ("a", TargetError::NotAPath),
            ("*", TargetError::NotAPath),
            ("http://host/a", TargetError::NotAPath),
            ("//host/a", TargetError::EmptyPart),
            ("/a//b", TargetError::EmptyPart),
            ("/a/", TargetError::EmptyPart),
            ("/a/./b", TargetError::Dots),
            ("/a/../b", TargetError::Dots),
            ("/a/.../b", TargetError::Dots),
            ("/a/%2e%2e/b", TargetError::NotNormal('.')),
            ("/a/..%2fb", TargetError::Encoded('/')),
            ("/a%5Cb", TargetError::Encoded('\\')),
            ("/a\\b", TargetError::Character('\\')),
            ("/a%252fb", TargetError::Encoded('%')),
            ("/a%00", TargetError::Encoded('\0')),
            ("/a%0d%0ab", TargetError::Encoded('\r')),
            ("/a;b=c", TargetError::Character(';')),
            ("/a%3bb", TargetError::Encoded(';')),
            ("/a%3Fb", TargetError::Encoded('?')),
            ("/a#b", TargetError::Character('#')),
            ("/a b", TargetError::Character(' ')),
            ("/é", TargetError::Character('é')),
            ("/%61", TargetError::NotNormal('a')),
            ("/a%", TargetError::Encoding),
            ("/a%zz", TargetError::Encoding),
            ("/a%u002f", TargetError::Encoding),
            ("/%c0%af", TargetError::NotText),
            ("/%C2%85", TargetError::Encoded('\u{85}')),
            ("/a?b#c", TargetError::Character('#')),
            ("/a?x=[#c", TargetError::Character('#')),
            ("/a?x=\"[]\"&y={} z", TargetError::Character(' ')),
            ("/a?x=1&_method=DELETE", TargetError::OtherMethod),
            ("/a?x=1;_Method=DELETE", TargetError::OtherMethod),
            ("/a?%5fmethod=DELETE", TargetError::OtherMethod),
            ("/a?X-HTTP-Method-Override=DELETE", TargetError::OtherMethod),
            ("/a?+_method=DELETE", TargetError::OtherMethod),
            ("/a?.method=DELETE", TargetError::OtherMethod),
            ("/a?x&[method=DELETE", TargetError::OtherMethod),
            ("/a?_method%5B%5D=DELETE", TargetError::OtherMethod),
            ("/a?_method%00x=DELETE", TargetError::OtherMethod),
            ("/a?_method+%00x=DELETE", TargetError::OtherMethod),
            ("/a?[_method]=DELETE", TargetError::OtherMethod),
            ("/a?_method]=DELETE", TargetError::OtherMethod),
            ("/a?[[_method]][x]=DELETE", TargetError::OtherMethod),
            ("/a?[method[]=DELETE", TargetError::OtherMethod),
            ("/a?x[http_method_override=DELETE", TargetError::OtherMethod),
            ("/a?x%5Bhttp%5Bmethod=DELETE", TargetError::OtherMethod),
        ] {
            assert_eq!(parts(text), Err(reason), "{text}");
        }
        assert_eq!(parts(&format!("/{}", "a".repeat(MOST))), Err(TargetError::TooLong));
    }

    proptest! {
        #[test]
        fn a_query_with_a_forbidden_character_anywhere_is_refused(
            before in "[a-z=&\\[\\]{}\"'|^`<>é/?;%]{0,9}",
            forbidden in "[# \t\r\n\u{0}\u{7f}\u{a0}\u{2028}]",
            after in "\\PC{0,9}",
        ) {
            let text = format!("/orders?{before}{forbidden}{after}");
            prop_assert!(matches!(Target::parse(&text), Err(TargetError::Character(_))), "{}", text);
        }

        #[test]
        fn what_is_read_reads_the_same_when_it_is_decoded_again(text in "/[a-z./%25;~ ]{0,12}|/\\PC{0,9}") {
            if let Ok(target) = Target::parse(&text) {
                for part in target.parts() {
                    prop_assert!(!part.is_empty() && !part.contains(['/', '\\', '%', '?', '#', ';']));
                    prop_assert!(!part.bytes().all(|byte| byte == b'.'));
                    let again = percent_encoding::percent_decode_str(part).decode_utf8().unwrap();
                    prop_assert_eq!(&again, part);
                }
            }
        }
    }
}

//! Inputs of use cases, and validation rules that several of them share.

use std::collections::HashSet;
use std::hash::Hash;

use gatewright_policy::{hidden_character, is_invisible};

use crate::model::error::{Fault, IamError};

/// An input from a caller: parsed, or the error. A use case reports the error only once the caller
/// is authorized.
pub type Input<T> = Result<T, IamError>;

/// Validates the name of a policy or a group.
pub(crate) fn check_name(field: &str, name: &str) -> Result<(), IamError> {
    if name.is_empty() {
        return Err(IamError::invalid(Fault::Missing, format!("\"{field}\" must not be empty")));
    }
    if name.chars().count() > 255 {
        let message = format!("\"{field}\" must have at most 255 characters");
        return Err(IamError::invalid(Fault::TooLong, message));
    }
    if !name.chars().all(|c| c.is_ascii_alphanumeric() || "-/_+".contains(c)) {
        let message = format!("\"{field}\" may hold letters, digits, -, /, _ and + only");
        return Err(IamError::invalid(Fault::Format, message));
    }
    Ok(())
}

/// Validates a login or a name as a part of the URN of a user or a group.
pub(crate) fn check_principal_name(field: &str, name: &str) -> Result<(), IamError> {
    if name.is_empty() {
        return Err(IamError::invalid(Fault::Missing, format!("\"{field}\" must not be empty")));
    }
    if name.len() > 255 {
        let message = format!("\"{field}\" must have at most 255 characters");
        return Err(IamError::invalid(Fault::TooLong, message));
    }
    if !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b)) {
        let message = format!("\"{field}\" may hold letters, digits, ., _ and - only");
        return Err(IamError::invalid(Fault::Format, message));
    }
    Ok(())
}

/// Validates text for people, on one line or several.
pub(crate) fn check_text(
    field: &str,
    text: &str,
    least: usize,
    most: usize,
) -> Result<(), IamError> {
    let length = text.chars().count();
    if length < least {
        return Err(IamError::invalid(Fault::Missing, format!("\"{field}\" must not be empty")));
    }
    if length > most {
        let message = format!("\"{field}\" must have at most {most} characters");
        return Err(IamError::invalid(Fault::TooLong, message));
    }
    if text.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
        let message = format!("\"{field}\" must not hold control characters");
        return Err(IamError::invalid(Fault::Format, message));
    }
    Ok(())
}

/// Validates a display name: text on one line, in which every character can be seen.
pub(crate) fn check_label(field: &str, text: &str, most: usize) -> Result<(), IamError> {
    check_text(field, text, 1, most)?;
    check_seen(field, text)
}

/// Refuses control and invisible characters.
pub(crate) fn check_seen(field: &str, text: &str) -> Result<(), IamError> {
    match text.chars().find(|c| is_invisible(*c)) {
        Some(c) => Err(hidden(field, c, "control or invisible characters")),
        None => Ok(()),
    }
}

/// Refuses spaces, control and invisible characters in a text that is compared with others: with one
/// it would match nothing, and nobody would see why.
pub(crate) fn check_visible(field: &str, text: &str) -> Result<(), IamError> {
    match hidden_character(text) {
        Some(c) => Err(hidden(field, c, "spaces, control or invisible characters")),
        None => Ok(()),
    }
}

fn hidden(field: &str, c: char, what: &str) -> IamError {
    let message = format!("\"{field}\" holds U+{:04X}: it must not hold {what}", u32::from(c));
    IamError::invalid(Fault::Format, message)
}

/// Removes duplicates from a list, keeping the first, and refuses a list that is too long.
pub(crate) fn check_list<T: Clone + Eq + Hash>(
    field: &str,
    list: &mut Vec<T>,
    most: usize,
) -> Result<(), IamError> {
    if list.len() > most {
        let message = format!("\"{field}\" must have at most {most} entries");
        return Err(IamError::invalid(Fault::TooLong, message));
    }
    let mut seen = HashSet::with_capacity(list.len());
    list.retain(|entry| seen.insert(entry.clone()));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_letters_digits_and_four_marks() {
        assert!(check_name("name", "dev-dns/delegation_2+x").is_ok());
        for wrong in ["", "a b", "é", "a*", "a\n", &"x".repeat(256)] {
            assert!(check_name("name", wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_display_name_has_spaces_but_nothing_that_cannot_be_seen() {
        assert!(check_label("name", "Déploiement 日本 🦀", 255).is_ok());
        for wrong in ["", "a\nb", "a\tb", "a\u{200b}b", "\u{202e}gnp", &"x".repeat(256)] {
            assert!(check_label("name", wrong, 255).is_err(), "{wrong:?}");
        }
        let said = check_visible("name", "vps:apiovh:reboot\n").unwrap_err().to_string();
        let rule = "it must not hold spaces, control or invisible characters";
        assert_eq!(said, format!("\"name\" holds U+000A: {rule}"));
    }

    #[test]
    fn a_list_keeps_the_first_of_equal_entries() {
        let mut list: Vec<String> = ["b", "a", "b"].map(String::from).into();
        check_list("x", &mut list, 3).unwrap();
        assert_eq!(list, ["b", "a"]);
        assert!(check_list("x", &mut list, 1).is_err());
    }
}

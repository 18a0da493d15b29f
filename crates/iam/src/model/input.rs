//! Inputs of use cases, and validation rules that several of them share.

use std::collections::HashSet;

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

/// Removes duplicates from a list, keeping the first, and refuses a list that is too long.
pub(crate) fn check_list(field: &str, list: &mut Vec<String>, most: usize) -> Result<(), IamError> {
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
    fn a_list_keeps_the_first_of_equal_entries() {
        let mut list: Vec<String> = ["b", "a", "b"].map(String::from).into();
        check_list("x", &mut list, 3).unwrap();
        assert_eq!(list, ["b", "a"]);
        assert!(check_list("x", &mut list, 1).is_err());
    }
}

//! The rules of passwords (OWASP ASVS 5, chapter 6.2): length, and how hard they are to guess. There
//! are no rules of composition.

use zxcvbn::{Score, zxcvbn};

use crate::model::error::{Fault, IamError};
use crate::model::secret::Secret;

/// The minimum length of a password, in characters.
const SHORTEST: usize = 8;

/// The maximum length of a login or a password, so that neither takes long to check.
pub(crate) const LONGEST: usize = 1_024;

/// The word that everybody here knows.
const PRODUCT: &str = "gatewright";

/// Validates a new password: not too short, not too long to be hashed, and not among those that are
/// tried first: common passwords and words, and `words`, which whoever knows the account can guess.
/// Takes some milliseconds.
///
/// The year of the machine's clock is among the years that are easy to guess.
#[expect(clippy::disallowed_methods, reason = "passwords are rated by the year, nothing else")]
pub(crate) fn check_password(password: &Secret, words: &[String]) -> Result<(), IamError> {
    let length = password.reveal().chars().count();
    if length < SHORTEST {
        let message = format!("the password must have at least {SHORTEST} characters");
        return Err(IamError::invalid(Fault::Format, message));
    }
    if length > LONGEST {
        let message = format!("the password must have at most {LONGEST} characters");
        return Err(IamError::invalid(Fault::TooLong, message));
    }
    let mut known: Vec<&str> = words.iter().flat_map(|word| parts(word)).collect();
    known.push(PRODUCT);
    // Below 10⁶ guesses.
    if zxcvbn(password.reveal(), &known).score() < Score::Two {
        let message = "the password is too easy to guess: it is a common one, or made of the \
                       names of the account. Several words that have nothing to do with each other \
                       make a good one";
        return Err(IamError::invalid(Fault::Parameter, message));
    }
    Ok(())
}

/// Splits what is known of a person into the words that passwords are made of: the whole, the name in
/// an email address, and each word.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    let name = text.split('@').next();
    let words = text.split(|c: char| !c.is_alphanumeric());
    std::iter::once(text).chain(name).chain(words).filter(|part| part.len() > 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(password: &str) -> Result<(), IamError> {
        let words = ["xx11111-ovh", "jane", "jane.doe@shop.example", "Blue Harbour Ltd"];
        check_password(&password.to_owned().into(), &words.map(str::to_owned))
    }

    #[test]
    fn common_passwords_and_the_names_of_the_account_are_refused() {
        for guessed in [
            "password",
            "12345678",
            "Password1",
            "P@ssw0rd",
            "qwertyuiop",
            "11111111",
            "iloveyou",
            "xx11111-ovh",
            "XX11111-OVH",
            "blueharbour",
            "harbourblue",
            "jane.doe1",
            "gatewright1",
        ] {
            let error = check(guessed).unwrap_err().to_string();
            assert!(error.contains("too easy to guess"), "{guessed}: {error}");
        }
    }

    #[test]
    fn long_phrases_and_what_ovhclouds_clients_send_are_accepted() {
        let long = "correct horse battery ".repeat(40);
        for good in ["qwe123!@#", "correct horse battery", "aB3$kk91", long.trim()] {
            check(good).unwrap();
        }
        assert!(check("aB3$kk9").unwrap_err().to_string().contains("at least 8"));
        assert!(check(&"ab cd 12".repeat(200)).unwrap_err().to_string().contains("at most 1024"));
    }
}

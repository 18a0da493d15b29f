//! Accounts: what is remembered of them, and what makes one.

use gatewright_policy::Instant;
use gatewright_store::Kind;
use serde::{Deserialize, Serialize};

use crate::model::contact_details::ContactDetails;
use crate::model::document::Document;
use crate::model::error::{Fault, IamError};
use crate::model::secret::Secret;

/// An account to be made.
#[derive(Debug)]
pub struct NewAccount {
    /// Two letters, digits, and `-ovh`, `-sys` or `-ks`.
    pub name: String,
    /// The owner's address.
    pub email: String,
    /// What the owner logs in with.
    pub password: Secret,
    /// Whether to make a service account that may do everything.
    pub service_account: bool,
}

/// The service account that was made with an account.
#[derive(Debug)]
pub struct InitialServiceAccount {
    /// Its identifier.
    pub client_id: String,
    /// Its secret.
    pub secret: Secret,
}

/// An account.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Profile {
    /// The owner's address.
    pub email: String,
    /// When it was created.
    pub created_at: Instant,
    /// When the owner last changed their password, if they did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_changed_at: Option<Instant>,
    /// What the owner says of themselves.
    #[serde(rename = "particulars")]
    pub contact_details: ContactDetails,
}

/// The canonical form of an account's name.
pub(crate) fn check_account(name: &str) -> Result<String, IamError> {
    let name = name.to_lowercase();
    let sound = name.split_once('-').is_some_and(|(head, tail)| {
        let (letters, digits) = head.split_at_checked(2).unwrap_or_default();
        letters.bytes().all(|b| b.is_ascii_lowercase())
            && (1..=20).contains(&digits.len())
            && digits.bytes().all(|b| b.is_ascii_digit())
            && ["ovh", "sys", "ks"].contains(&tail)
    });
    if sound {
        return Ok(name);
    }
    let message = format!(
        "the account name {name} must be two letters and some digits, then -ovh, -sys or -ks, as \
         in xx11111-ovh"
    );
    Err(IamError::invalid(Fault::Format, message))
}

impl Document for Profile {
    const KIND: Kind = Kind::Account;
}

#[cfg(test)]
mod tests {
    use super::check_account;

    #[test]
    fn an_account_has_letters_digits_and_a_brand() {
        assert_eq!(check_account("XX11111-OVH").unwrap(), "xx11111-ovh");
        for wrong in ["", "xx-ovh", "x1-ovh", "xx1", "xx1-ovh-ks", "xx1-aws", "é1-ovh", "xx1x-ovh"]
        {
            assert!(check_account(wrong).is_err(), "{wrong}");
        }
    }
}

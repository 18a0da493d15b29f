//! Accounts: their documents and inputs.

use gatewright_policy::{AccountName, ClientId, Instant};
use gatewright_store::Kind;
use serde::{Deserialize, Serialize};

use crate::model::contact_details::ContactDetails;
use crate::model::document::{Document, Place};
use crate::model::error::{Fault, IamError};
use crate::model::precondition::EntityTag;
use crate::model::secret::Secret;

/// The input that creates an account.
#[derive(Debug)]
pub struct NewAccount {
    /// The name: two letters, digits, and `-ovh`, `-sys` or `-ks`.
    pub name: String,
    /// The owner's email address.
    pub email: String,
    /// The owner's password.
    pub password: Secret,
    /// True to create a service account that has all rights.
    pub service_account: bool,
}

/// The initial service account, created with an account.
#[derive(Debug)]
pub struct InitialServiceAccount {
    /// The client identifier.
    pub client_id: ClientId,
    /// The client secret.
    pub secret: Secret,
}

/// The demand of an account for a second factor, an authenticator or a passkey, of its people: its owner
/// and its users.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SecondFactor {
    /// A second factor is used by those who have one, and demanded of nobody.
    #[default]
    Optional,
    /// Without a second factor, a person can set one up and do nothing else.
    Required,
}

impl SecondFactor {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    fn is_optional(&self) -> bool {
        *self == Self::Optional
    }
}

/// The document of an account.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Profile {
    /// The owner's email address.
    pub email: String,
    /// The time of its creation.
    pub created_at: Instant,
    /// The time of the owner's last password change, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_changed_at: Option<Instant>,
    /// The demand for a second factor of its people.
    #[serde(default, skip_serializing_if = "SecondFactor::is_optional")]
    pub second_factor: SecondFactor,
    /// The owner's contact details.
    #[serde(rename = "particulars")]
    pub contact_details: ContactDetails,
}

/// Validates the name of an account; returns its canonical form.
pub fn check_account(name: &str) -> Result<AccountName, IamError> {
    let name = name.to_lowercase();
    let sound = name.split_once('-').is_some_and(|(head, tail)| {
        let (letters, digits) = head.split_at_checked(2).unwrap_or_default();
        letters.bytes().all(|b| b.is_ascii_lowercase())
            && (1..=20).contains(&digits.len())
            && digits.bytes().all(|b| b.is_ascii_digit())
            && ["ovh", "sys", "ks"].contains(&tail)
    });
    if sound {
        return Ok(AccountName::new(name));
    }
    let message = format!(
        "the account name {name} must be two letters and some digits, then -ovh, -sys or -ks, as \
         in xx11111-ovh"
    );
    Err(IamError::invalid(Fault::Format, message))
}

impl Profile {
    /// Returns the tag of the contact details and of the setting.
    pub fn tag(&self) -> Result<EntityTag, IamError> {
        EntityTag::of(Self::KIND, &(&self.email, &self.contact_details, self.second_factor))
    }
}

impl Document for Profile {
    const KIND: Kind = Kind::Account;

    fn tag(&self, _: Place<'_>) -> Result<EntityTag, IamError> {
        self.tag()
    }
}

#[cfg(test)]
mod tests {
    use super::check_account;

    #[test]
    fn an_account_has_letters_digits_and_a_brand() {
        assert_eq!(check_account("XX11111-OVH").unwrap().as_str(), "xx11111-ovh");
        for wrong in ["", "xx-ovh", "x1-ovh", "xx1", "xx1-ovh-ks", "xx1-aws", "é1-ovh", "xx1x-ovh"]
        {
            assert!(check_account(wrong).is_err(), "{wrong}");
        }
    }
}

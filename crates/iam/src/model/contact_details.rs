//! Contact details of an account's owner.

use std::collections::BTreeMap;

use gatewright_policy::AccountName;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::model::error::{Fault, IamError};
use crate::model::input::check_text;

/// The type of a field.
enum Holds {
    Text,
    OneOf(&'static [&'static str]),
    Country,
}

/// The fields that the owner may change, with their types.
const FIELDS: &[(&str, Holds)] = &[
    ("address", Holds::Text),
    ("area", Holds::Text),
    ("birthCity", Holds::Text),
    ("birthDay", Holds::Text),
    ("city", Holds::Text),
    ("companyNationalIdentificationNumber", Holds::Text),
    ("complementaryAddress", Holds::Text),
    ("corporationType", Holds::Text),
    ("country", Holds::Country),
    ("fax", Holds::Text),
    ("firstname", Holds::Text),
    ("italianSDI", Holds::Text),
    ("language", Holds::OneOf(&LANGUAGES)),
    ("legalform", Holds::OneOf(&LEGAL_FORMS)),
    ("name", Holds::Text),
    ("nationalIdentificationNumber", Holds::Text),
    ("organisation", Holds::Text),
    ("phone", Holds::Text),
    ("phoneCountry", Holds::Country),
    ("phoneType", Holds::OneOf(&["landline", "mobile"])),
    ("purposeOfPurchase", Holds::Text),
    ("sex", Holds::OneOf(&["female", "male"])),
    ("spareEmail", Holds::Text),
    ("vat", Holds::Text),
    ("zip", Holds::Text),
];

const LANGUAGES: [&str; 19] = [
    "cs_CZ", "de_DE", "en_AU", "en_CA", "en_GB", "en_IE", "en_US", "es_ES", "fi_FI", "fr_CA",
    "fr_FR", "fr_MA", "fr_SN", "fr_TN", "it_IT", "lt_LT", "nl_NL", "pl_PL", "pt_PT",
];

const LEGAL_FORMS: [&str; 6] =
    ["administration", "association", "corporation", "individual", "other", "personalcorporation"];

/// Fields that clients expect always to have a value.
const NEVER_NULL: [&str; 2] = ["country", "legalform"];

/// Contact details: the fields that have a value.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ContactDetails(BTreeMap<String, String>);

impl ContactDetails {
    /// Creates the contact details of a new account.
    pub(crate) fn of(account: &AccountName) -> Self {
        let fields = [
            ("country", "FR"),
            ("legalform", "other"),
            ("language", "en_GB"),
            ("firstname", "Account"),
            ("name", account.as_str()),
        ];
        Self(fields.map(|(field, value)| (field.to_owned(), value.to_owned())).into())
    }

    /// Lists every field with its value, if it has one.
    pub fn fields(&self) -> impl Iterator<Item = (&'static str, Option<&str>)> {
        FIELDS.iter().map(|(field, _)| (*field, self.0.get(*field).map(String::as_str)))
    }

    /// Updates the fields that the owner may change, and ignores the others; fails for an invalid
    /// value.
    pub(crate) fn edit(&mut self, edit: &Map<String, Value>) -> Result<(), IamError> {
        for (field, holds) in FIELDS {
            match edit.get(*field) {
                None => {}
                Some(Value::Null) if !NEVER_NULL.contains(field) => drop(self.0.remove(*field)),
                Some(Value::String(text)) => {
                    holds.check(field, text)?;
                    self.0.insert((*field).to_owned(), text.clone());
                }
                Some(_) => {
                    let message = format!("\"{field}\" must be a text");
                    return Err(IamError::invalid(Fault::Format, message));
                }
            }
        }
        Ok(())
    }
}

impl Holds {
    fn check(&self, field: &str, text: &str) -> Result<(), IamError> {
        match self {
            Self::Text => check_text(field, text, 0, 255),
            Self::OneOf(list) if list.contains(&text) => Ok(()),
            Self::Country if text.len() == 2 && text.bytes().all(|b| b.is_ascii_uppercase()) => {
                Ok(())
            }
            Self::OneOf(list) => {
                let message = format!("\"{field}\" must be one of {}", list.join(", "));
                Err(IamError::invalid(Fault::Parameter, message))
            }
            Self::Country => {
                let message = format!("\"{field}\" must be a country's two capital letters");
                Err(IamError::invalid(Fault::Parameter, message))
            }
        }
    }
}

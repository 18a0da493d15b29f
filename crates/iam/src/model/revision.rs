//! Revisions: the numbered states of an account, for read-your-writes consistency.

use std::fmt;
use std::str::FromStr;

use gatewright_policy::{AccountName, Revision};

use crate::model::error::{Fault, IamError};

/// A revision of an account, as `xx11111-ovh:42`: each change increments it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountRevision {
    pub(crate) account: AccountName,
    pub(crate) number: Revision,
}

impl fmt::Display for AccountRevision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.account, self.number)
    }
}

impl FromStr for AccountRevision {
    type Err = IamError;

    fn from_str(text: &str) -> Result<Self, IamError> {
        let (account, number) = text.trim().rsplit_once(':').unwrap_or_default();
        match number.parse() {
            Ok(number) if number >= Revision::ZERO && !account.is_empty() => {
                Ok(Self { account: AccountName::new(account), number })
            }
            _ => {
                let message = format!("{text:?} is no revision, as in xx11111-ovh:42");
                Err(IamError::invalid(Fault::Parameter, message))
            }
        }
    }
}

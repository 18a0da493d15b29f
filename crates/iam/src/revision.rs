//! Revisions: how far decisions have followed the changes of an account.

use std::fmt;
use std::str::FromStr;

use crate::error::{Fault, IamError};
use crate::iam::Iam;
use crate::view::View;

/// A state of an account, as `xx11111-ovh:42`: each change counts one on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    account: String,
    number: i64,
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.account, self.number)
    }
}

impl FromStr for Revision {
    type Err = IamError;

    fn from_str(text: &str) -> Result<Self, IamError> {
        let (account, number) = text.trim().rsplit_once(':').unwrap_or_default();
        match number.parse() {
            Ok(number) if number >= 0 && !account.is_empty() => {
                Ok(Self { account: account.to_owned(), number })
            }
            _ => {
                let message = format!("{text:?} is no revision, as in xx11111-ovh:42");
                Err(IamError::invalid(Fault::Parameter, message))
            }
        }
    }
}

impl Revision {
    /// That of an account as it is seen.
    pub(crate) fn of(view: &View) -> Self {
        Self { account: view.account().to_owned(), number: view.revision() }
    }
}

impl Iam {
    /// The revision of an account that decisions are made at on this node, at least; none where it
    /// is not in memory.
    pub fn revision(&self, account: &str) -> Option<Revision> {
        let number = self.views.revision(account)?;
        Some(Revision { account: account.to_owned(), number })
    }

    /// Makes sure that what is decided from now on follows all changes up to the revision, wherever
    /// they were made; refuses one that does not exist.
    pub async fn wait_for_revision(&self, revision: &Revision) -> Result<(), IamError> {
        let Revision { account, number } = revision;
        match self.views.reach(account, *number).await {
            Ok(true) => Ok(()),
            Ok(false) | Err(IamError::NotFound) => {
                let message = format!("there is no revision {revision}");
                Err(IamError::invalid(Fault::Parameter, message))
            }
            Err(error) => Err(error),
        }
    }
}

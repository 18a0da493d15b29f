//! Revisions: the numbered states of an account, for read-your-writes consistency.

use std::fmt;
use std::str::FromStr;

use gatewright_policy::{AccountName, Revision};
use gatewright_store::Generation;

use crate::model::error::{Fault, IamError};

/// A revision of an account, as `xx11111-ovh@0123456789abcdef:42`: each change increments the
/// number, and the generation of the database tells apart what it counted before it lost changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountRevision {
    pub(crate) account: AccountName,
    /// The generation; none where the client left it out, and takes any.
    pub(crate) generation: Option<Generation>,
    pub(crate) number: Revision,
}

impl fmt::Display for AccountRevision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.generation {
            None => write!(f, "{}:{}", self.account, self.number),
            Some(generation) => write!(f, "{}@{generation}:{}", self.account, self.number),
        }
    }
}

impl FromStr for AccountRevision {
    type Err = IamError;

    fn from_str(text: &str) -> Result<Self, IamError> {
        let (account, number) = text.trim().rsplit_once(':').unwrap_or_default();
        let (account, generation) = match account.split_once('@') {
            None => (account, Ok(None)),
            Some((account, generation)) => (account, generation.parse().map(Some)),
        };
        match (number.parse(), generation) {
            (Ok(number), Ok(generation)) if number >= Revision::ZERO && !account.is_empty() => {
                Ok(Self { account: AccountName::new(account), generation, number })
            }
            _ => {
                let message = format!(
                    "{text:?} is no revision, as in xx11111-ovh:42 or \
                     xx11111-ovh@0123456789abcdef:42"
                );
                Err(IamError::invalid(Fault::Parameter, message))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_is_read_as_it_is_written_with_its_generation_or_without() {
        for text in ["xx11111-ovh:42", "xx11111-ovh@00000000000000ff:42"] {
            assert_eq!(text.parse::<AccountRevision>().unwrap().to_string(), text);
        }
        for wrong in ["", ":1", "xx1-ovh", "xx1-ovh:-1", "xx1-ovh@:1", "xx1-ovh@z:1", "@ff:1"] {
            assert!(wrong.parse::<AccountRevision>().is_err(), "{wrong}");
        }
    }
}

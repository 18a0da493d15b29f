//! The details of an object, which a response has where the request asks for them.

use gatewright_iam::Input;

use crate::operation::Parameter;
use crate::request::Request;
use crate::tagged::Shows;

/// The parameter that asks for details.
pub(super) const DETAILS: Parameter = Parameter::flag("details");

/// The details in a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Details {
    Included,
    Omitted,
}

impl Details {
    /// Returns what a response with these details shows.
    pub(super) fn shows(self) -> Shows {
        match self {
            Self::Included => Shows::More,
            Self::Omitted => Shows::Object,
        }
    }

    /// Reads what a request asks for; without the parameter, details are omitted.
    pub(super) fn of(request: &Request) -> Input<Self> {
        Ok(match request.query.flag(DETAILS.name)? {
            Some(true) => Self::Included,
            None | Some(false) => Self::Omitted,
        })
    }
}

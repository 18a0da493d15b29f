//! Messages between the transport and the handlers of requests: a caller is authenticated, a body did
//! not arrive, a response has a recipient.

use std::error::Error;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use gatewright_policy::AccountName;

use crate::model::network::Network;

/// Mark of a request whose caller is authenticated. The transport reads it: what it holds for
/// strangers is limited more strictly.
#[derive(Debug, Clone, Default)]
pub struct AuthenticationMark(Arc<AtomicBool>);

impl AuthenticationMark {
    /// Marks the request.
    pub fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Checks whether the request is marked.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The recipient of a response that is not small, in the extensions of that response. The transport
/// limits what it holds for each.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Recipient {
    /// The account of an authenticated caller.
    Account(AccountName),
    /// The network of a stranger.
    Network(Network),
}

/// Mark of a response whose body is a part of the program, and takes no memory.
#[derive(Debug, Clone, Copy)]
pub struct StaticBody;

/// The reason why a body could not be received whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyFailure {
    /// The body did not arrive in time.
    TooSlow,
    /// There was no memory for it.
    NoMemory,
    /// The connection ended before it, or it is malformed.
    CutShort,
}

impl BodyFailure {
    /// The seconds after which a request for which there was no memory may be sent again.
    pub const RETRY_AFTER: u64 = 1;

    /// Finds the reason among the causes of an error. The transport reports one that is too slow, or
    /// that there is no memory for, as an I/O error.
    pub fn of(error: &(dyn Error + 'static)) -> Self {
        let mut causes = std::iter::successors(Some(error), |error| (*error).source());
        match causes.find_map(|cause| Some(cause.downcast_ref::<io::Error>()?.kind())) {
            Some(io::ErrorKind::TimedOut) => Self::TooSlow,
            Some(io::ErrorKind::QuotaExceeded) => Self::NoMemory,
            _ => Self::CutShort,
        }
    }
}

//! Raises the limit of file descriptors, and allots them to the listeners.

use crate::error::Failure;

/// Descriptors for everything but connections of clients: the database, files, the log.
const RESERVED: usize = 128;

/// The connections of the listener for operators. They have descriptors of their own, so that
/// `/readyz` and `/metrics` answer while all others are taken.
pub(crate) const OPERATIONS: usize = 64;

/// The connections of Envoys at most, where there are descriptors enough.
pub(crate) const ENVOYS: usize = 1_000;

/// The connections of clients unless the setting says otherwise. On HTTP/1.1 each may hold the head of
/// a request: 640 MiB in all. On HTTP/2 what each network holds is limited beside.
pub(crate) const CLIENTS: usize = 10_000;

/// The presence of a listener for Envoys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Envoys {
    Served,
    None,
}

/// The connections of each listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ConnectionQuotas {
    pub(crate) clients: usize,
    pub(crate) envoys: usize,
}

impl ConnectionQuotas {
    /// Allots descriptors to the listeners; `wanted` is the setting. Fails if there are too few for it.
    pub(crate) fn of(
        descriptors: usize,
        wanted: Option<usize>,
        envoys: Envoys,
    ) -> Result<Self, Failure> {
        let free = descriptors.saturating_sub(RESERVED + OPERATIONS);
        let envoys = match envoys {
            Envoys::Served => ENVOYS.min(free / 4),
            Envoys::None => 0,
        };
        let most = free - envoys;
        match wanted {
            Some(wanted) if wanted > most => Err(Failure::setting("--max-connections")(format!(
                "{wanted} connections need more file descriptors than there may be \
                 ({descriptors}, which is enough for {most}): raise the limit (ulimit -n)"
            ))),
            Some(clients) => Ok(Self { clients, envoys }),
            None => Ok(Self { clients: CLIENTS.min(most), envoys }),
        }
    }
}

/// Raises the limit of open descriptors as far as the operating system allows; returns it.
#[cfg(unix)]
pub(crate) fn raise_limit() -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: maximum, maximum };
    let limit = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => maximum,
        Err(error) => {
            tracing::warn!(%error, "raising the limit of file descriptors failed");
            current
        }
    };
    // No value is no limit.
    limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX))
}

/// Returns a limit that no connection meets: there is none to raise.
#[cfg(not(unix))]
pub(crate) fn raise_limit() -> usize {
    usize::MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptors_are_kept_for_the_database_operators_and_envoys() {
        let of = |descriptors, envoys| ConnectionQuotas::of(descriptors, None, envoys).unwrap();
        assert_eq!(of(1 << 20, Envoys::None), ConnectionQuotas { clients: 10_000, envoys: 0 });
        assert_eq!(
            of(1 << 20, Envoys::Served),
            ConnectionQuotas { clients: 10_000, envoys: 1_000 }
        );
        assert_eq!(of(1_024, Envoys::None), ConnectionQuotas { clients: 832, envoys: 0 });
        assert_eq!(of(1_024, Envoys::Served), ConnectionQuotas { clients: 624, envoys: 208 });
        assert_eq!(of(100, Envoys::Served), ConnectionQuotas { clients: 0, envoys: 0 });
    }

    #[test]
    fn more_connections_than_descriptors_are_refused_at_start() {
        assert_eq!(ConnectionQuotas::of(1_024, Some(832), Envoys::None).unwrap().clients, 832);
        let error = ConnectionQuotas::of(1_024, Some(833), Envoys::None).unwrap_err().to_string();
        assert!(error.starts_with("--max-connections: 833 connections need"), "{error}");
        assert_eq!(
            ConnectionQuotas::of(1 << 20, Some(50_000), Envoys::Served).unwrap().clients,
            50_000
        );
    }
}

//! Notifications between the nodes on one PostgreSQL: changes, and heartbeats.

use gatewright_policy::{AccountName, Revision};
use sqlx::postgres::PgListener;

use crate::error::StoreError;

/// The channel that all nodes listen to.
pub(crate) const CHANNEL: &str = "gatewright";

/// A notification on the channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// A new revision of an account.
    Changed {
        /// The account.
        account: AccountName,
        /// Its last revision.
        revision: Revision,
        /// True if resources were created or deleted.
        resources: bool,
    },
    /// A heartbeat, whose absence tells a node that it is stale.
    Heartbeat,
}

impl Notice {
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Changed { account, revision, resources } => {
                format!("{revision} {} {account}", u8::from(*resources))
            }
            Self::Heartbeat => "pulse".to_owned(),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        if text == "pulse" {
            return Some(Self::Heartbeat);
        }
        let (revision, rest) = text.split_once(' ')?;
        let (resources, account) = rest.split_once(' ')?;
        Some(Self::Changed {
            account: AccountName::new(account),
            revision: revision.parse().ok()?,
            resources: resources != "0",
        })
    }
}

/// A listener for notifications, with a connection of its own.
pub struct Listener(pub(crate) PgListener);

impl Listener {
    /// Waits for the next notification. After an error some may be lost: a new listener is needed.
    pub async fn next(&mut self) -> Result<Notice, StoreError> {
        loop {
            let failed = |error| StoreError::failed("LISTEN", error);
            let Some(notification) = self.0.try_recv().await.map_err(failed)? else {
                return Err(failed(sqlx::Error::PoolClosed));
            };
            if let Some(notice) = Notice::parse(notification.payload()) {
                return Ok(notice);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_is_parsed_as_it_was_sent() {
        let changed = Notice::Changed {
            account: AccountName::new("aa1-ovh"),
            revision: Revision::new(42),
            resources: true,
        };
        assert_eq!(Notice::parse(&changed.text()), Some(changed));
        assert_eq!(Notice::parse(&Notice::Heartbeat.text()), Some(Notice::Heartbeat));
        assert_eq!(Notice::parse("nonsense"), None);
    }
}

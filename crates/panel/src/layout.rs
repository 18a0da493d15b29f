//! What surrounds every page.

use std::sync::Arc;

use gatewright_iam::QueryId;

use crate::text::Texts;

/// Which entry of the menu a page belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    None,
    Overview,
    ServiceAccounts,
    Policies,
    Resources,
    Users,
    Groups,
    Logs,
    Me,
}

/// How something went.
pub(crate) struct Banner {
    pub(crate) kind: &'static str,
    pub(crate) title: &'static str,
    pub(crate) text: String,
}

impl Banner {
    pub(crate) fn success(text: String) -> Self {
        Self { kind: "success", title: "banner-success", text }
    }

    pub(crate) fn danger(text: String) -> Self {
        Self { kind: "danger", title: "banner-danger", text }
    }
}

/// What every template has.
pub(crate) struct Layout {
    pub(crate) texts: Texts,
    pub(crate) assets: Arc<str>,
    pub(crate) query_id: QueryId,
    /// Who is signed in.
    pub(crate) who: Option<String>,
    pub(crate) section: Section,
    /// What a form must hold to be taken.
    pub(crate) csrf_token: String,
    pub(crate) banner: Option<Banner>,
}

impl Layout {
    /// Marks the entry of the menu that the page belongs to.
    pub(crate) fn current(&self, section: Section) -> &'static str {
        if self.section == section { "page" } else { "false" }
    }
}

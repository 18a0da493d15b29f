//! Layout of every page: menu, banner, and the values that all templates share.

use std::sync::Arc;

use gatewright_iam::QueryId;

use crate::csrf::CsrfToken;
use crate::text::Texts;

/// Entry of the menu that a page belongs to.
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

/// Message at the top of a page.
pub(crate) struct Banner {
    pub(crate) severity: Severity,
    pub(crate) text: String,
}

/// Severity of a banner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Severity {
    Success,
    Warning,
    Danger,
}

impl Severity {
    /// Returns the modifier of the design system's alert.
    pub(crate) fn modifier(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Warning => "warning",
            Self::Danger => "danger",
        }
    }

    /// Returns the role: an alert interrupts a screen reader, a status waits.
    pub(crate) fn role(self) -> &'static str {
        match self {
            Self::Success => "status",
            Self::Warning | Self::Danger => "alert",
        }
    }

    /// Returns the key of the title that screen readers read.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Success => "banner-success",
            Self::Warning => "banner-warning",
            Self::Danger => "banner-danger",
        }
    }
}

impl Banner {
    pub(crate) fn success(text: String) -> Self {
        Self { severity: Severity::Success, text }
    }

    pub(crate) fn warning(text: String) -> Self {
        Self { severity: Severity::Warning, text }
    }

    pub(crate) fn danger(text: String) -> Self {
        Self { severity: Severity::Danger, text }
    }
}

/// Values that all templates share.
pub(crate) struct Layout {
    pub(crate) texts: Texts,
    /// Path of the static files of this build.
    pub(crate) assets: Arc<str>,
    pub(crate) query_id: QueryId,
    /// Name of the signed-in user.
    pub(crate) who: Option<String>,
    /// `false` for those who must set up a second factor before anything else.
    pub(crate) has_menu: bool,
    pub(crate) section: Section,
    pub(crate) csrf_token: CsrfToken,
    pub(crate) banner: Option<Banner>,
}

impl Layout {
    /// Adds a banner.
    pub(crate) fn with(self, banner: Banner) -> Self {
        Self { banner: Some(banner), ..self }
    }

    /// Returns the value of `aria-current` for an entry of the menu.
    pub(crate) fn current(&self, section: Section) -> &'static str {
        if self.section == section { "page" } else { "false" }
    }
}

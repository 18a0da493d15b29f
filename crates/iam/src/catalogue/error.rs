//! Why a declaration is refused.

use std::path::PathBuf;

use gatewright_policy::{ActionError, PermissionsError};

/// Why a product's file is refused.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// The folder or the file cannot be read.
    #[error("{}: {source}", path.display())]
    Unreadable {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not what it should be.
    #[error("{file}: {source}")]
    Malformed {
        /// Which one.
        file: String,
        /// Where, and what is wrong there.
        source: serde_json::Error,
    },
    /// The file is written in a language that is not read.
    #[error("{}: only JSON and YAML are read; convert this file", .0.display())]
    Unread(PathBuf),
    /// An action's name is wrong.
    #[error("{file}: the action \"{action}\" {source}")]
    Action {
        /// In which file.
        file: String,
        /// Which action.
        action: String,
        /// What is wrong with it.
        source: ActionError,
    },
    /// An API cannot be guarded by what the file says.
    #[error("{file}: {source}")]
    Api {
        /// In which file.
        file: String,
        /// What is wrong with it.
        source: ApiError,
    },
    /// A permissions group is wrong.
    #[error("{file}: in the permissions group \"{group}\", {source}")]
    Group {
        /// In which file.
        file: String,
        /// Which group.
        group: String,
        /// What is wrong with it.
        source: PermissionsError,
    },
}

/// Why an API cannot be guarded by what its document says.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// A path cannot be matched without doubt.
    #[error("the path {path} {reason}")]
    Path {
        /// Which one.
        path: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// An operation says too little or too much.
    #[error("{method} {path}: {reason}")]
    Operation {
        /// Its method.
        method: String,
        /// Its path.
        path: String,
        /// What is wrong with it, and what to do.
        reason: String,
    },
    /// The servers of the document are at several paths.
    #[error("the servers have different paths, {0} and {1}: name those with one path only")]
    Servers(String, String),
    /// The name cannot stand in a URL.
    #[error("the name {0:?} may hold letters, digits, - and _ only: set x-iam-api")]
    Name(String),
    /// Another file declares an API of that name.
    #[error("another file declares the API {0}: set x-iam-api")]
    Twice(String),
}

//! The errors of product files and of declarations of guarded APIs.

use std::path::PathBuf;

use gatewright_policy::{ActionError, PermissionsError};

/// The error of a product file.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// The folder or the file cannot be read.
    #[error("{}: {source}", path.display())]
    Unreadable {
        /// The path of the folder or file.
        path: PathBuf,
        /// The error of the file system.
        source: std::io::Error,
    },
    /// The file is malformed.
    #[error("{file}: {source}")]
    Malformed {
        /// The name of the file.
        file: String,
        /// The error of the parser, with the line and the column.
        source: serde_json::Error,
    },
    /// The file is in a format that is not supported.
    #[error("{}: only JSON and YAML are read; convert this file", .0.display())]
    Unread(PathBuf),
    /// The name of an action is invalid.
    #[error("{file}: the action \"{action}\" {source}")]
    Action {
        /// The name of the file.
        file: String,
        /// The name of the action.
        action: String,
        /// The error of the name.
        source: ActionError,
    },
    /// The name of an action or of a resource type holds a character that nobody sees.
    #[error(
        "{file}: the name {name:?} holds U+{code:04X}: it must not hold spaces, control or invisible \
         characters"
    )]
    Hidden {
        /// The name of the file.
        file: String,
        /// The name.
        name: String,
        /// The code of the character.
        code: u32,
    },
    /// The declaration of a guarded API is invalid.
    #[error("{file}: {source}")]
    Api {
        /// The name of the file.
        file: String,
        /// The error of the declaration.
        source: ApiError,
    },
    /// A permissions group is invalid.
    #[error("{file}: in the permissions group \"{group}\", {source}")]
    Group {
        /// The name of the file.
        file: String,
        /// The name of the group.
        group: String,
        /// The error of its permissions.
        source: PermissionsError,
    },
}

/// The error of a declaration of a guarded API.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// A path cannot be matched without ambiguity.
    #[error("the path {path} {reason}")]
    Path {
        /// The path.
        path: String,
        /// The reason.
        reason: &'static str,
    },
    /// An operation is declared incompletely, or with conflicting extensions.
    #[error("{method} {path}: {reason}")]
    Operation {
        /// The HTTP method.
        method: String,
        /// The path.
        path: String,
        /// The reason, and how to fix it.
        reason: String,
    },
    /// The servers of the document have different base paths.
    #[error("the servers have different paths, {0} and {1}: name those with one path only")]
    Servers(String, String),
    /// The name of the API is not valid in a URL.
    #[error("the name {0:?} may hold letters, digits, - and _ only: set x-iam-api")]
    Name(String),
    /// Another file declares an API with the same name.
    #[error("another file declares the API {0}: set x-iam-api")]
    Twice(String),
}

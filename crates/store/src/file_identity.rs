//! The identity of a database file on the machine, and of the files that SQLite keeps beside it.

use std::path::{Path, PathBuf};

/// The identity of a file: device and inode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileId(u64, u64);

/// The state of an open database file, compared with what is at its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// The files that are open are at their paths.
    Unchanged,
    /// The database is in place; its write-ahead log, or the index of that, was removed or replaced.
    LogRemoved,
    /// The database was moved, removed or replaced.
    Replaced,
}

/// The identities of an open database file, its write-ahead log and the index of that. Each is
/// none where the system knows none.
#[derive(Debug, Clone)]
pub(crate) struct DatabaseFiles {
    paths: [PathBuf; 3],
    ids: [Option<FileId>; 3],
}

impl DatabaseFiles {
    /// Reads the identities of the files that are at a path now.
    pub(crate) fn at(path: &str) -> Self {
        let paths = [path.into(), beside(path, "-wal"), beside(path, "-shm")];
        let ids = paths.each_ref().map(FileId::of);
        Self { paths, ids }
    }

    /// Returns whether all three are there, as far as the system knows.
    pub(crate) fn are_whole(&self) -> bool {
        cfg!(not(unix)) || self.ids.iter().all(Option::is_some)
    }

    /// Compares these files, which are open, with those at the paths now.
    pub(crate) fn place(&self) -> Place {
        let now = self.paths.each_ref().map(FileId::of);
        let [database, ..] = now;
        if now == self.ids {
            Place::Unchanged
        } else if database == self.ids[0] {
            Place::LogRemoved
        } else {
            Place::Replaced
        }
    }

    /// Returns whether another database is at the path, beside the log of this one.
    pub(crate) fn left_log_to_another(&self) -> bool {
        let [path, log, _] = self.paths.each_ref();
        let [database_id, log_id, _] = self.ids;
        let now = FileId::of(path);
        let is_other = now.is_some() && now != database_id;
        is_other && log_id.is_some() && FileId::of(log) == log_id && has_content(log)
    }
}

impl FileId {
    /// Returns the identity of the file that a path leads to.
    pub(crate) fn of(path: impl AsRef<Path>) -> Option<Self> {
        std::fs::metadata(path).ok().and_then(|metadata| Self::from_metadata(&metadata))
    }

    #[cfg(unix)]
    #[expect(clippy::unnecessary_wraps, reason = "other systems know no such identity")]
    pub(crate) fn from_metadata(metadata: &std::fs::Metadata) -> Option<Self> {
        use std::os::unix::fs::MetadataExt;
        Some(Self(metadata.dev(), metadata.ino()))
    }

    #[cfg(not(unix))]
    pub(crate) fn from_metadata(_: &std::fs::Metadata) -> Option<Self> {
        None
    }
}

/// Returns the path of a file that SQLite keeps beside a database: beside the file that a symbolic
/// link leads to.
pub(crate) fn beside(path: &str, ending: &str) -> PathBuf {
    let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.into());
    let mut name = path.into_os_string();
    name.push(ending);
    name.into()
}

fn has_content(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|metadata| metadata.len() > 0)
}

/// Returns the number of names (hard links) of the file at a path.
#[cfg(unix)]
pub(crate) fn names(path: &str) -> u64 {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(path).map_or(1, |metadata| metadata.nlink())
}

#[cfg(not(unix))]
pub(crate) fn names(_: &str) -> u64 {
    1
}

/// Returns whether a database changed after the write-ahead log beside it, as when a copy was put
/// in its place. It is true as well where SQLite had just moved the last of the log to the database.
#[cfg(unix)]
pub(crate) fn is_newer_than_its_log(path: &str) -> bool {
    use std::os::unix::fs::MetadataExt;
    let changed = |path: &Path| {
        let metadata = std::fs::metadata(path).ok()?;
        Some((metadata.ctime(), metadata.ctime_nsec()))
    };
    let log = beside(path, "-wal");
    has_content(&log) && changed(Path::new(path)) > changed(&log)
}

#[cfg(not(unix))]
pub(crate) fn is_newer_than_its_log(_: &str) -> bool {
    false
}

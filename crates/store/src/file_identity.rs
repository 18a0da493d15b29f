//! The identity of a database file on the machine, and of the files that SQLite keeps beside it.

use std::path::{Path, PathBuf};

/// The identity of a file: device and inode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileId(u64, u64);

/// The state of an open database file, compared with what is at its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileState {
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
    pub(crate) fn place(&self) -> FileState {
        let [database, log, index] = self.paths.each_ref().map(FileId::look);
        let (Ok(database), Ok(log), Ok(index)) = (database, log, index) else {
            // A file that cannot be looked at may well be there.
            return FileState::Unchanged;
        };
        if [database, log, index] == self.ids {
            FileState::Unchanged
        } else if database == self.ids[0] {
            FileState::LogRemoved
        } else {
            FileState::Replaced
        }
    }

    /// Returns whether the same database is at the path, whatever became of its log.
    pub(crate) fn is_database_of(&self, other: &Self) -> bool {
        self.ids[0].is_some() && self.ids[0] == other.ids[0]
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
    /// Returns the identity of the file that a path leads to; none if there is none.
    pub(crate) fn of(path: impl AsRef<Path>) -> Option<Self> {
        Self::look(path).ok().flatten()
    }

    /// Returns the same; fails if that cannot be known.
    pub(crate) fn look(path: impl AsRef<Path>) -> std::io::Result<Option<Self>> {
        match std::fs::metadata(path) {
            Ok(metadata) => Ok(Self::from_metadata(&metadata)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Returns the identity of an open file.
    pub(crate) fn of_open(file: &std::fs::File) -> Option<Self> {
        file.metadata().ok().and_then(|metadata| Self::from_metadata(&metadata))
    }

    #[cfg(unix)]
    #[expect(clippy::unnecessary_wraps, reason = "other systems know no such identity")]
    fn from_metadata(metadata: &std::fs::Metadata) -> Option<Self> {
        use std::os::unix::fs::MetadataExt;
        Some(Self(metadata.dev(), metadata.ino()))
    }

    #[cfg(not(unix))]
    fn from_metadata(_: &std::fs::Metadata) -> Option<Self> {
        None
    }
}

/// Returns the path of a file that SQLite keeps beside a database: beside the file that a symbolic
/// link leads to, even if that is missing.
pub(crate) fn beside(path: &str, ending: &str) -> PathBuf {
    let path = Path::new(path);
    let target = std::fs::canonicalize(path).or_else(|_| {
        let target = std::fs::read_link(path)?;
        Ok::<_, std::io::Error>(path.parent().unwrap_or(path).join(target))
    });
    let mut name = target.unwrap_or_else(|_| path.into()).into_os_string();
    name.push(ending);
    name.into()
}

pub(crate) fn has_content(path: &Path) -> bool {
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

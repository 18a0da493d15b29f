//! The last change that a server has committed, as it is noted beside the database file.
//!
//! A file that is restored while no server runs is told by it: its journal does not hold that change.
//! The note may be older than the last commit, after a loss of power, and never newer.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use gatewright_policy::{AccountName, Revision};

use crate::journal::Entry;

/// A change that was committed, by its entry in the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LastChange {
    pub(crate) account: AccountName,
    pub(crate) revision: Revision,
    pub(crate) hash: [u8; 32],
}

impl LastChange {
    pub(crate) fn of(entry: &Entry) -> Self {
        Self { account: entry.account.clone(), revision: entry.revision, hash: entry.hash }
    }
}

/// The bytes of a note; the rest of the text is blank. As it never grows, a full disk has room for it.
const SIZE: usize = 512;

/// Reads the note; none where there is none that is whole.
pub(crate) fn read(mut file: &File) -> std::io::Result<Option<LastChange>> {
    let mut text = String::new();
    file.seek(SeekFrom::Start(0))?;
    file.take(SIZE as u64).read_to_string(&mut text)?;
    Ok(parse(&text))
}

fn parse(text: &str) -> Option<LastChange> {
    let mut words = text.split_ascii_whitespace();
    let (hash, revision, account) = (words.next()?, words.next()?, words.next()?);
    Some(LastChange {
        account: AccountName::new(account),
        revision: Revision::new(revision.parse().ok()?),
        hash: hex::decode(hash).ok()?.try_into().ok()?,
    })
}

/// Replaces the note; none removes it.
///
/// Several threads do so at once, each in one write: the last one stays.
pub(crate) fn write(file: &File, change: Option<&LastChange>) -> std::io::Result<()> {
    let text = change.map_or(String::new(), |LastChange { account, revision, hash }| {
        format!("{} {} {}\n", hex::encode(hash), revision.number(), account.as_str())
    });
    // A text that is cut off would name another account.
    let text = if text.len() > SIZE { String::new() } else { text };
    write_at_beginning(file, format!("{text:SIZE$}").as_bytes())
}

#[cfg(unix)]
fn write_at_beginning(file: &File, bytes: &[u8]) -> std::io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, 0)
}

#[cfg(not(unix))]
fn write_at_beginning(mut file: &File, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write;

    file.seek(SeekFrom::Start(0))?;
    file.write_all(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_read_as_it_was_written_and_a_longer_one_leaves_nothing() {
        let file = tempfile::tempfile().unwrap();
        assert_eq!(read(&file).unwrap(), None);
        let note = |account: &str, number| LastChange {
            account: AccountName::new(account),
            revision: Revision::new(number),
            hash: [number.to_le_bytes()[0]; 32],
        };
        for written in [note("xx11111-a-long-name-ovh", 1_000_000), note("a", 2)] {
            write(&file, Some(&written)).unwrap();
            assert_eq!(read(&file).unwrap(), Some(written));
            assert_eq!(file.metadata().unwrap().len(), 512);
        }
        write(&file, Some(&note(&"a".repeat(500), 3))).unwrap();
        assert_eq!(read(&file).unwrap(), None);
        write(&file, Some(&note("a", 4))).unwrap();
        std::thread::scope(|threads| {
            for number in 5..9 {
                let (file, note) = (&file, note("a", number));
                threads.spawn(move || (0..100).for_each(|_| write(file, Some(&note)).unwrap()));
            }
        });
        let last = read(&file).unwrap().unwrap().revision;
        assert!((5..9).contains(&last.number()), "{last}");
        assert_eq!(file.metadata().unwrap().len(), 512, "each writes at the beginning");
        write(&file, None).unwrap();
        assert_eq!(read(&file).unwrap(), None);
    }
}

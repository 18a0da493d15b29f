//! Writes the lines of the log. One that cannot be written is counted, and dropped: a full disk or a
//! closed pipe must not end the server.

use std::cell::Cell;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tracing_subscriber::fmt::MakeWriter;

thread_local! {
    /// True if the last line of this thread was lost.
    static WAS_LOST: Cell<bool> = const { Cell::new(false) };
}

/// Writes to the standard error of the process.
pub(super) struct LogWriter {
    /// The number of lost lines that no line has reported yet.
    unreported: AtomicU64,
    /// True if the last line that was written is not complete.
    is_partial: AtomicBool,
}

/// The place where one line of the log is written.
pub(super) struct LogLine<'a>(&'a LogWriter);

impl LogWriter {
    pub(super) const fn new() -> Self {
        Self { unreported: AtomicU64::new(0), is_partial: AtomicBool::new(false) }
    }

    /// Writes a line to an output.
    fn write_to(&self, output: &mut impl Write, line: &[u8]) -> io::Result<()> {
        if self.is_partial.load(Ordering::Relaxed) {
            output.write_all(b"\n")?;
            self.is_partial.store(false, Ordering::Relaxed);
        }
        let mut rest = line;
        while !rest.is_empty() {
            let written = match output.write(rest) {
                Ok(0) => Err(io::ErrorKind::WriteZero.into()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                written => written,
            };
            if written.is_err() && rest.len() < line.len() {
                self.is_partial.store(true, Ordering::Relaxed);
            }
            rest = rest.get(written?..).unwrap_or_default();
        }
        output.flush()
    }

    /// Reports how many lines were lost, now that one could be written.
    fn report_lost(&self) {
        let lines = self.unreported.swap(0, Ordering::Relaxed);
        if lines > 0 {
            tracing::warn!(lines, "lines of the log were lost");
            // They are reported with the next line that can be written.
            if WAS_LOST.get() {
                self.unreported.fetch_add(lines, Ordering::Relaxed);
            }
        }
    }
}

impl Write for LogLine<'_> {
    /// Writes a line, or counts it as lost; the subscriber would print an error to the same place, which
    /// panics.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let written = self.0.write_to(&mut io::stderr().lock(), line);
        WAS_LOST.set(written.is_err());
        if written.is_ok() {
            self.0.report_lost();
        } else {
            self.0.unreported.fetch_add(1, Ordering::Relaxed);
            metrics::counter!("gatewright_server_log_lines_lost_total").increment(1);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for LogWriter {
    type Writer = LogLine<'a>;

    fn make_writer(&'a self) -> Self::Writer {
        LogLine(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An output with room for some bytes.
    struct Narrow {
        room: usize,
        text: Vec<u8>,
    }

    impl Write for Narrow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.room == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            let count = self.room.min(bytes.len());
            self.room -= count;
            self.text.extend(bytes.iter().take(count));
            Ok(count)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_that_was_cut_off_ends_before_the_next() {
        let (writer, mut output) = (LogWriter::new(), Narrow { room: 8, text: Vec::new() });
        writer.write_to(&mut output, b"first\n").unwrap();
        for _ in 0..2 {
            writer.write_to(&mut output, b"second\n").unwrap_err();
        }
        output.room = 100;
        writer.write_to(&mut output, b"third\n").unwrap();
        writer.write_to(&mut output, b"fourth\n").unwrap();
        assert_eq!(String::from_utf8(output.text).unwrap(), "first\nse\nthird\nfourth\n");
    }
}

//! The standard output and input of a program, buffered, the same for every tier.
//!
//! Comes in: register values from `print`, bytes from the reader. Goes out: lines to the writer, register bits to
//! `read`. What must hold: a failed write is reported, at the latest by [`Streams::flush`]; everything printed stands
//! in the writer before input is awaited.

use std::io::{self, BufRead, BufReader, IsTerminal, Write};
use std::sync::{Arc, Mutex, PoisonError};

use crate::isa::op::{Bits, Type};
use crate::number;
use crate::trap::{InputError, RunError};
use crate::value::Value;

/// How much is collected before it is written.
const BUFFER: usize = 1 << 14;
/// The longest word that `read` looks at.
const LONGEST_WORD: usize = 1 << 12;

/// Where `print` writes and `read` reads.
pub struct Streams {
    out: Box<dyn Write + Send>,
    input: Box<dyn BufRead + Send>,
    buffer: Vec<u8>,
    /// Write after every line: somebody is watching.
    eager: bool,
    /// A failure that nobody has been told of yet.
    failed: Option<io::Error>,
}

impl std::fmt::Debug for Streams {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Streams").field("buffered", &self.buffer.len()).finish_non_exhaustive()
    }
}

impl Default for Streams {
    fn default() -> Streams {
        Streams::standard()
    }
}

impl Streams {
    /// Streams over any writer and reader.
    #[must_use]
    pub fn new(out: Box<dyn Write + Send>, input: Box<dyn BufRead + Send>) -> Streams {
        Streams { out, input, buffer: Vec::new(), eager: false, failed: None }
    }

    /// The process's own standard output and input.
    #[must_use]
    pub fn standard() -> Streams {
        let mut streams = Streams::new(Box::new(io::stdout()), Box::new(BufReader::new(io::stdin())));
        streams.eager = io::stdout().is_terminal();
        streams
    }

    /// Streams that read `input` and keep what is printed.
    #[must_use]
    pub fn captured(input: impl Into<Vec<u8>>) -> (Streams, Captured) {
        let captured = Captured::default();
        (Streams::new(Box::new(captured.clone()), Box::new(io::Cursor::new(input.into()))), captured)
    }

    /// Prints what a register of type `ty` holds, and a line feed.
    ///
    /// # Errors
    /// Where the writer fails.
    pub fn print(&mut self, ty: Type, bits: u64) -> Result<(), RunError> {
        // Writing to a Vec does not fail.
        let _ = writeln!(self.buffer, "{}", Value::from_bits(ty, bits));
        if self.eager || self.buffer.len() >= BUFFER { self.flush() } else { Ok(()) }
    }

    /// Prints an int as a signed decimal.
    ///
    /// # Errors
    /// Where the writer fails.
    pub fn print_i64(&mut self, x: i64) -> Result<(), RunError> {
        self.print(Type::I64, x.bits())
    }

    /// Prints an f32.
    ///
    /// # Errors
    /// Where the writer fails.
    pub fn print_f32(&mut self, x: f32) -> Result<(), RunError> {
        self.print(Type::F32, x.bits())
    }

    /// Prints an f64.
    ///
    /// # Errors
    /// Where the writer fails.
    pub fn print_f64(&mut self, x: f64) -> Result<(), RunError> {
        self.print(Type::F64, x.to_bits())
    }

    /// Writes what has been printed.
    ///
    /// # Errors
    /// Where the writer fails; what could not be written is dropped, so that one failure is reported once.
    pub fn flush(&mut self) -> Result<(), RunError> {
        if let Some(error) = self.failed.take() {
            return Err(RunError::Output(error));
        }
        if self.buffer.is_empty() {
            return Ok(());
        }
        let written = self.out.write_all(&self.buffer).and_then(|()| self.out.flush());
        self.buffer.clear();
        written.map_err(RunError::Output)
    }

    /// Writes what has been printed by a call that ends with `result`. Where that is an error, a failure to write waits
    /// for the next [`flush`](Self::flush).
    ///
    /// # Errors
    /// Those of `result`, or where the writer fails.
    pub fn finish<T>(&mut self, result: Result<T, RunError>) -> Result<T, RunError> {
        match (result, self.flush()) {
            (Ok(_), Err(error)) => Err(error),
            (Err(error), Err(RunError::Output(failure))) => {
                self.failed = Some(failure);
                Err(error)
            }
            (result, _) => result,
        }
    }

    /// Reads the next word as a number: the bits of a register of type `ty`.
    ///
    /// # Errors
    /// At the end of the input, where the word is no such number, or where reader or writer fails.
    pub fn read(&mut self, ty: Type) -> Result<u64, RunError> {
        self.flush()?;
        let word = self.word().map_err(InputError::Io)?;
        if word.is_empty() {
            return Err(InputError::End { ty }.into());
        }
        let word = String::from_utf8_lossy(&word);
        number::parse(&word, ty).map_err(|error| InputError::Number { ty, error }.into())
    }

    /// The next run of bytes that are no white space; empty at the end of the input.
    fn word(&mut self) -> io::Result<Vec<u8>> {
        let mut word = Vec::new();
        loop {
            let available = match self.input.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                other => other?,
            };
            if available.is_empty() {
                return Ok(word);
            }
            let skip =
                if word.is_empty() { available.iter().take_while(|b| b.is_ascii_whitespace()).count() } else { 0 };
            let rest = &available[skip..];
            let taken = rest.iter().take(LONGEST_WORD - word.len()).take_while(|b| !b.is_ascii_whitespace()).count();
            word.extend_from_slice(&rest[..taken]);
            let ended = taken < rest.len();
            self.input.consume(skip + taken);
            if ended || word.len() == LONGEST_WORD {
                return Ok(word);
            }
        }
    }
}

impl Drop for Streams {
    /// What was printed is not lost where a caller forgets to flush; who wants to know of errors does not forget.
    fn drop(&mut self) {
        let _ = self.flush();
    }
}

/// What was printed to [`Streams::captured`] and flushed.
#[derive(Clone, Debug, Default)]
pub struct Captured(Arc<Mutex<Vec<u8>>>);

impl Captured {
    /// The text so far.
    #[must_use]
    pub fn text(&self) -> String {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_by_type() {
        let (mut streams, _) = Streams::captured(" 1\n-2\t0x10 2.5\n\nnan x");
        assert_eq!(streams.read(Type::I64).unwrap(), 1);
        assert_eq!(streams.read(Type::I64).unwrap(), (-2i64).bits());
        assert_eq!(streams.read(Type::I64).unwrap(), 16);
        assert_eq!(streams.read(Type::F64).unwrap(), 2.5f64.to_bits());
        assert_eq!(streams.read(Type::F32).unwrap(), 0x7fc0_0000);
        let error = streams.read(Type::I64).unwrap_err();
        assert_eq!(error.to_string(), "read: expected an integer on standard input: `x` is not an integer");
        let error = streams.read(Type::F64).unwrap_err();
        assert_eq!(error.to_string(), "read: expected an f64 number on standard input, found its end");
    }

    #[test]
    fn words_may_span_buffers_but_not_be_endless() {
        let input = BufReader::with_capacity(2, io::Cursor::new(b"  12345 6".to_vec()));
        let mut streams = Streams::new(Box::new(io::sink()), Box::new(input));
        assert_eq!(streams.read(Type::I64).unwrap(), 12345);
        assert_eq!(streams.read(Type::I64).unwrap(), 6);
        let mut streams = Streams::new(Box::new(io::sink()), Box::new(BufReader::new(io::repeat(b'z'))));
        assert!(streams.read(Type::I64).is_err());
    }

    struct Full;

    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::Error::other("disk full"))
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn output_is_in_order_and_failures_are_told() {
        let (mut streams, captured) = Streams::captured("");
        streams.print_i64(-1).unwrap();
        streams.print_f32(0.5).unwrap();
        streams.print_f64(f64::NAN).unwrap();
        assert_eq!(captured.text(), "");
        streams.flush().unwrap();
        assert_eq!(captured.text(), "-1\n0.5\nnan\n");

        let mut streams = Streams::new(Box::new(Full), Box::new(io::empty()));
        streams.print_i64(1).unwrap();
        let error = streams.flush().unwrap_err();
        assert_eq!(error.to_string(), "standard output cannot be written: disk full");
        streams.flush().unwrap();
        assert!((0..BUFFER).any(|_| streams.print_i64(1).is_err()), "a full buffer is written at once");
    }
}

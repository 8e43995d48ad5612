//! Modules made ready once, to be instantiated often.
//!
//! Comes in: verified modules, or WebAssembly as bytes. Goes out: [`Compiled`]. What must hold: what is ready for a store is the
//! same whether it was made here, as a whole or in pieces, or by the store itself.
//!
//! WebAssembly goes through in pieces: a function's body is validated, translated, verified and stitched before the next one
//! is read, and then only its code is kept. What a function is on its way fits the processor's caches, and it needs
//! no more memory the more functions there are. Several threads take pieces as they come.

use std::sync::Arc;

use crate::stitch::StitchError;
use crate::stitch::image::Image;
use crate::verified::Verified;

use super::{Engine, Tier};

/// A module that is ready to be instantiated, any number of times and in any stores of its engine's kind.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// Without bodies, where there is an image that was made in pieces.
    pub(crate) verified: Verified,
    /// Its machine code; none where programs are interpreted.
    pub(crate) image: Option<Arc<Image>>,
}

impl Compiled {
    /// The module; its functions may have no instructions any more.
    #[must_use]
    pub fn module(&self) -> &crate::module::Module {
        self.verified.module()
    }

    /// The machine code, not yet bound to an instance; none where programs are interpreted.
    #[must_use]
    pub fn image(&self) -> Option<&Image> {
        self.image.as_deref()
    }
}

impl Engine {
    fn interprets(&self) -> bool {
        self.config().tier == Tier::Interp
    }

    /// Makes a verified module ready.
    ///
    /// # Errors
    /// Where it cannot be stitched.
    pub fn compile(&self, verified: &Verified) -> Result<Compiled, StitchError> {
        let image = if self.interprets() { None } else { Some(Arc::new(self.stitch(verified)?)) };
        Ok(Compiled { verified: verified.clone(), image })
    }
}

#[cfg(feature = "wasm")]
mod wasm {
    use std::sync::Mutex;
    use std::sync::PoisonError;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    use std::thread;

    use crate::stitch::piece::Piece;
    use crate::stitch::{StitchError, Stitcher};
    use crate::verified::Verified;
    use crate::verify::single::{self, Bodies};
    use crate::verify::{VerifyError, verify};
    use crate::wasm::{Outline, WasmError, translate};

    use super::{Arc, Compiled, Engine, Image};

    /// Why WebAssembly could not be made ready.
    #[derive(Debug, thiserror::Error)]
    pub enum CompileError {
        /// It is no WebAssembly that Spasm takes.
        #[error(transparent)]
        Wasm(#[from] WasmError),
        /// Spasm's own limits are stricter than WebAssembly's.
        #[error(transparent)]
        Verify(#[from] VerifyError),
        /// It could not be stitched.
        #[error(transparent)]
        Stitch(#[from] StitchError),
    }

    /// About how many bytes of bodies make a piece: enough that joining pieces costs nothing to speak of, and few enough
    /// that threads end at about the same time.
    const PIECE: usize = 128 << 10;

    impl Engine {
        /// Makes WebAssembly ready: its binary form, or its text. `name` is what the file is called in messages.
        ///
        /// # Errors
        /// See [`CompileError`].
        pub fn compile_wasm(&self, name: &str, bytes: &[u8]) -> Result<Compiled, CompileError> {
            if self.interprets() || !crate::wasm::is_binary(bytes) {
                let verified = verify(translate(name, bytes)?)?;
                return Ok(self.compile(&verified)?);
            }
            let mut outline = Outline::read(name, bytes)?;
            let verified = single::head(outline.take_module())?;
            let pieces = runs(outline.lengths());
            // Asking how many cores there are takes longer than a small module does.
            let threads = if pieces.len() < 2 { 1 } else { self.threads().min(pieces.len()) };
            let image = if threads == 1 {
                self.with_stitcher(|all| make_all(all, &outline, &verified))?
            } else {
                let made = self.make_pieces(&outline, &verified, &pieces, threads)?;
                self.with_stitcher(|stitcher| stitcher.join(&verified, made))?
            };
            Ok(Compiled { verified, image: Some(Arc::new(image)) })
        }

        fn threads(&self) -> usize {
            match self.config().threads {
                0 => thread::available_parallelism().map_or(1, usize::from),
                some => some,
            }
        }

        /// Has several threads make the pieces.
        fn make_pieces(
            &self,
            outline: &Outline<'_>,
            verified: &Verified,
            runs: &[std::ops::Range<u32>],
            threads: usize,
        ) -> Result<Vec<Piece>, CompileError> {
            let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
            let made = Mutex::new(Vec::new());
            let work = || {
                let mut stitcher = self.new_stitcher();
                let mut maker = Maker::new(outline, verified);
                while !failed.load(Ordering::Relaxed) {
                    let nth = next.fetch_add(1, Ordering::Relaxed);
                    let Some(run) = runs.get(nth) else { break };
                    let piece = maker.piece(&mut stitcher, run.clone());
                    failed.fetch_or(piece.is_err(), Ordering::Relaxed);
                    made.lock().unwrap_or_else(PoisonError::into_inner).push((nth, piece));
                }
            };
            thread::scope(|scope| {
                // Where the system has no more threads, those that there are do it.
                let others = (1..threads).filter_map(|_| thread::Builder::new().spawn_scoped(scope, work).ok());
                let others: Vec<_> = others.collect();
                work();
                drop(others);
            });
            let mut made = made.into_inner().unwrap_or_else(PoisonError::into_inner);
            // The first error is told, whichever thread came to it first: every piece before it was taken before it.
            made.sort_by_key(|&(nth, _)| nth);
            made.into_iter().map(|(_, piece)| piece).collect()
        }
    }

    /// Makes an image of all functions as one piece.
    fn make_all(stitcher: &mut Stitcher<'_>, outline: &Outline<'_>, head: &Verified) -> Result<Image, CompileError> {
        let mut maker = Maker::new(outline, head);
        stitcher.begin_piece(head, 0)?;
        (0..outline.lengths().len() as u32).try_for_each(|number| maker.add(stitcher, number))?;
        Ok(stitcher.end(head)?)
    }

    /// Cuts the functions into runs.
    fn runs(lengths: impl Iterator<Item = usize>) -> Vec<std::ops::Range<u32>> {
        let (mut runs, mut start, mut bytes, mut end) = (Vec::new(), 0, 0, 0);
        for len in lengths {
            (end, bytes) = (end + 1, bytes + len);
            if bytes >= PIECE {
                runs.push(start..end);
                (start, bytes) = (end, 0);
            }
        }
        if end > start {
            runs.push(start..end);
        }
        runs
    }

    /// Takes bodies all the way.
    struct Maker<'o, 'a> {
        reader: crate::wasm::BodyReader<'o, 'a>,
        bodies: Bodies<'o>,
        head: &'o Verified,
    }

    impl<'o, 'a> Maker<'o, 'a> {
        fn new(outline: &'o Outline<'a>, head: &'o Verified) -> Maker<'o, 'a> {
            Maker { reader: outline.reader(), bodies: Bodies::new(head.module()), head }
        }

        fn add(&mut self, stitcher: &mut Stitcher<'_>, number: u32) -> Result<(), CompileError> {
            let function = self.reader.read(number)?;
            let body = self.bodies.verify(&function)?;
            Ok(stitcher.add(self.head, &body)?)
        }

        fn piece(&mut self, stitcher: &mut Stitcher<'_>, run: std::ops::Range<u32>) -> Result<Piece, CompileError> {
            stitcher.begin_piece(self.head, run.start)?;
            for number in run {
                self.add(stitcher, number)?;
            }
            Ok(stitcher.end_piece())
        }
    }
}

#[cfg(feature = "wasm")]
pub use wasm::CompileError;

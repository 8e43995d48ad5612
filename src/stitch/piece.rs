//! Images made in pieces: functions stitched one at a time, by several stitchers at once.
//!
//! Comes in: the [head](crate::verify::single::head) of a module, and verified bodies in the order of their functions. Goes
//! out: a [`Piece`] for each run of functions, and from all pieces the [`Image`]. What must hold: the image is the same
//! bytes whatever the pieces are: code refers to other functions by fixups only, and every function starts at a multiple
//! of 16.

use super::image::{FunctionImage, Image, Relocation, TrapSite, UnwindRow};
use super::{MAX_CODE, StitchError, Stitcher, frame, too_large};
use crate::verified::{Body, Verified};

/// The code of some functions that follow each other.
#[derive(Debug, Default)]
pub struct Piece {
    image: Image,
    /// Where a function is called that stands further on or in another piece: the hole, the function.
    calls: Vec<(u32, u32)>,
    /// Where the address of an entry for C is needed.
    c_entries: Vec<(u32, u32)>,
    /// The functions that others may come to know by references.
    referred: Vec<u32>,
}

impl Piece {
    /// Bytes of code.
    #[must_use]
    pub fn code_len(&self) -> usize {
        self.image.code.len()
    }
}

impl Stitcher<'_> {
    /// Starts a piece with the function of this number. What is stitched in pieces has no places of single instructions:
    /// traps then tell the function only.
    ///
    /// # Errors
    /// Where the library lacks opcodes that the module declares.
    pub fn begin_piece(&mut self, head: &Verified, first: u32) -> Result<(), StitchError> {
        self.code.trace = None;
        self.begin(head, first, false)
    }

    /// Stitches the next function of the piece.
    ///
    /// # Errors
    /// See [`StitchError`].
    pub fn add(&mut self, head: &Verified, body: &Body) -> Result<(), StitchError> {
        self.function(head, body)
    }

    /// Ends a piece that is all there is, and makes the image of it.
    ///
    /// # Errors
    /// Where it is too large.
    pub fn end(&mut self, head: &Verified) -> Result<Image, StitchError> {
        self.finish(head)
    }

    /// Ends the piece.
    pub fn end_piece(&mut self) -> Piece {
        let mut image = std::mem::take(&mut self.image);
        image.code = self.code.bytes().to_vec();
        let (calls, c_entries) = (std::mem::take(&mut self.calls), std::mem::take(&mut self.c_entries));
        Piece { image, calls, c_entries, referred: std::mem::take(&mut self.linked.referred) }
    }

    /// Makes the image of all pieces, which come in their order.
    ///
    /// # Errors
    /// Where they are too large together.
    pub fn join(&mut self, head: &Verified, pieces: Vec<Piece>) -> Result<Image, StitchError> {
        self.begin(head, 0, false)?;
        for piece in pieces {
            self.code.align(16);
            let base = self.code.position();
            if base as usize + piece.code_len() > MAX_CODE as usize {
                return Err(too_large(head, self.starts.len() as u32));
            }
            self.code.data(&piece.image.code);
            self.append(base, piece);
        }
        self.finish(head)
    }

    /// Adds all of a piece but its code, which starts at `base`.
    fn append(&mut self, base: u32, piece: Piece) {
        let Image { functions, relocations, sites, unwind, .. } = piece.image;
        self.starts.extend(functions.iter().map(|function| base + function.entry));
        let all = &mut self.image;
        all.functions.extend(functions.into_iter().map(|function| FunctionImage {
            entry: base + function.entry,
            end: base + function.end,
            cold: function.cold.iter().map(|&(at, inst)| (base + at, inst)).collect(),
            ..function
        }));
        all.relocations.extend(relocations.iter().map(|one| Relocation { offset: base + one.offset, ..*one }));
        all.sites.extend(sites.iter().map(|site| TrapSite { offset: base + site.offset, ..*site }));
        // The first row is told as if the function before it had been in the same piece.
        let mut rows = unwind.iter().map(|row| UnwindRow { offset: base + row.offset, ..*row });
        if let Some(row) = rows.next() {
            frame::tell(&mut all.unwind, row);
        }
        all.unwind.extend(rows);
        let moved = |&(at, function): &(u32, u32)| (base + at, function);
        self.calls.extend(piece.calls.iter().map(moved));
        self.c_entries.extend(piece.c_entries.iter().map(moved));
        self.linked.referred.extend(piece.referred);
    }
}

//! Messages that are given out whole, whatever frames and reads they came in.

use std::ops::Range;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};
use ws13::{Binary, Mask, Payload, Text};

use crate::alloc::{self, Growing, Raised};

/// What has come of the message that is under way.
#[derive(Default)]
pub enum Whole {
    #[default]
    Nothing,
    /// Pieces that still stand where they were received: they are written once, when all are there. Of a
    /// text, those are ASCII.
    Held(Vec<Held>),
    /// Pieces too small to hold on to what they stand in for.
    Binary(Growing<PyBytes>),
    /// The same of a text, as long as it is ASCII.
    Ascii(Growing<PyString>),
    Text(String),
}

/// A part of a received object.
pub struct Held {
    object: Py<PyBytes>,
    place: Range<usize>,
    mask: Mask,
}

/// A piece is held from this length on, in bytes, if it is at least half of what it stands in.
const LEAST_HELD: usize = 4096;

impl Held {
    fn part<'a>(&'a self, py: Python<'a>) -> (&'a [u8], Mask) {
        (&self.object.as_bytes(py)[self.place.clone()], self.mask)
    }

    /// The piece, if it stands in `object` and is worth holding.
    fn new(py: Python<'_>, piece: &Payload<'_>, object: Option<&Py<PyBytes>>) -> Option<Self> {
        let object = object?;
        let bytes = object.as_bytes(py);
        let start = piece.masked().as_ptr().addr().checked_sub(bytes.as_ptr().addr())?;
        let place = start..start.checked_add(piece.len())?;
        let worth = piece.len() >= LEAST_HELD && piece.len() >= bytes.len() / 2;
        let inside = place.end <= bytes.len();
        (worth && inside).then(|| Self { object: object.clone_ref(py), place, mask: piece.mask() })
    }
}

/// Lets go here and now: PyO3 puts off what is dropped without `py`.
fn release(py: Python<'_>, held: Vec<Held>) {
    held.into_iter().for_each(|held| drop(held.object.into_bound(py)));
}

impl Whole {
    /// Whether a message is under way, so that a piece of it is not the first.
    pub const fn is_under_way(&self) -> bool {
        !matches!(self, Self::Nothing)
    }

    /// Lets go of the message that is under way.
    pub fn clear(&mut self, py: Python<'_>) {
        match std::mem::take(self) {
            Self::Nothing | Self::Text(_) => {}
            Self::Held(held) => release(py, held),
            Self::Binary(growing) => growing.release(py),
            Self::Ascii(growing) => growing.release(py),
        }
    }

    /// Adds a piece that stands in `object`, if in any; the message if it ends with it. `most` is the
    /// limit for messages, in bytes.
    pub fn add_binary<'py>(
        &mut self,
        py: Python<'py>,
        piece: &Binary<'_>,
        object: Option<&Py<PyBytes>>,
        most: usize,
    ) -> Result<Option<Bound<'py, PyBytes>>, Raised<'py>> {
        let payload = &piece.payload;
        let last = (payload.masked(), payload.mask());
        let mut held = match std::mem::take(self) {
            Self::Binary(growing) => return self.grow(py, growing, piece, most),
            Self::Held(held) => held,
            _ => Vec::new(),
        };
        if piece.ends.message {
            let mut parts: Vec<_> = held.iter().map(|held| held.part(py)).collect();
            parts.push(last);
            let whole = alloc::joined(py, &parts);
            release(py, held);
            return whole.map(Some);
        }
        if let Some(part) = Held::new(py, payload, object) {
            held.push(part);
            *self = Self::Held(held);
            return Ok(None);
        }
        let mut growing = Growing::<PyBytes>::default();
        for part in &held {
            growing.append(py, part.part(py), most)?;
        }
        release(py, held);
        self.grow(py, growing, piece, most)
    }

    fn grow<'py>(
        &mut self,
        py: Python<'py>,
        mut growing: Growing<PyBytes>,
        piece: &Binary<'_>,
        most: usize,
    ) -> Result<Option<Bound<'py, PyBytes>>, Raised<'py>> {
        let frame = usize::try_from(piece.remaining).unwrap_or(usize::MAX);
        let known = growing.len().saturating_add(piece.payload.len()).saturating_add(frame);
        let total = if frame == 0 { most } else { known.min(most) };
        growing.append(py, (piece.payload.masked(), piece.payload.mask()), total)?;
        if piece.ends.message {
            return growing.finish(py).map(Some);
        }
        *self = Self::Binary(growing);
        Ok(None)
    }

    /// The same for text.
    pub fn add_text<'py>(
        &mut self,
        py: Python<'py>,
        mut piece: Text<'_>,
        object: Option<&Py<PyBytes>>,
        most: usize,
    ) -> Result<Option<Bound<'py, PyString>>, Raised<'py>> {
        let mut held = match std::mem::take(self) {
            Self::Ascii(ascii) => return self.grow_text(py, ascii, piece, most),
            Self::Text(text) => return self.collect(py, text, piece),
            Self::Nothing if piece.ends().message => {
                let text = alloc::received(py, piece)?;
                // Where it stops being UTF-8 there is no message: the failure comes next.
                return Ok(text.filter(|(_, ends)| ends.message).map(|(text, _)| text));
            }
            Self::Held(held) => held,
            _ => Vec::new(),
        };
        if piece.ends().message {
            let parts: Vec<_> = held.iter().map(|held| held.part(py)).collect();
            if let Some(whole) = alloc::joined_ascii(py, &parts, &mut piece)? {
                release(py, held);
                return Ok(Some(whole));
            }
        } else if let Some(part) = Held::new(py, piece.payload(), object)
            && piece.take_ascii()
        {
            held.push(part);
            *self = Self::Held(held);
            return Ok(None);
        }
        let mut ascii = Growing::<PyString>::default();
        for part in &held {
            ascii.append(py, part.part(py), most)?;
        }
        release(py, held);
        self.grow_text(py, ascii, piece, most)
    }

    fn grow_text<'py>(
        &mut self,
        py: Python<'py>,
        mut ascii: Growing<PyString>,
        mut piece: Text<'_>,
        most: usize,
    ) -> Result<Option<Bound<'py, PyString>>, Raised<'py>> {
        match ascii.append_text(py, &mut piece, most)? {
            Some(ends) if ends.message => return ascii.finish(py).map(Some),
            Some(_) => *self = Self::Ascii(ascii),
            None => return self.collect(py, ascii.into_string(py)?, piece),
        }
        Ok(None)
    }

    fn collect<'py>(
        &mut self,
        py: Python<'py>,
        mut text: String,
        piece: Text<'_>,
    ) -> Result<Option<Bound<'py, PyString>>, Raised<'py>> {
        let ends = alloc::collect(py, piece, &mut text)?;
        if ends.message {
            return alloc::text(py, &text).map(Some);
        }
        *self = Self::Text(text);
        Ok(None)
    }
}

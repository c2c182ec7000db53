//! Messages that are given out whole, whatever frames and reads they came in.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};
use ws13::{Binary, Ends, Text};

use crate::alloc::Growing;

/// What has come of the message that is under way.
#[derive(Default)]
pub enum Whole {
    #[default]
    Nothing,
    Binary(Growing),
    Text(String),
}

impl Whole {
    /// Whether a message is under way, so that a piece of it is not the first.
    pub const fn is_under_way(&self) -> bool {
        !matches!(self, Self::Nothing)
    }

    /// Adds a piece; the message if it ends with it. `most` is the limit for messages, in bytes.
    pub fn add_binary<'py>(
        &mut self,
        py: Python<'py>,
        piece: &Binary<'_>,
        most: usize,
    ) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let mut growing = match std::mem::take(self) {
            Self::Binary(growing) => growing,
            Self::Nothing | Self::Text(_) => Growing::default(),
        };
        let frame = usize::try_from(piece.remaining).unwrap_or(usize::MAX);
        let known = growing.len().saturating_add(piece.payload.len()).saturating_add(frame);
        let total = if frame == 0 { most } else { known.min(most) };
        growing.append(py, &piece.payload, total)?;
        if piece.ends.message {
            return growing.finish(py).map(Some);
        }
        *self = Self::Binary(growing);
        Ok(None)
    }

    /// Adds a piece; the message if it ends with it.
    pub fn add_text<'py>(
        &mut self,
        py: Python<'py>,
        piece: Text<'_>,
    ) -> Option<Bound<'py, PyString>> {
        let mut whole = match std::mem::take(self) {
            Self::Text(whole) => whole,
            Self::Nothing | Self::Binary(_) => String::new(),
        };
        let mut scratch = Vec::new();
        let ends = match piece.decode(&mut scratch) {
            Some(decoded) if decoded.ends.message && whole.is_empty() => {
                return Some(PyString::new(py, decoded.text));
            }
            Some(decoded) => {
                whole.push_str(decoded.text);
                decoded.ends
            }
            // Not UTF-8 any more: the failure comes next.
            None => Ends::default(),
        };
        if ends.message {
            return Some(PyString::new(py, &whole));
        }
        *self = Self::Text(whole);
        None
    }
}

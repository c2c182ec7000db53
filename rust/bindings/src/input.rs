//! Received bytes that no event has taken yet.
//!
//! A `bytes` object is not copied: it cannot change, so holding it is enough. Only when more comes
//! before the events of the last call were taken are the two joined, so that a payload that came in two
//! calls is one piece.

use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// See the module.
#[derive(Default)]
pub enum Input {
    #[default]
    Empty,
    Lent(Py<PyBytes>, usize),
    /// Boxed, so that a connection with nothing to read stays small.
    Joined(Box<(Vec<u8>, usize)>),
}

impl Input {
    /// Adds received bytes.
    #[inline]
    pub fn push(&mut self, bytes: Bound<'_, PyBytes>) {
        match self {
            _ if bytes.as_bytes().is_empty() => {}
            Self::Empty => *self = Self::Lent(bytes.unbind(), 0),
            Self::Lent(..) | Self::Joined(_) => self.join(&bytes),
        }
    }

    #[cold]
    fn join(&mut self, bytes: &Bound<'_, PyBytes>) {
        match self {
            Self::Empty => {}
            Self::Lent(first, used) => {
                let mut joined = first.as_bytes(bytes.py())[*used..].to_vec();
                joined.extend_from_slice(bytes.as_bytes());
                *self = Self::Joined(Box::new((joined, 0)));
            }
            Self::Joined(joined) => {
                let (joined, used) = &mut **joined;
                // Moving what is left down only when that is less than half keeps the sum linear.
                if *used > joined.len() / 2 {
                    joined.drain(..*used);
                    *used = 0;
                }
                joined.extend_from_slice(bytes.as_bytes());
            }
        }
    }

    /// What has not been taken.
    #[inline]
    pub fn rest<'a>(&'a self, py: Python<'a>) -> &'a [u8] {
        match self {
            Self::Empty => &[],
            Self::Lent(bytes, used) => &bytes.as_bytes(py)[*used..],
            Self::Joined(joined) => &joined.0[joined.1..],
        }
    }

    /// The object that all of what has not been taken stands in.
    #[inline]
    pub const fn object(&self) -> Option<&Py<PyBytes>> {
        match self {
            Self::Lent(bytes, _) => Some(bytes),
            Self::Empty | Self::Joined(_) => None,
        }
    }

    /// The last `left` bytes of it.
    #[inline]
    pub fn last(mut self, py: Python<'_>, left: usize) -> Self {
        match &mut self {
            Self::Lent(bytes, used) if left > 0 => *used = bytes.as_bytes(py).len() - left,
            Self::Joined(joined) if left > 0 => joined.1 = joined.0.len() - left,
            _ => {
                // Let go of here and now: PyO3 puts off what is dropped without `py`.
                if let Self::Lent(bytes, _) = self {
                    drop(bytes.into_bound(py));
                }
                return Self::Empty;
            }
        }
        self
    }

    /// Whether everything has been taken.
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Empty)
    }
}

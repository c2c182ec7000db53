//! All unsafe code of ws13: making objects that nobody else can see yet, and reading the fields of
//! those whose layout is ours. What each part buys is measured by `benchmarks/`:
//!
//! - [`payload`], [`frame`]: `PyBytes::new_with` zeroes the object first, and a 64 KiB message then
//!   costs 45 % more.
//! - [`Growing`]: a message that comes in many pieces is written once, too, instead of being kept in
//!   pieces and joined.
//! - [`received`], [`text`]: no safe call makes a `str` out of bytes that are unmasked on the way.
//!   Decoding a separate buffer costs more than twice as much for ASCII, and four times for other text.
//! - [`EventClass`]: a `#[pyclass]` is tracked by the garbage collector and made by `object.__new__`,
//!   which costs more than everything else that a short message needs.
//! - [`Iterator`]: the same, for the object that `events()` returns.
//! - [`Method`]: what PyO3 does around a call costs as much as sending a short message.
//! - [`drop_empty_dict`]: 80 bytes that CPython up to 3.12 gives an object with a `__dict__` in advance.
//! - [`set_attribute`]: there is no safe call for what `object.__setattr__` does.

mod bytes;
mod event;
mod iterator;
mod method;
mod object;
mod text;
mod transcode;

use pyo3::exceptions::{PyMemoryError, PyRuntimeError};
use pyo3::prelude::*;

pub use bytes::{Growing, frame, frame_behind, joined, payload};
pub use event::{EventClass, class};
pub use iterator::{Iterator, Next, Then};
pub(crate) use method::method;
pub use method::{Method, install};
pub use object::{GilCell, drop_empty_dict, set_attribute};
pub use text::{collect, received, text};

#[cold]
fn not_initialised() -> PyErr {
    PyRuntimeError::new_err("ws13._native is not initialised")
}

#[cold]
fn panicked() -> PyErr {
    PyRuntimeError::new_err("a panic in ws13")
}

#[cold]
fn out_of_memory(py: Python<'_>) -> PyErr {
    PyMemoryError::new_err(py.None())
}

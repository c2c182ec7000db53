//! All unsafe code of ws13: making objects that nobody else can see yet, and reading the fields of
//! those whose layout is ours. What each part buys is measured by `benchmarks/`:
//!
//! - [`payload`], [`frame`]: `PyBytes::new_with` zeroes the object first, and a 64 KiB message then
//!   costs 45 % more.
//! - What fills them is compiled for AVX2 as well (`wide`): a sixth off a message of 64 KiB, a fifth off text.
//! - [`Growing`]: a message that comes in many pieces is written once, too, instead of being kept in
//!   pieces and joined.
//! - [`received`], [`text`]: no safe call makes a `str` out of bytes that are unmasked on the way.
//!   Decoding a separate buffer costs more than twice as much for ASCII, and four times for other text.
//! - [`EventClass`]: a `#[pyclass]` is tracked by the garbage collector and made by `object.__new__`,
//!   which costs more than everything else that a short message needs.
//! - [`Iterator`]: the same, for the object that `events()` returns. Both use the memory of freed ones
//!   again (`spare`), which saves a tenth of a short message.
//! - [`list`]: a list that is made as long as it is going to be, instead of growing event by event.
//! - [`Method`]: what PyO3 does around a call costs as much as sending a short message.
//! - [`drop_empty_dict`]: 80 bytes that CPython up to 3.12 gives an object with a `__dict__` in advance.
//! - [`set_attribute`]: there is no safe call for what `object.__setattr__` does.

mod bytes;
mod event;
mod growing;
mod iterator;
mod list;
mod method;
mod object;
mod spare;
mod text;
mod transcode;
mod wide;

use pyo3::exceptions::{PyMemoryError, PyRuntimeError};
use pyo3::ffi;
use pyo3::prelude::*;

pub use bytes::{frame, frame_behind, joined, payload};
pub use event::{EventClass, class};
pub use growing::Growing;
pub use iterator::{Iterator, Next, Source};
pub use list::list;
pub(crate) use method::method;
pub use method::{Method, install};
pub use object::{GilCell, drop_empty_dict, set_attribute};
pub use spare::Spares;
pub use text::{collect, joined_ascii, received, string, text};

/// A Python exception is set. Next to an object it takes no room in a result, while moving a `PyErr`
/// costs as much as making a short message.
#[derive(Clone, Copy)]
pub struct Raised<'py>(Python<'py>);

impl<'py> Raised<'py> {
    /// Sets a `MemoryError`.
    #[cold]
    pub fn out_of_memory(py: Python<'py>) -> Self {
        Self::new(py, PyMemoryError::new_err(py.None()))
    }

    /// Sets `error`.
    #[cold]
    pub fn new(py: Python<'py>, error: PyErr) -> Self {
        error.restore(py);
        Self(py)
    }
}

impl From<Raised<'_>> for PyErr {
    #[cold]
    fn from(raised: Raised<'_>) -> Self {
        Self::fetch(raised.0)
    }
}

/// The new object, or the exception that the call which returned null has set.
///
/// SAFETY: `object` is a new reference or null, and in that case an exception is set.
#[inline]
unsafe fn owned<'py>(
    py: Python<'py>,
    object: *mut ffi::PyObject,
) -> Result<Bound<'py, PyAny>, Raised<'py>> {
    // SAFETY: as above.
    unsafe { Bound::from_owned_ptr_or_opt(py, object).ok_or(Raised(py)) }
}

/// A length as CPython has it. None that memory has room for is too long for it.
#[inline]
fn size(length: usize) -> ffi::Py_ssize_t {
    ffi::Py_ssize_t::try_from(length).unwrap_or(ffi::Py_ssize_t::MAX)
}

#[cold]
fn not_initialised() -> PyErr {
    PyRuntimeError::new_err("ws13._native is not initialised")
}

#[cold]
fn panicked() -> PyErr {
    PyRuntimeError::new_err("a panic in ws13")
}

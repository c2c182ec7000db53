//! Objects that grow piece by piece; nobody else can see one before it is finished.

use core::ffi::c_int;
use core::mem::MaybeUninit;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};
use ws13::{Ends, Mask, Text};

use super::bytes::uninitialised;
use super::text::{new_ascii, string};
use super::wide::{Ascii, Outcome, Written, write};
use super::{Raised, size};

/// A `bytes`, or a `str` of ASCII characters.
pub struct Growing<T> {
    object: Option<Py<T>>,
    length: usize,
    capacity: usize,
}

impl<T> Default for Growing<T> {
    fn default() -> Self {
        Self { object: None, length: 0, capacity: 0 }
    }
}

/// What can grow: it keeps so many bytes as it is long.
///
/// # Safety
///
/// `data` points to as many bytes as `new` and `resize` were asked for.
pub unsafe trait Grow: Sized {
    /// A new object, not initialised.
    fn new(py: Python<'_>, length: usize) -> Result<Bound<'_, Self>, Raised<'_>>;

    /// Takes the one reference to an object, and leaves a new one. On failure it returns less than zero,
    /// sets an exception, and leaves null, or the old object as it was.
    ///
    /// # Safety
    ///
    /// It is the only reference, and not to an object that CPython shares.
    unsafe fn resize(object: *mut *mut ffi::PyObject, length: ffi::Py_ssize_t) -> c_int;

    /// # Safety
    ///
    /// `object` is of this type.
    unsafe fn data(object: *mut ffi::PyObject) -> *mut u8;
}

unsafe extern "C" {
    /// Documented for C, and kept by PyO3 to itself.
    fn _PyBytes_Resize(bytes: *mut *mut ffi::PyObject, size: ffi::Py_ssize_t) -> c_int;
}

// SAFETY: that is how CPython keeps `bytes`.
unsafe impl Grow for PyBytes {
    fn new(py: Python<'_>, length: usize) -> Result<Bound<'_, Self>, Raised<'_>> {
        uninitialised(py, length)
    }

    unsafe fn resize(object: *mut *mut ffi::PyObject, length: ffi::Py_ssize_t) -> c_int {
        // SAFETY: the same is asked for.
        unsafe { _PyBytes_Resize(object, length) }
    }

    unsafe fn data(object: *mut ffi::PyObject) -> *mut u8 {
        // SAFETY: the same is asked for.
        unsafe { ffi::PyBytes_AsString(object).cast() }
    }
}

// SAFETY: that is how CPython keeps a `str` of ASCII characters.
unsafe impl Grow for PyString {
    fn new(py: Python<'_>, length: usize) -> Result<Bound<'_, Self>, Raised<'_>> {
        new_ascii(py, length)
    }

    unsafe fn resize(object: *mut *mut ffi::PyObject, length: ffi::Py_ssize_t) -> c_int {
        // SAFETY: the same is asked for.
        unsafe { ffi::PyUnicode_Resize(object, length) }
    }

    unsafe fn data(object: *mut ffi::PyObject) -> *mut u8 {
        // SAFETY: `new` made it, so it is a compact `str` with a byte for each character.
        unsafe { ffi::PyUnicode_1BYTE_DATA(object) }
    }
}

impl<T: Grow> Growing<T> {
    /// Bytes so far.
    pub const fn len(&self) -> usize {
        self.length
    }

    /// Lets go of what was added.
    pub fn release(self, py: Python<'_>) {
        drop(self.object.map(|object| object.into_bound(py)));
    }

    /// Adds `count` bytes that `piece` writes, unless its outcome says that they are not written. `total`
    /// is how long the whole is going to be, as far as that is known: room is made for at most so many
    /// bytes, and never for more than twice of what has come and 64 KiB.
    fn add<'py, W: Written>(
        &mut self,
        py: Python<'py>,
        piece: W,
        count: usize,
        total: usize,
    ) -> Result<W::Outcome, Raised<'py>> {
        let length = self.length.saturating_add(count);
        if length == 0 {
            return Ok(write(piece, &mut []));
        }
        if length > self.capacity {
            let grown = length.saturating_mul(2).saturating_add(64 * 1024);
            self.resize(py, grown.min(total).max(length))?;
        }
        let Some(object) = &self.object else { return Err(Raised::out_of_memory(py)) };
        // SAFETY: the object is ours alone (nothing hands it out before `finish`), holds `capacity`
        // bytes, and those from `length` on are written before anybody reads them.
        let target = unsafe {
            let start = T::data(object.as_ptr()).cast::<MaybeUninit<u8>>().add(self.length);
            core::slice::from_raw_parts_mut(start, count)
        };
        let outcome = write(piece, target);
        if outcome.is_written() {
            self.length = length;
        }
        Ok(outcome)
    }

    /// The object, as long as what was added; nothing if it was nothing.
    fn finished<'py>(mut self, py: Python<'py>) -> Result<Option<Bound<'py, T>>, Raised<'py>> {
        if self.length == 0 {
            self.release(py);
            return Ok(None);
        }
        self.resize(py, self.length)?;
        Ok(self.object.take().map(|object| object.into_bound(py)))
    }

    fn resize<'py>(&mut self, py: Python<'py>, length: usize) -> Result<(), Raised<'py>> {
        self.capacity = 0;
        let Some(object) = self.object.take() else {
            self.object = Some(T::new(py, length)?.unbind());
            self.capacity = length;
            return Ok(());
        };
        let mut object = object.into_ptr();
        // SAFETY: there is one reference to the object, which is not a shared one: those are shorter than
        // what `add` makes. The call takes it, and leaves one or null.
        let (failed, object) = unsafe {
            let failed = T::resize(&raw mut object, size(length)) < 0;
            (failed, Bound::from_owned_ptr_or_opt(py, object))
        };
        let Some(object) = object.filter(|_| !failed) else { return Err(Raised(py)) };
        // SAFETY: what was resized is of the same type.
        let object = unsafe { object.cast_into_unchecked::<T>() };
        self.object = Some(object.unbind());
        self.capacity = length;
        Ok(())
    }
}

impl Growing<PyBytes> {
    /// Adds a part; see `add` for `total`.
    pub fn append<'py>(
        &mut self,
        py: Python<'py>,
        part: (&[u8], Mask),
        total: usize,
    ) -> Result<(), Raised<'py>> {
        self.add(py, part, part.0.len(), total)
    }

    /// The object, as long as what was added.
    pub fn finish(self, py: Python<'_>) -> Result<Bound<'_, PyBytes>, Raised<'_>> {
        Ok(self.finished(py)?.unwrap_or_else(|| PyBytes::new(py, b"")))
    }
}

impl Growing<PyString> {
    /// Adds a part, if it is ASCII; whether it was.
    pub fn append<'py>(
        &mut self,
        py: Python<'py>,
        (part, mask): (&[u8], Mask),
        total: usize,
    ) -> Result<bool, Raised<'py>> {
        self.add(py, Ascii(part, mask), part.len(), total)
    }

    /// Adds a piece, if it is ASCII: which ends it reaches.
    pub fn append_text<'py>(
        &mut self,
        py: Python<'py>,
        piece: &mut Text<'_>,
        total: usize,
    ) -> Result<Option<Ends>, Raised<'py>> {
        let count = piece.len();
        self.add(py, piece, count, total)
    }

    /// What was added, to go on with what is not ASCII.
    pub fn into_string(self, py: Python<'_>) -> Result<String, Raised<'_>> {
        let Some(object) = &self.object else { return Ok(String::new()) };
        // SAFETY: the object is ours alone, and so many of its bytes have been written.
        let bytes = unsafe {
            core::slice::from_raw_parts(<PyString as Grow>::data(object.as_ptr()), self.length)
        };
        let mut text = String::new();
        text.try_reserve(bytes.len()).map_err(|_| Raised::out_of_memory(py))?;
        text.push_str(core::str::from_utf8(bytes).unwrap_or_default());
        self.release(py);
        Ok(text)
    }

    /// The object, as long as what was added.
    pub fn finish(self, py: Python<'_>) -> Result<Bound<'_, PyString>, Raised<'_>> {
        if self.length < 2 {
            // CPython shares these.
            return string(py, &self.into_string(py)?);
        }
        Ok(self.finished(py)?.unwrap_or_else(|| PyString::new(py, "")))
    }
}

//! The only unsafe code of ws13: filling a new `bytes` or `str` object that nobody else can see yet.
//!
//! `PyBytes::new_with` zeroes the object first, which writes every payload byte twice; measured, a
//! 64 KiB message then costs 45 % more. And no safe call makes a `str` out of bytes that are unmasked
//! on the way: decoding a separate buffer costs more than twice as much.

use core::mem::MaybeUninit;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};
use ws13::{Ends, Payload, Sent, Text};

/// The payload as a `bytes` object.
pub fn payload<'py>(py: Python<'py>, payload: &Payload<'_>) -> PyResult<Bound<'py, PyBytes>> {
    bytes(py, payload.len(), |target| payload.copy_to(target))
}

/// The frame as a `bytes` object.
pub fn frame<'py>(py: Python<'py>, sent: &Sent<'_>) -> PyResult<Bound<'py, PyBytes>> {
    bytes(py, sent.len(), |target| sent.copy_to(target))
}

/// A `bytes` object of `length` bytes; `fill` writes all of them (both callers above copy exactly
/// `length` bytes).
#[inline]
fn bytes<'py>(
    py: Python<'py>,
    length: usize,
    fill: impl FnOnce(&mut [MaybeUninit<u8>]),
) -> PyResult<Bound<'py, PyBytes>> {
    let size = ffi::Py_ssize_t::try_from(length)?;
    // SAFETY: a null pointer asks for an object whose bytes are not initialised; the call returns a
    // new reference to a `bytes` of `size` bytes, or null with an exception set.
    let object = unsafe {
        let object = ffi::PyBytes_FromStringAndSize(core::ptr::null(), size);
        Bound::from_owned_ptr_or_err(py, object)?.cast_into_unchecked::<PyBytes>()
    };
    if length > 0 {
        // SAFETY: the object holds `length` bytes, and is new: no other reference to it exists before
        // this function returns. (The empty `bytes` is shared, and is left alone.)
        let target = unsafe {
            let start = ffi::PyBytes_AsString(object.as_ptr());
            core::slice::from_raw_parts_mut(start.cast::<MaybeUninit<u8>>(), length)
        };
        fill(target);
    }
    Ok(object)
}

/// The piece as a `str`, if it is ASCII: unmasked and tested in one pass, into its final place.
#[inline]
pub fn ascii<'py>(
    py: Python<'py>,
    text: &mut Text<'_>,
) -> PyResult<Option<(Bound<'py, PyString>, Ends)>> {
    // CPython shares the strings of length 0 and 1; the other way makes them.
    if text.len() < 2 || !text.may_be_ascii() {
        return Ok(None);
    }
    let size = ffi::Py_ssize_t::try_from(text.len())?;
    // SAFETY: returns a new reference to a compact ASCII string of `size` characters, not initialised
    // but for its final NUL, or null with an exception set.
    let object = unsafe {
        let object = ffi::PyUnicode_New(size, 127);
        Bound::from_owned_ptr_or_err(py, object)?.cast_into_unchecked::<PyString>()
    };
    // SAFETY: a compact ASCII string of `size` characters holds `size` bytes from there on, and no
    // other reference to it exists before this function returns.
    let target = unsafe {
        let start = ffi::PyUnicode_1BYTE_DATA(object.as_ptr());
        core::slice::from_raw_parts_mut(start.cast::<MaybeUninit<u8>>(), text.len())
    };
    // When this says no, the object is dropped, unseen: CPython frees it without reading it.
    Ok(text.copy_ascii(target).map(|ends| (object, ends)))
}

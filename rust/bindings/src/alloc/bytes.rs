//! New `bytes`, filled in one go, before anybody else can see them.

use core::mem::MaybeUninit;
use core::ptr;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use ws13::{Mask, Payload, Sent};

use super::wide::write;
use super::{Raised, owned, size};

/// The payload as a `bytes` object.
#[inline]
pub fn payload<'py>(
    py: Python<'py>,
    payload: &Payload<'_>,
) -> Result<Bound<'py, PyBytes>, Raised<'py>> {
    bytes(py, payload.len(), |target| write(payload, target))
}

/// The frame as a `bytes` object.
#[inline(always)]
pub fn frame<'py>(py: Python<'py>, sent: &Sent<'_>) -> Result<Bound<'py, PyBytes>, Raised<'py>> {
    bytes(py, sent.len(), |target| write(sent, target))
}

/// What was made before, and the frame behind it.
#[cold]
pub fn frame_behind<'py>(
    py: Python<'py>,
    before: &[u8],
    sent: &Sent<'_>,
) -> Result<Bound<'py, PyBytes>, Raised<'py>> {
    bytes(py, before.len() + sent.len(), |target| {
        let (start, rest) = target.split_at_mut(before.len());
        Mask::NONE.copy(before, start);
        sent.copy_to(rest);
    })
}

/// The parts, unmasked, one behind the other, as a `bytes` object.
pub fn joined<'py>(
    py: Python<'py>,
    parts: &[(&[u8], Mask)],
) -> Result<Bound<'py, PyBytes>, Raised<'py>> {
    let length = parts.iter().map(|(part, _)| part.len()).sum();
    bytes(py, length, |mut target| {
        for (part, mask) in parts {
            let (place, rest) = target.split_at_mut(part.len());
            write((*part, *mask), place);
            target = rest;
        }
    })
}

/// A `bytes` object of `length` bytes; `fill` writes all of them (the callers above copy exactly
/// `length` bytes).
#[inline]
fn bytes<'py>(
    py: Python<'py>,
    length: usize,
    fill: impl FnOnce(&mut [MaybeUninit<u8>]),
) -> Result<Bound<'py, PyBytes>, Raised<'py>> {
    let object = uninitialised(py, length)?;
    if length > 0 {
        // SAFETY: the object holds `length` bytes, and is new: no other reference to it exists before
        // this function returns. (The empty `bytes` is shared, and is left alone.)
        let target = unsafe {
            let start = ffi::PyBytes_AS_STRING(object.as_ptr()).cast_mut();
            core::slice::from_raw_parts_mut(start.cast::<MaybeUninit<u8>>(), length)
        };
        fill(target);
    }
    Ok(object)
}

/// A `bytes` object of `length` bytes that nobody has written yet.
#[inline]
pub fn uninitialised(py: Python<'_>, length: usize) -> Result<Bound<'_, PyBytes>, Raised<'_>> {
    // SAFETY: a null pointer asks for an object whose bytes are not initialised; the call returns a
    // new reference to a `bytes` of `length` bytes, or null with an exception set.
    unsafe {
        let object = ffi::PyBytes_FromStringAndSize(ptr::null(), size(length));
        Ok(owned(py, object)?.cast_into_unchecked())
    }
}

//! New `bytes`, filled in one go, before anybody else can see them.

use core::ffi::c_int;
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

/// The header of the frame as a `bytes` object.
#[inline]
pub fn header<'py>(py: Python<'py>, sent: &Sent<'_>) -> Result<Bound<'py, PyBytes>, Raised<'py>> {
    let header = sent.header();
    // SAFETY: so many bytes stand there, which the call copies; it returns a new reference, or null with
    // an exception set.
    unsafe {
        let object = ffi::PyBytes_FromStringAndSize(header.as_ptr().cast(), size(header.len()));
        Ok(owned(py, object)?.cast_into_unchecked())
    }
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
fn uninitialised(py: Python<'_>, length: usize) -> Result<Bound<'_, PyBytes>, Raised<'_>> {
    // SAFETY: a null pointer asks for an object whose bytes are not initialised; the call returns a
    // new reference to a `bytes` of `length` bytes, or null with an exception set.
    unsafe {
        let object = ffi::PyBytes_FromStringAndSize(ptr::null(), size(length));
        Ok(owned(py, object)?.cast_into_unchecked())
    }
}

unsafe extern "C" {
    /// Documented for C, and kept by PyO3 to itself.
    fn _PyBytes_Resize(bytes: *mut *mut ffi::PyObject, size: ffi::Py_ssize_t) -> c_int;
}

/// A `bytes` object that grows piece by piece; nobody else can see it before it is finished.
#[derive(Default)]
pub struct Growing {
    object: Option<Py<PyBytes>>,
    length: usize,
}

impl Growing {
    /// Bytes so far.
    pub const fn len(&self) -> usize {
        self.length
    }

    /// Adds `piece`. `total` is how long the whole is going to be, as far as that is known: room is made
    /// for at most so many bytes, and never for more than twice of what has come and 64 KiB.
    pub fn append<'py>(
        &mut self,
        py: Python<'py>,
        (piece, mask): (&[u8], Mask),
        total: usize,
    ) -> Result<(), Raised<'py>> {
        let length = self.length.saturating_add(piece.len());
        if length == 0 {
            return Ok(());
        }
        let capacity = self.object.as_ref().map_or(0, |object| object.as_bytes(py).len());
        if length > capacity {
            let grown = length.saturating_mul(2).saturating_add(64 * 1024);
            self.resize(py, grown.min(total).max(length))?;
        }
        let Some(object) = &self.object else { return Ok(()) };
        // SAFETY: the object is ours alone (nothing hands it out before `finish`), holds `capacity`
        // bytes, and those from `length` on are written before anybody reads them.
        let target = unsafe {
            let start = ffi::PyBytes_AsString(object.as_ptr());
            let start = start.cast::<MaybeUninit<u8>>().add(self.length);
            core::slice::from_raw_parts_mut(start, piece.len())
        };
        write((piece, mask), target);
        self.length = length;
        Ok(())
    }

    /// Lets go of what was added.
    pub fn release(self, py: Python<'_>) {
        drop(self.object.map(|object| object.into_bound(py)));
    }

    /// The object, as long as what was added.
    pub fn finish<'py>(mut self, py: Python<'py>) -> Result<Bound<'py, PyBytes>, Raised<'py>> {
        if self.length > 0 {
            self.resize(py, self.length)?;
        }
        Ok(self.object.take().map_or_else(|| PyBytes::new(py, b""), |object| object.into_bound(py)))
    }

    fn resize<'py>(&mut self, py: Python<'py>, length: usize) -> Result<(), Raised<'py>> {
        let Some(object) = self.object.take() else {
            self.object = Some(uninitialised(py, length)?.unbind());
            return Ok(());
        };
        let size = size(length);
        let mut object = object.into_ptr();
        // SAFETY: there is one reference to the object, which is not the shared empty one; the call
        // takes it and leaves a new one, or null with an exception set.
        let object = unsafe {
            _PyBytes_Resize(&raw mut object, size);
            owned(py, object)?.cast_into_unchecked::<PyBytes>()
        };
        self.object = Some(object.unbind());
        Ok(())
    }
}

//! New `str` of received text.
//!
//! ASCII is tried first. Other text is validated and made a `str` by CPython's decoder, or, where it is
//! long enough and the processor can, by the code in [`super::transcode`].

use core::cell::RefMut;
use core::mem::MaybeUninit;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyString;
use ws13::{Block, Ends, Mask, Text};

use super::transcode::{self, Survey, Unit};
use super::wide::{Ascii, write};
use super::{GilCell, Raised, impossible, owned, size};

/// Where text is unmasked and validated; aligned so that what is read side by side lies in one line of
/// the processor's cache.
#[repr(align(64))]
struct Scratch(Block);

static SCRATCH: GilCell<Scratch> = GilCell::new(Scratch([0; size_of::<Block>()]));

fn scratch(py: Python<'_>) -> Result<RefMut<'static, Scratch>, Raised<'_>> {
    SCRATCH.try_borrow_mut(py).ok_or_else(|| impossible(py))
}

/// Text from this length on, in bytes, is not left to CPython's decoder, which is as fast below and gives
/// those of no and one character as it shares them.
const LEAST: usize = 32;

/// The piece as a `str`, and which ends it reaches; `None` if it is not UTF-8 from its first byte on.
#[inline(always)]
pub fn received<'py>(
    py: Python<'py>,
    mut text: Text<'_>,
) -> Result<Option<(Bound<'py, PyString>, Ends)>, Raised<'py>> {
    match ascii(py, &mut text)? {
        Some(found) => Ok(Some(found)),
        None => other(py, text),
    }
}

/// The piece as a `str`, if it is ASCII: unmasked and tested in one pass, into its final place.
#[inline(never)]
fn ascii<'py>(
    py: Python<'py>,
    text: &mut Text<'_>,
) -> Result<Option<(Bound<'py, PyString>, Ends)>, Raised<'py>> {
    // CPython shares the strings of length 0 and 1; the other way makes them.
    if text.len() < 2 || !text.may_be_ascii() {
        return Ok(None);
    }
    // SAFETY: a `str` of ASCII characters keeps them in a byte each. When the closure says no, the
    // object is dropped, unseen: CPython frees it without reading it.
    unsafe { filled(py, text.len(), 0x7F, ffi::PyUnicode_1BYTE_DATA, |target| write(text, target)) }
}

/// The same for text that is not ASCII.
#[inline(never)]
fn other<'py>(
    py: Python<'py>,
    text: Text<'_>,
) -> Result<Option<(Bound<'py, PyString>, Ends)>, Raised<'py>> {
    if text.len() >= LEAST && !transcode::is_available() {
        let mut plain = String::new();
        let ends = collect(py, text, &mut plain)?;
        return if plain.is_empty() { Ok(None) } else { Ok(Some((string(py, &plain)?, ends))) };
    }
    let mut scratch = scratch(py)?;
    if text.len() < LEAST {
        let mut found = None;
        let checked = text.check(&mut scratch.0, |text| found = Some(string(py, text)));
        return Ok(found.transpose()?.zip(checked.map(|checked| checked.ends())));
    }
    let (checked, survey) = transcode::check(text, &mut scratch.0);
    let Some(checked) = checked else { return Ok(None) };
    let ends = checked.ends();
    let text = transcoded(py, survey, |each| checked.read(each))?;
    Ok(Some((text, ends)))
}

/// `text` as a `str`, made by CPython.
pub fn string<'py>(py: Python<'py>, text: &str) -> Result<Bound<'py, PyString>, Raised<'py>> {
    // SAFETY: the call reads so many bytes, and returns a new `str` or null with an exception set.
    unsafe {
        let object = ffi::PyUnicode_FromStringAndSize(text.as_ptr().cast(), size(text.len()));
        Ok(owned(py, object)?.cast_into_unchecked())
    }
}

/// `text` as a `str`.
pub fn text<'py>(py: Python<'py>, text: &str) -> Result<Bound<'py, PyString>, Raised<'py>> {
    if text.len() < LEAST || !transcode::is_available() || text.is_ascii() {
        return string(py, text);
    }
    transcoded(py, transcode::survey(text), |each| each(text.as_bytes()))
}

/// The parts and `last`, unmasked, one behind the other, as a `str`, if all are ASCII.
pub fn joined_ascii<'py>(
    py: Python<'py>,
    parts: &[(&[u8], Mask)],
    last: &mut Text<'_>,
) -> Result<Option<Bound<'py, PyString>>, Raised<'py>> {
    let length = parts.iter().map(|(part, _)| part.len()).sum::<usize>() + last.len();
    let fill = |target: &mut [MaybeUninit<u8>]| {
        // What nobody has looked at first.
        let (mut target, end) = target.split_at_mut(length - last.len());
        let ends = write(last, end)?;
        for (part, mask) in parts {
            let (place, rest) = target.split_at_mut(part.len());
            write(Ascii(part, *mask), place).then_some(())?;
            target = rest;
        }
        Some(ends)
    };
    // SAFETY: as in `ascii`.
    let found = unsafe { filled(py, length, 0x7F, ffi::PyUnicode_1BYTE_DATA, fill)? };
    Ok(found.map(|(text, _)| text))
}

/// Appends the piece to `whole`; which ends it reaches, none if it is not UTF-8 from its first byte on.
pub fn collect<'py>(
    py: Python<'py>,
    piece: Text<'_>,
    whole: &mut String,
) -> Result<Ends, Raised<'py>> {
    let mut scratch = scratch(py)?;
    let mut fits = true;
    let checked = piece.check(&mut scratch.0, |block| {
        fits = fits && whole.try_reserve(block.len()).is_ok();
        if fits {
            whole.push_str(block);
        }
    });
    if !fits {
        return Err(Raised::out_of_memory(py));
    }
    Ok(checked.map(|checked| checked.ends()).unwrap_or_default())
}

/// The text that `read` shows in blocks of whole code points, as a `str` of the kind that CPython itself
/// gives it: that of its largest code point.
fn transcoded<'py>(
    py: Python<'py>,
    survey: Survey,
    read: impl FnOnce(&mut dyn FnMut(&[u8])),
) -> Result<Bound<'py, PyString>, Raised<'py>> {
    if survey.code_points() < 2 {
        // CPython shares these. (Of a long piece, no more may be left in front of what is not UTF-8.)
        let mut short = String::new();
        read(&mut |block| short += core::str::from_utf8(block).unwrap_or_default());
        return string(py, &short);
    }
    // SAFETY: how CPython keeps a text whose largest code point is in that range.
    let text = unsafe {
        match survey.largest_byte() {
            0..0x80 => new(py, survey, 0x7F, ffi::PyUnicode_1BYTE_DATA, read),
            0x80..0xC4 => new(py, survey, 0xFF, ffi::PyUnicode_1BYTE_DATA, read),
            0xC4..0xF0 => new(py, survey, 0xFFFF, ffi::PyUnicode_2BYTE_DATA, read),
            0xF0.. => new(py, survey, 0x10_FFFF, ffi::PyUnicode_4BYTE_DATA, read),
        }
    }?;
    // Two passes have seen different texts.
    text.ok_or_else(|| impossible(py))
}

/// # Safety
///
/// As for [`filled`].
unsafe fn new<'py, T: Unit>(
    py: Python<'py>,
    survey: Survey,
    largest: ffi::Py_UCS4,
    data: unsafe fn(*mut ffi::PyObject) -> *mut T,
    read: impl FnOnce(&mut dyn FnMut(&[u8])),
) -> Result<Option<Bound<'py, PyString>>, Raised<'py>> {
    let count = survey.code_points();
    let fill = |target: &mut [MaybeUninit<T>]| {
        let mut done = 0;
        read(&mut |block| {
            done += transcode::transcode(block, target.get_mut(done..).unwrap_or_default())
        });
        (done == count).then_some(())
    };
    // SAFETY: the same is asked for.
    let text = unsafe { filled(py, count, largest, data, fill) }?;
    Ok(text.map(|(text, ())| text))
}

/// A `str` of `length` code points, and what `fill` gives, which says by it that all of them are written.
///
/// # Safety
///
/// A `str` whose largest code point is `largest` keeps each in a `T`, from `data` on.
#[inline]
unsafe fn filled<'py, T, R>(
    py: Python<'py>,
    length: usize,
    largest: ffi::Py_UCS4,
    data: unsafe fn(*mut ffi::PyObject) -> *mut T,
    fill: impl FnOnce(&mut [MaybeUninit<T>]) -> Option<R>,
) -> Result<Option<(Bound<'py, PyString>, R)>, Raised<'py>> {
    let object = uninitialised(py, length, largest)?;
    // SAFETY: such a string holds `length` units from there on, and no other reference to it exists
    // before this function returns.
    let target = unsafe {
        let start = data(object.as_ptr()).cast::<MaybeUninit<T>>();
        core::slice::from_raw_parts_mut(start, length)
    };
    Ok(fill(target).map(|result| (object, result)))
}

/// A `str` of `length` ASCII characters that nobody has written yet.
pub fn new_ascii(py: Python<'_>, length: usize) -> Result<Bound<'_, PyString>, Raised<'_>> {
    uninitialised(py, length, 0x7F)
}

#[inline]
fn uninitialised(
    py: Python<'_>,
    length: usize,
    largest: ffi::Py_UCS4,
) -> Result<Bound<'_, PyString>, Raised<'_>> {
    // SAFETY: returns a new reference to a compact string of `length` code points, not initialised but
    // for its final NUL, or null with an exception set.
    unsafe {
        let object = ffi::PyUnicode_New(size(length), largest);
        Ok(owned(py, object)?.cast_into_unchecked())
    }
}

//! New lists, as long as they are going to be.

use core::cell::RefMut;
use core::ptr;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyList;

use super::{GilCell, Raised, impossible, owned, size};

/// Room for the events of one call, kept for the next one.
static ROOM: GilCell<Vec<Py<PyAny>>> = GilCell::new(Vec::new());

/// How much room is kept, in items: as many as the frames of a usual read.
const KEPT: usize = 1024;

/// Calls `fill` with an empty vector, and makes a list of what it adds. What `fill` returns comes too: it
/// may have added items before it failed.
#[inline]
pub fn list<'py, T>(
    py: Python<'py>,
    fill: impl FnOnce(&mut Vec<Py<PyAny>>) -> T,
) -> Result<(Bound<'py, PyList>, T), Raised<'py>> {
    // Taken, not borrowed: `fill` may run Python code that comes here again, and what a panic leaves
    // behind must not come out of the next call.
    let mut items = core::mem::take(&mut *borrow(py)?);
    let filled = fill(&mut items);
    let list = moved(py, &mut items)?;
    if items.capacity() <= KEPT {
        *borrow(py)? = items;
    }
    Ok((list, filled))
}

fn borrow(py: Python<'_>) -> Result<RefMut<'static, Vec<Py<PyAny>>>, Raised<'_>> {
    ROOM.try_borrow_mut(py).ok_or_else(|| impossible(py))
}

/// A list of the items.
#[inline]
fn moved<'py>(
    py: Python<'py>,
    items: &mut Vec<Py<PyAny>>,
) -> Result<Bound<'py, PyList>, Raised<'py>> {
    let length = items.len();
    // SAFETY: the call returns a new list with room for `length` items, all of them null, or null with an
    // exception set. Nobody else can see it before this function returns. The items, each a pointer that
    // owns a reference, are moved there and taken from the vector, whose memory is another.
    unsafe {
        let list = owned(py, ffi::PyList_New(size(length)))?.cast_into_unchecked::<PyList>();
        if length > 0 {
            let place = (*list.as_ptr().cast::<ffi::PyListObject>()).ob_item;
            ptr::copy_nonoverlapping(items.as_ptr().cast(), place, length);
            items.set_len(0);
        }
        Ok(list)
    }
}

//! What `events()` returns.

use core::ffi::{c_int, c_void};
use core::mem::{offset_of, size_of};
use core::ptr;
use std::panic::{AssertUnwindSafe, catch_unwind};

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

use super::{not_initialised, out_of_memory, panicked};

/// What an iterator asks for its next item.
pub type Next = fn(&Bound<'_, PyAny>) -> PyResult<Option<Py<PyAny>>>;

/// What it asks when there is none: perhaps another iterator goes on in its place.
pub type Then = fn(&Bound<'_, PyAny>) -> PyResult<Option<Py<PyAny>>>;

static ITERATOR: PyOnceLock<Py<PyType>> = PyOnceLock::new();

/// The class of what `events()` returns: asks its source for each item, until there is none.
#[repr(C)]
pub struct Iterator {
    head: ffi::PyObject,
    source: Py<PyAny>,
    next: Next,
    then: Option<Then>,
    /// Has said that there is no more; what comes later belongs to another iterator.
    exhausted: bool,
}

impl Iterator {
    /// Makes the class, once.
    pub fn class(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
        let class = ITERATOR.get_or_try_init(py, || {
            let slot = |slot: c_int, pfunc: *mut c_void| ffi::PyType_Slot { slot, pfunc };
            // What the methods of a generator are written with, in Python.
            let exhausted = ffi::PyMemberDef {
                name: c"_exhausted".as_ptr(),
                type_code: ffi::Py_T_BOOL,
                offset: ffi::Py_ssize_t::try_from(offset_of!(Self, exhausted))?,
                flags: 0,
                doc: ptr::null(),
            };
            let mut members = [exhausted, ffi::PyMemberDef::default()];
            let mut slots = [
                slot(ffi::Py_tp_members, members.as_mut_ptr().cast()),
                slot(ffi::Py_tp_iter, ffi::PyObject_SelfIter as *mut c_void),
                slot(ffi::Py_tp_iternext, iterator_next as *mut c_void),
                slot(ffi::Py_tp_dealloc, iterator_dealloc as *mut c_void),
                slot(ffi::Py_tp_doc, c"Iterates over events.".as_ptr().cast_mut().cast()),
                slot(0, ptr::null_mut()),
            ];
            let flags = ffi::Py_TPFLAGS_DEFAULT | ffi::Py_TPFLAGS_DISALLOW_INSTANTIATION;
            let mut spec = ffi::PyType_Spec {
                name: c"ws13._native.Events".as_ptr(),
                basicsize: c_int::try_from(size_of::<Self>())?,
                itemsize: 0,
                flags: u32::try_from(flags)?,
                slots: slots.as_mut_ptr(),
            };
            // SAFETY: the specification is complete, and its strings are static.
            let class = unsafe {
                let class = ffi::PyType_FromSpec(&raw mut spec);
                Bound::from_owned_ptr_or_err(py, class)?.cast_into_unchecked::<PyType>()
            };
            Ok::<_, PyErr>(class.unbind())
        })?;
        Ok(class.bind(py))
    }

    /// An iterator over what `next` finds in `source`, and over what `then` leads to.
    #[inline]
    pub fn over(
        py: Python<'_>,
        source: Py<PyAny>,
        next: Next,
        then: Option<Then>,
    ) -> PyResult<Py<PyAny>> {
        let class = ITERATOR.get(py).ok_or_else(not_initialised)?;
        let class = class.as_ptr().cast::<ffi::PyTypeObject>();
        // SAFETY: as for events, in `event`.
        unsafe {
            let object = ffi::PyObject_Malloc(size_of::<Self>()).cast::<Self>();
            if object.is_null() {
                return Err(out_of_memory(py));
            }
            (&raw mut (*object).source).write(source);
            (&raw mut (*object).next).write(next);
            (&raw mut (*object).then).write(then);
            (&raw mut (*object).exhausted).write(false);
            Ok(Bound::from_owned_ptr(py, ffi::PyObject_Init(object.cast(), class)).unbind())
        }
    }
}

/// `tp_iternext`.
unsafe extern "C" fn iterator_next(object: *mut ffi::PyObject) -> *mut ffi::PyObject {
    let object = object.cast::<Iterator>();
    // SAFETY: CPython calls this attached, with an instance of the class, which `over` has filled and
    // which lives as long as the call. No reference to a field is held while `next` runs, which may run
    // Python code that calls this again.
    let (py, source, next) = unsafe {
        if (*object).exhausted {
            return ptr::null_mut();
        }
        let py = Python::assume_attached();
        (py, (*object).source.bind(py).clone(), (*object).next)
    };
    // The closure returns a pointer, not a result: moving one of those costs as much as the event.
    let item = catch_unwind(AssertUnwindSafe(|| match next(&source) {
        Ok(Some(item)) => item.into_ptr(),
        Ok(None) => end(py, object, &source),
        Err(error) => {
            error.restore(py);
            ptr::null_mut()
        }
    }));
    item.unwrap_or_else(|_| {
        panicked().restore(py);
        ptr::null_mut()
    })
}

/// There is no item: goes on with what comes then, if anything does.
#[cold]
fn end(py: Python<'_>, object: *mut Iterator, source: &Bound<'_, PyAny>) -> *mut ffi::PyObject {
    // SAFETY: the object lives as long as the call of `iterator_next` that this is a part of, and nothing
    // borrows its fields.
    let then = unsafe { (*object).then.take() };
    match then.map_or(Ok(None), |then| then(source)) {
        Ok(Some(other)) => {
            // SAFETY: as above. The old source is dropped, which may run Python code, when the object is
            // as it has to be.
            unsafe {
                let old = core::mem::replace(&mut (*object).source, other);
                (*object).next = of_any;
                drop(old.into_bound(py));
                iterator_next(object.cast())
            }
        }
        Ok(None) => {
            // SAFETY: as above.
            unsafe { (*object).exhausted = true };
            ptr::null_mut()
        }
        Err(error) => {
            error.restore(py);
            ptr::null_mut()
        }
    }
}

/// The next item of any iterator.
fn of_any(source: &Bound<'_, PyAny>) -> PyResult<Option<Py<PyAny>>> {
    source.try_iter()?.next().transpose().map(|item| item.map(Bound::unbind))
}

/// `tp_dealloc`.
unsafe extern "C" fn iterator_dealloc(object: *mut ffi::PyObject) {
    // SAFETY: as for events, in `dealloc`; the class cannot have classes below it.
    unsafe {
        let class = ffi::Py_TYPE(object);
        let source = (&raw const (*object.cast::<Iterator>()).source).read();
        ffi::PyObject_Free(object.cast());
        ffi::Py_DECREF(class.cast());
        ffi::Py_DECREF(source.into_ptr());
    }
}

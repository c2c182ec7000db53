//! What `events()` returns.

use core::ffi::{c_int, c_void};
use core::mem::{offset_of, size_of};
use core::ptr;
use std::panic::{AssertUnwindSafe, catch_unwind};

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;
use pyo3::{PyTypeInfo, ffi};

use super::panicked;
use super::spare::{Spares, free};
use crate::guarded::Fail;

/// What an iterator asks for its next event.
pub trait Source: PyTypeInfo + Fail {
    fn next(slf: &Bound<'_, Self>) -> PyResult<Next>;
}

/// What comes next.
pub enum Next {
    Event(Py<PyAny>),
    /// Another iterator goes on.
    Other(Py<PyAny>),
    /// It should, but there is none: nothing comes behind the error.
    NoOther(PyErr),
    Nothing,
}

/// What is done with a source of one type, which is not asked for its type again.
struct Manner {
    /// [`Source::next`].
    ask: fn(&Bound<'_, PyAny>) -> PyResult<Next>,
    /// [`Fail::fail`].
    fail: fn(&Bound<'_, PyAny>),
}

static ITERATOR: PyOnceLock<Py<PyType>> = PyOnceLock::new();
static SPARES: Spares = Spares::new();

/// The class of what `events()` returns: asks its source for each item, until there is none.
#[repr(C)]
pub struct Iterator {
    head: ffi::PyObject,
    source: Py<PyAny>,
    manner: &'static Manner,
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

    /// An iterator over the events of `source`.
    #[inline]
    pub fn over<S: Source>(source: &Bound<'_, S>) -> PyResult<Py<PyAny>> {
        let py = source.py();
        // SAFETY: as for events, in `event`.
        unsafe {
            let object = SPARES.object::<Self>(py, &ITERATOR)?;
            let iterator = object.cast::<Self>();
            (&raw mut (*iterator).source).write(source.as_any().clone().unbind());
            (&raw mut (*iterator).manner).write(&Manner { ask: ask::<S>, fail: fail::<S> });
            (&raw mut (*iterator).exhausted).write(false);
            Ok(Bound::from_owned_ptr(py, object).unbind())
        }
    }
}

fn ask<S: Source>(source: &Bound<'_, PyAny>) -> PyResult<Next> {
    // SAFETY: `over` has put the function next to a source of this type, and both change together.
    S::next(unsafe { source.cast_unchecked::<S>() })
}

fn fail<S: Source>(source: &Bound<'_, PyAny>) {
    // SAFETY: as for `ask`.
    S::fail(unsafe { source.cast_unchecked::<S>() });
}

/// For an iterator that is not ours.
fn ask_any(source: &Bound<'_, PyAny>) -> PyResult<Next> {
    let event = source.try_iter()?.next().transpose()?;
    Ok(event.map_or(Next::Nothing, |event| Next::Event(event.unbind())))
}

/// And that does not fail with us.
static ANY: Manner = Manner { ask: ask_any, fail: |_| {} };

/// `tp_iternext`.
unsafe extern "C" fn iterator_next(object: *mut ffi::PyObject) -> *mut ffi::PyObject {
    let iterator = object.cast::<Iterator>();
    // SAFETY: CPython calls this attached, with an instance of the class, which `over` has filled and
    // which lives as long as the call. No reference to a field is held while it is asked, which may run
    // Python code that calls this again.
    let (py, source, manner) = unsafe {
        if (*iterator).exhausted {
            return ptr::null_mut();
        }
        let py = Python::assume_attached();
        (py, (*iterator).source.bind(py).clone(), (*iterator).manner)
    };
    // The closure returns a pointer, not a result: moving one of those costs as much as the event.
    let item = catch_unwind(AssertUnwindSafe(|| match (manner.ask)(&source) {
        Ok(Next::Event(event)) => event.into_ptr(),
        Ok(Next::Nothing) => {
            // SAFETY: as above.
            unsafe { (*iterator).exhausted = true };
            ptr::null_mut()
        }
        Ok(Next::Other(other)) => {
            // SAFETY: as above. The old source is dropped, which may run Python code, when the object is
            // as it has to be.
            unsafe {
                let old = core::mem::replace(&mut (*iterator).source, other);
                (*iterator).manner = &ANY;
                drop(old.into_bound(py));
                iterator_next(object)
            }
        }
        Ok(Next::NoOther(error)) => {
            // SAFETY: as above.
            unsafe { (*iterator).exhausted = true };
            error.restore(py);
            ptr::null_mut()
        }
        Err(error) => {
            error.restore(py);
            ptr::null_mut()
        }
    }));
    item.unwrap_or_else(|panic| {
        (manner.fail)(&source);
        panicked(&*panic).restore(py);
        ptr::null_mut()
    })
}

/// `tp_dealloc`.
unsafe extern "C" fn iterator_dealloc(object: *mut ffi::PyObject) {
    // SAFETY: as for events, in `dealloc`; the class cannot have classes below it.
    unsafe {
        let source = (&raw const (*object.cast::<Iterator>()).source).read();
        if !SPARES.keep(object) {
            free(object);
        }
        ffi::Py_DECREF(source.into_ptr());
    }
}

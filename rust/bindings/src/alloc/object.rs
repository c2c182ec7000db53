//! What a connection needs of its object: to be borrowed under the GIL, a `__dict__` only when it is
//! used, attributes.

use core::cell::{RefCell, RefMut};
use core::ptr;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::names;

unsafe extern "C" {
    /// What Cython uses as well.
    fn _PyObject_GetDictPtr(object: *mut ffi::PyObject) -> *mut *mut ffi::PyObject;
}

/// What only the thread that holds the GIL may touch, one at a time.
///
/// The borrow flag of a `#[pyclass]` is atomic, and taking it three or four times for a message costs
/// as much as the message's header.
pub struct GilCell<T>(RefCell<T>);

// SAFETY: every access asks for `Python`, and the module declares that it needs the GIL and refuses to
// be imported without it, so that CPython lets one thread at a time come here. (`traverse` is called by
// the garbage collector, which holds it.)
unsafe impl<T: Send> Sync for GilCell<T> {}

impl<T> GilCell<T> {
    pub const fn new(value: T) -> Self {
        Self(RefCell::new(value))
    }

    /// The value. An error if it is in use: a hook of an extension calls its own connection.
    #[inline]
    pub fn borrow_mut(&self, py: Python<'_>) -> PyResult<RefMut<'_, T>> {
        self.try_borrow_mut(py).ok_or_else(|| {
            names::local_error(py, "the connection is running a hook of one of its extensions")
        })
    }

    /// The value, unless it is in use.
    #[inline]
    pub fn try_borrow_mut(&self, _py: Python<'_>) -> Option<RefMut<'_, T>> {
        self.0.try_borrow_mut().ok()
    }

    /// Shows the value to the garbage collector, unless it is in use.
    pub fn traverse<E>(&self, visit: impl FnOnce(&T) -> Result<(), E>) -> Result<(), E> {
        self.0.try_borrow().map_or(Ok(()), |value| visit(&value))
    }

    pub fn into_inner(self) -> T {
        self.0.into_inner()
    }
}

/// Lets go of an instance `__dict__` that nobody has used; CPython makes another one when it is needed.
pub fn drop_empty_dict(object: &Bound<'_, PyAny>) {
    // SAFETY: the pointer is null or that of the slot for the object's dictionary, which holds null or a
    // dictionary. One with a single reference, the slot's, is known to nobody else.
    unsafe {
        let slot = _PyObject_GetDictPtr(object.as_ptr());
        if !slot.is_null()
            && !(*slot).is_null()
            && ffi::Py_REFCNT(*slot) == 1
            && ffi::PyDict_Size(*slot) == 0
        {
            ffi::Py_CLEAR(slot);
        }
    }
}

/// Sets or deletes an attribute as objects without a `__setattr__` of their own do.
pub fn set_attribute(
    object: &Bound<'_, PyAny>,
    name: &Bound<'_, PyString>,
    value: Option<&Bound<'_, PyAny>>,
) -> PyResult<()> {
    let value = value.map_or(ptr::null_mut(), |value| value.as_ptr());
    // SAFETY: all are objects, and null asks to delete; CPython takes references of its own.
    match unsafe { ffi::PyObject_GenericSetAttr(object.as_ptr(), name.as_ptr(), value) } {
        0 => Ok(()),
        _ => Err(PyErr::fetch(object.py())),
    }
}

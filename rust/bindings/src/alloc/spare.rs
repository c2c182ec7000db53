//! The memory of freed events, kept for the next ones: neither CPython's allocator nor the class has to
//! be asked then.

use core::cell::Cell;
use core::ptr;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

use super::{Raised, not_initialised};

/// Freed objects of one class, in a row: each says where the next one is, in the place of its fields.
/// They still are of their class, and hold their reference to it.
pub struct Spares {
    first: Cell<*mut Spare>,
    count: Cell<usize>,
}

#[repr(C)]
struct Spare {
    head: ffi::PyObject,
    next: *mut Spare,
}

/// How many are kept of a class: as many as the frames of a usual read. 48 KiB of messages.
const KEPT: usize = 1024;

// SAFETY: it is used only by threads that are attached, one at a time, as for `GilCell`.
unsafe impl Sync for Spares {}

impl Spares {
    /// None yet.
    pub const fn new() -> Self {
        Self { first: Cell::new(ptr::null_mut()), count: Cell::new(0) }
    }

    /// An object of the class, laid out as `T`, with one reference, whose fields are not written.
    ///
    /// # Safety
    ///
    /// The class says that its objects are as large as `T`, which begins with their head, and it is the
    /// one whose objects come here.
    #[inline]
    pub unsafe fn object<'py, T>(
        &self,
        py: Python<'py>,
        class: &PyOnceLock<Py<PyType>>,
    ) -> Result<*mut ffi::PyObject, Raised<'py>> {
        let spare = self.first.get();
        if spare.is_null() {
            // SAFETY: as above.
            return unsafe { new::<T>(py, class) };
        }
        // SAFETY: what is in the row has been put there by `keep`, and nobody else knows it.
        unsafe {
            self.first.set((*spare).next);
            self.count.set(self.count.get() - 1);
            _Py_NewReference(spare.cast());
        }
        Ok(spare.cast())
    }

    /// Takes an object to which there is no reference any more, if there is room for it.
    ///
    /// # Safety
    ///
    /// The thread is attached. The object is of the class itself, not of one below it, has room for at
    /// least one field, and its fields have been dropped or taken.
    #[inline]
    pub unsafe fn keep(&self, object: *mut ffi::PyObject) -> bool {
        if self.count.get() == KEPT {
            return false;
        }
        let spare = object.cast::<Spare>();
        // SAFETY: as above; the first field begins behind the head, where `next` does.
        unsafe { (*spare).next = self.first.get() };
        self.first.set(spare);
        self.count.set(self.count.get() + 1);
        true
    }
}

/// SAFETY: as for `Spares::object`.
#[inline(never)]
unsafe fn new<'py, T>(
    py: Python<'py>,
    class: &PyOnceLock<Py<PyType>>,
) -> Result<*mut ffi::PyObject, Raised<'py>> {
    let Some(class) = class.get(py) else {
        return Err(Raised::new(py, not_initialised()));
    };
    // SAFETY: allocates what the class says and makes it an object of it. `PyObject_Init` takes the
    // reference to the class that `free` gives back.
    unsafe {
        let object = ffi::PyObject_Malloc(size_of::<T>()).cast::<ffi::PyObject>();
        match object.is_null() {
            true => Err(Raised::out_of_memory(py)),
            false => Ok(ffi::PyObject_Init(object, class.as_ptr().cast())),
        }
    }
}

/// Frees the memory of an object, and gives back its class last, as one that is made from a specification
/// wants it; for an instance of a class written in Python, CPython relies on this too.
///
/// # Safety
///
/// The thread is attached, there is no reference to the object, and its fields have been taken.
pub unsafe fn free(object: *mut ffi::PyObject) {
    // SAFETY: as above.
    unsafe {
        let class = ffi::Py_TYPE(object);
        if let Some(free) = (*class).tp_free {
            free(object.cast());
        }
        ffi::Py_DECREF(class.cast());
    }
}

unsafe extern "C" {
    /// Public, though its name is not; what CPython's own rows of freed objects are used with.
    fn _Py_NewReference(object: *mut ffi::PyObject);
}

//! Methods that are called for every message, without PyO3 between them and CPython.

use core::ffi::CStr;
use core::{ptr, slice};
use std::ffi::CString;
use std::panic::{AssertUnwindSafe, catch_unwind};

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;
use pyo3::{Borrowed, PyTypeInfo, ffi};

use super::{not_initialised, panicked};
use crate::guarded::Fail;
use crate::inject;

/// A short way for the calls of a method that have `N` positional arguments and no others. All other
/// calls go to the method of the same name that PyO3 has made.
pub trait Method<const N: usize>: 'static {
    type Class: PyTypeInfo + Fail;
    const NAME: &'static CStr;

    fn call<'py>(
        slf: &Bound<'py, Self::Class>,
        arguments: [&Bound<'py, PyAny>; N],
    ) -> PyResult<Bound<'py, PyAny>>;

    /// Where PyO3's method is kept.
    fn usual() -> &'static PyOnceLock<Py<PyAny>>;
}

/// A method: the name of its type, its own, its class, and what it does.
macro_rules! method {
    ($type:ident, $name:literal, $class:ty, |$slf:ident $(, $argument:ident)*| $body:expr) => {
        pub struct $type;

        impl alloc::Method<{ 0 $(+ { stringify!($argument); 1 })* }> for $type {
            type Class = $class;
            const NAME: &'static core::ffi::CStr = $name;

            #[inline]
            fn call<'py>(
                $slf: &Bound<'py, $class>,
                [$($argument),*]: [&Bound<'py, PyAny>; { 0 $(+ { stringify!($argument); 1 })* }],
            ) -> PyResult<Bound<'py, PyAny>> {
                $body
            }

            fn usual() -> &'static pyo3::sync::PyOnceLock<pyo3::Py<PyAny>> {
                static USUAL: pyo3::sync::PyOnceLock<pyo3::Py<PyAny>> =
                    pyo3::sync::PyOnceLock::new();
                &USUAL
            }
        }
    };
}
pub(crate) use method;

/// Puts the method in the place of PyO3's.
pub fn install<M: Method<N>, const N: usize>(class: &Bound<'_, PyType>) -> PyResult<()> {
    let py = class.py();
    let name = M::NAME.to_string_lossy();
    let usual = class.getattr(&*name)?;
    let signature: String = usual.getattr("__text_signature__")?.extract()?;
    let description: String = usual.getattr("__doc__")?.extract()?;
    let doc = CString::new(format!("{name}{signature}\n--\n\n{description}"))?;
    M::usual().get_or_init(py, || usual.unbind());
    // What CPython refers to as long as the class exists, which is as long as the process.
    let definition = Box::leak(Box::new(ffi::PyMethodDef {
        ml_name: M::NAME.as_ptr(),
        ml_meth: ffi::PyMethodDefPointer { PyCFunctionFastWithKeywords: fastcall::<M, N> },
        ml_flags: ffi::METH_FASTCALL | ffi::METH_KEYWORDS,
        ml_doc: doc.into_raw(),
    }));
    // SAFETY: the definition is complete and lives on; the call returns a new reference, or null with an
    // exception set.
    let method = unsafe {
        let method = ffi::PyDescr_NewMethod(class.as_type_ptr(), definition);
        Bound::from_owned_ptr_or_err(py, method)?
    };
    class.setattr(&*name, method)
}

unsafe extern "C" fn fastcall<M: Method<N>, const N: usize>(
    slf: *mut ffi::PyObject,
    arguments: *const *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
    names: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: CPython calls this attached, with an instance of the class, which the descriptor has
    // checked, with `count` objects in a row, and with a tuple or null. All of them outlive the call.
    let py = unsafe { Python::assume_attached() };
    if usize::try_from(count) != Ok(N) || !names.is_null() {
        // SAFETY: as above.
        return unsafe { call_usual::<M, N>(py, slf, (arguments, count), names) };
    }
    // SAFETY: as above.
    let (slf, given) = unsafe {
        let slf = Borrowed::from_ptr(py, slf).cast_unchecked::<M::Class>();
        (
            slf,
            core::array::from_fn::<_, N, _>(|index| Borrowed::from_ptr(py, *arguments.add(index))),
        )
    };
    let given = given.each_ref().map(|argument| &**argument);
    let result = catch_unwind(AssertUnwindSafe(|| {
        inject::point();
        match M::call(&slf, given) {
            Ok(result) => result.into_ptr(),
            Err(error) => {
                error.restore(py);
                ptr::null_mut()
            }
        }
    }));
    result.unwrap_or_else(|panic| {
        M::Class::fail(&slf);
        panicked(&*panic).restore(py);
        ptr::null_mut()
    })
}

/// SAFETY: as for a function that CPython calls with METH_FASTCALL and METH_KEYWORDS.
#[cold]
unsafe fn call_usual<M: Method<N>, const N: usize>(
    py: Python<'_>,
    slf: *mut ffi::PyObject,
    (arguments, count): (*const *mut ffi::PyObject, ffi::Py_ssize_t),
    names: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    let Some(usual) = M::usual().get(py) else {
        not_initialised().restore(py);
        return ptr::null_mut();
    };
    // SAFETY: the values of the names stand behind the `count` positional arguments.
    unsafe {
        let named = if names.is_null() { 0 } else { ffi::PyTuple_Size(names) };
        let mut all = vec![slf];
        if let Ok(length) = usize::try_from(count + named)
            && length > 0
        {
            all.extend_from_slice(slice::from_raw_parts(arguments, length));
        }
        let positional = usize::try_from(count).map_or(1, |count| count + 1);
        ffi::PyObject_Vectorcall(usual.as_ptr(), all.as_ptr(), positional, names)
    }
}

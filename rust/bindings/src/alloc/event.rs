//! Events: objects of a layout of our own.

use core::cell::{Cell, RefCell};
use core::ffi::{CStr, c_int, c_void};
use core::mem::{offset_of, size_of};
use core::ptr;
use std::panic::{AssertUnwindSafe, catch_unwind};

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyString, PyTuple, PyType};
use pyo3::{Borrowed, ffi};

use super::spare::{Spares, free};
use super::{Raised, not_initialised, panicked};
use crate::inject;

/// A class of immutable objects with `N` fields, each of them an object, in this order.
///
/// Its instances are not tracked by the garbage collector: they can be part of a cycle only through a
/// list or an object that a caller has put into one.
pub trait EventClass<const N: usize>: 'static {
    /// The name with its module.
    const NAME: &'static CStr;
    /// The signature as CPython reads it out of docstrings, and the docstring.
    const DOC: &'static CStr;
    /// The names of the fields.
    const FIELDS: [&'static CStr; N];

    /// What a field holds when it is not given; `None` if it must be.
    fn default(py: Python<'_>, index: usize) -> Option<Py<PyAny>>;

    /// Where the class is kept.
    fn cell() -> &'static PyOnceLock<Py<PyType>>;

    /// Where freed instances are kept.
    fn spares() -> &'static Spares;

    /// An instance with these fields.
    #[inline]
    fn object(py: Python<'_>, fields: [Py<PyAny>; N]) -> Result<Py<PyAny>, Raised<'_>>
    where
        Self: Sized,
    {
        event::<Self, N>(py, fields)
    }

    /// The fields of `object` if it is an instance of the class or of one below it.
    #[inline]
    fn fields<'a>(object: &'a Bound<'_, PyAny>) -> Option<&'a [Py<PyAny>; N]>
    where
        Self: Sized,
    {
        fields::<Self, N>(object)
    }
}

#[repr(C)]
struct Object<const N: usize> {
    head: ffi::PyObject,
    fields: [Py<PyAny>; N],
}

/// Makes the class, once, below `base` if there is one.
pub fn class<'py, C: EventClass<N>, const N: usize>(
    py: Python<'py>,
    base: Option<&Bound<'py, PyType>>,
) -> PyResult<&'py Bound<'py, PyType>> {
    let class = C::cell().get_or_try_init(py, || {
        let mut members = Vec::with_capacity(N + 1);
        for (index, name) in C::FIELDS.iter().enumerate() {
            let offset = offset_of!(Object<N>, fields) + index * size_of::<Py<PyAny>>();
            members.push(ffi::PyMemberDef {
                name: name.as_ptr(),
                type_code: ffi::Py_T_OBJECT_EX,
                offset: ffi::Py_ssize_t::try_from(offset)?,
                flags: ffi::Py_READONLY,
                doc: ptr::null(),
            });
        }
        // SAFETY: a member definition of zeros ends the list.
        members.push(unsafe { core::mem::zeroed() });
        let slot = |slot: c_int, pfunc: *mut c_void| ffi::PyType_Slot { slot, pfunc };
        let mut slots = [
            slot(ffi::Py_tp_new, new::<C, N> as *mut c_void),
            slot(ffi::Py_tp_dealloc, dealloc::<C, N> as *mut c_void),
            slot(ffi::Py_tp_members, members.as_mut_ptr().cast()),
            slot(ffi::Py_tp_doc, C::DOC.as_ptr().cast_mut().cast()),
            slot(0, ptr::null_mut()),
        ];
        let mut spec = ffi::PyType_Spec {
            name: C::NAME.as_ptr(),
            basicsize: c_int::try_from(size_of::<Object<N>>())?,
            itemsize: 0,
            flags: u32::try_from(ffi::Py_TPFLAGS_DEFAULT | ffi::Py_TPFLAGS_BASETYPE)?,
            slots: slots.as_mut_ptr(),
        };
        let bases = base.map_or(ptr::null_mut(), |base| base.as_ptr());
        // SAFETY: the specification is complete, its strings are static, and CPython copies the members.
        // The base is null or a class, whose instances have the same fields or none.
        let class = unsafe {
            let class = ffi::PyType_FromSpecWithBases(&raw mut spec, bases);
            Bound::from_owned_ptr_or_err(py, class)?.cast_into_unchecked::<PyType>()
        };
        let names = C::FIELDS.map(CStr::to_string_lossy);
        class.setattr("__match_args__", PyTuple::new(py, names)?)?;
        Ok::<_, PyErr>(class.unbind())
    })?;
    Ok(class.bind(py))
}

#[inline]
fn event<C: EventClass<N>, const N: usize>(
    py: Python<'_>,
    fields: [Py<PyAny>; N],
) -> Result<Py<PyAny>, Raised<'_>> {
    // SAFETY: an object of the class, new or used again, all of whose fields are written before anybody
    // sees it.
    unsafe {
        let object = C::spares().object::<Object<N>>(py, C::cell())?;
        (&raw mut (*object.cast::<Object<N>>()).fields).write(fields);
        Ok(Bound::from_owned_ptr(py, object).unbind())
    }
}

#[inline]
fn fields<'a, C: EventClass<N>, const N: usize>(
    object: &'a Bound<'_, PyAny>,
) -> Option<&'a [Py<PyAny>; N]> {
    let class = C::cell().get(object.py())?.as_ptr().cast::<ffi::PyTypeObject>();
    // SAFETY: instances of the class are made by `event` and `new` only, which write all fields, and
    // those never change; the reference lives as long as that to the object.
    unsafe {
        let is_instance = ffi::PyObject_TypeCheck(object.as_ptr(), class) != 0;
        is_instance.then(|| &(*object.as_ptr().cast::<Object<N>>()).fields)
    }
}

/// `tp_new`.
unsafe extern "C" fn new<C: EventClass<N>, const N: usize>(
    class: *mut ffi::PyTypeObject,
    arguments: *mut ffi::PyObject,
    keywords: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: CPython calls this attached, with a tuple, and with a dict or null.
    let (py, arguments, keywords) = unsafe {
        let py = Python::assume_attached();
        let arguments = Borrowed::from_ptr(py, arguments).cast_unchecked::<PyTuple>();
        let keywords =
            Borrowed::from_ptr_or_opt(py, keywords).map(|it| it.cast_unchecked::<PyDict>());
        (py, arguments, keywords)
    };
    let made = catch_unwind(AssertUnwindSafe(|| {
        inject::point();
        let fields = arguments_in_order::<C, N>(py, &arguments, keywords.as_deref())?;
        // SAFETY: allocates an instance of `class`, which is the one of `C` or below it, and writes all
        // fields before anybody sees it.
        unsafe {
            let allocate = (*class).tp_alloc.ok_or_else(not_initialised)?;
            let object = Bound::from_owned_ptr_or_err(py, allocate(class, 0))?;
            (&raw mut (*object.as_ptr().cast::<Object<N>>()).fields).write(fields);
            Ok(object.into_ptr())
        }
    }));
    made.unwrap_or_else(|panic| Err(panicked(&*panic))).unwrap_or_else(|error: PyErr| {
        error.restore(py);
        ptr::null_mut()
    })
}

/// The value of each field, given by position, by name or not at all.
fn arguments_in_order<C: EventClass<N>, const N: usize>(
    py: Python<'_>,
    arguments: &Bound<'_, PyTuple>,
    keywords: Option<&Bound<'_, PyDict>>,
) -> PyResult<[Py<PyAny>; N]> {
    let name = || C::NAME.to_string_lossy().rsplit('.').next().unwrap_or_default().to_owned();
    // A class without fields is a base: the arguments belong to the `__init__` of the class below.
    if N > 0 && arguments.len() > N {
        let given = arguments.len();
        return Err(PyTypeError::new_err(format!(
            "{}() takes at most {N} arguments ({given} given)",
            name()
        )));
    }
    let mut fields = [const { None }; N];
    for (slot, value) in fields.iter_mut().zip(arguments.iter_borrowed()) {
        *slot = Some(value.to_owned().unbind());
    }
    for (key, value) in keywords.into_iter().flat_map(|keywords| keywords.iter()) {
        let key = key.cast_into::<PyString>()?;
        let text = key.to_str()?;
        let index = C::FIELDS.iter().position(|field| field.to_bytes() == text.as_bytes());
        let problem = match index.and_then(|index| fields.get_mut(index)) {
            Some(slot) if slot.is_none() => {
                *slot = Some(value.unbind());
                continue;
            }
            Some(_) => "multiple values for argument",
            None if N == 0 => continue,
            None => "an unexpected keyword argument",
        };
        return Err(PyTypeError::new_err(format!("{}() got {problem} '{text}'", name())));
    }
    for (index, (slot, field)) in fields.iter_mut().zip(C::FIELDS).enumerate() {
        if slot.is_none() {
            *slot = C::default(py, index);
        }
        if slot.is_none() {
            let field = field.to_string_lossy();
            let message = format!("{}() missing required argument: '{field}'", name());
            return Err(PyTypeError::new_err(message));
        }
    }
    Ok(fields.map(|field| field.unwrap_or_else(|| py.None())))
}

thread_local! {
    /// How many events are being freed inside each other.
    static DEPTH: Cell<u32> = const { Cell::new(0) };
    /// Events that were nested too deep to be freed on the spot.
    static DEFERRED: RefCell<Vec<*mut ffi::PyObject>> = const { RefCell::new(Vec::new()) };
}

/// An event that holds an event that holds an event must not use up the stack when it is freed.
const MAX_DEPTH: u32 = 100;

/// `tp_dealloc`.
unsafe extern "C" fn dealloc<C: EventClass<N>, const N: usize>(object: *mut ffi::PyObject) {
    // SAFETY: CPython calls this once for each object, when no reference to it is left, attached. The
    // fields are taken before their memory is freed or kept.
    unsafe {
        let fields = (&raw const (*object.cast::<Object<N>>()).fields).read();
        let own = C::cell().get(Python::assume_attached()).map_or(ptr::null_mut(), Py::as_ptr);
        let is_own = own == ffi::Py_TYPE(object).cast() && N > 0;
        if !is_own || !C::spares().keep(object) {
            free(object);
        }
        for field in fields.map(Py::into_ptr) {
            release(field);
        }
    }
}

/// Gives back a reference, without PyO3's question whether this thread is attached.
///
/// SAFETY: the thread is attached, and the caller owns the reference.
#[inline(always)]
unsafe fn release(field: *mut ffi::PyObject) {
    // SAFETY: as above.
    unsafe {
        // Nothing inside goes with it: others have it too, as True and False, or it holds nothing.
        if ffi::Py_REFCNT(field) > 1
            || ffi::PyBytes_CheckExact(field) != 0
            || ffi::PyUnicode_CheckExact(field) != 0
        {
            ffi::Py_DECREF(field);
        } else {
            release_nested(field);
        }
    }
}

/// SAFETY: as above.
unsafe fn release_nested(field: *mut ffi::PyObject) {
    // SAFETY: as above; what is deferred is owned by the list.
    unsafe {
        let depth = DEPTH.get();
        // When the thread is ending, its list may be gone: then the object is freed on the spot.
        let defer = |deferred: &RefCell<Vec<_>>| deferred.borrow_mut().push(field);
        if depth >= MAX_DEPTH && DEFERRED.try_with(defer).is_ok() {
            return;
        }
        DEPTH.set(depth + 1);
        ffi::Py_DECREF(field);
        while depth == 0
            && let Ok(Some(next)) = DEFERRED.try_with(|deferred| deferred.borrow_mut().pop())
        {
            ffi::Py_DECREF(next);
        }
        DEPTH.set(depth);
    }
}

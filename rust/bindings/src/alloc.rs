//! The only unsafe code of ws13: making objects that nobody else can see yet, and reading the fields of
//! those whose layout is ours. What each part buys is measured by `benchmarks/`:
//!
//! - [`payload`], [`frame`]: `PyBytes::new_with` zeroes the object first, and a 64 KiB message then
//!   costs 45 % more.
//! - [`Growing`]: a message that comes in many pieces is written once, too, instead of being kept in
//!   pieces and joined.
//! - [`ascii`]: no safe call makes a `str` out of bytes that are unmasked on the way, and decoding a
//!   separate buffer costs more than twice as much.
//! - [`EventClass`]: a `#[pyclass]` is tracked by the garbage collector and made by `object.__new__`,
//!   which costs more than everything else that a short message needs.
//! - [`Iterator`]: the same, for the object that `events()` returns.
//! - [`drop_empty_dict`]: 80 bytes that CPython up to 3.12 gives an object with a `__dict__` in advance.
//! - [`set_attribute`]: there is no safe call for what `object.__setattr__` does.

use core::cell::{Cell, RefCell, RefMut};
use core::ffi::{CStr, c_int, c_void};
use core::mem::{MaybeUninit, offset_of, size_of};
use core::ptr;
use std::panic::{AssertUnwindSafe, catch_unwind};

use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyDict, PyString, PyTuple, PyType};
use pyo3::{Borrowed, ffi};
use ws13::{Ends, Mask, Payload, Sent, Text};

use crate::names;

/// The payload as a `bytes` object.
#[inline]
pub fn payload<'py>(py: Python<'py>, payload: &Payload<'_>) -> PyResult<Bound<'py, PyBytes>> {
    bytes(py, payload.len(), |target| payload.copy_to(target))
}

/// The frame as a `bytes` object.
#[inline]
pub fn frame<'py>(py: Python<'py>, sent: &Sent<'_>) -> PyResult<Bound<'py, PyBytes>> {
    bytes(py, sent.len(), |target| sent.copy_to(target))
}

/// The parts, unmasked, one behind the other, as a `bytes` object.
pub fn joined<'py>(py: Python<'py>, parts: &[(&[u8], Mask)]) -> PyResult<Bound<'py, PyBytes>> {
    let length = parts.iter().map(|(part, _)| part.len()).sum();
    bytes(py, length, |mut target| {
        for (part, mask) in parts {
            let (place, rest) = target.split_at_mut(part.len());
            mask.copy(part, place);
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
) -> PyResult<Bound<'py, PyBytes>> {
    let object = uninitialised(py, ffi::Py_ssize_t::try_from(length)?)?;
    if length > 0 {
        // SAFETY: the object holds `length` bytes, and is new: no other reference to it exists before
        // this function returns. (The empty `bytes` is shared, and is left alone.)
        let target = unsafe {
            let start = ffi::PyBytes_AsString(object.as_ptr());
            core::slice::from_raw_parts_mut(start.cast::<MaybeUninit<u8>>(), length)
        };
        fill(target);
    }
    Ok(object)
}

/// A `bytes` object of `size` bytes that nobody has written yet.
#[inline]
fn uninitialised(py: Python<'_>, size: ffi::Py_ssize_t) -> PyResult<Bound<'_, PyBytes>> {
    // SAFETY: a null pointer asks for an object whose bytes are not initialised; the call returns a
    // new reference to a `bytes` of `size` bytes, or null with an exception set.
    unsafe {
        let object = ffi::PyBytes_FromStringAndSize(ptr::null(), size);
        Ok(Bound::from_owned_ptr_or_err(py, object)?.cast_into_unchecked())
    }
}

unsafe extern "C" {
    /// Documented for C, and kept by PyO3 to itself.
    fn _PyBytes_Resize(bytes: *mut *mut ffi::PyObject, size: ffi::Py_ssize_t) -> c_int;
    /// What Cython uses as well.
    fn _PyObject_GetDictPtr(object: *mut ffi::PyObject) -> *mut *mut ffi::PyObject;
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
    pub fn append(
        &mut self,
        py: Python<'_>,
        (piece, mask): (&[u8], Mask),
        total: usize,
    ) -> PyResult<()> {
        let length = self.length.saturating_add(piece.len());
        if length == 0 {
            return Ok(());
        }
        let capacity = self.object.as_ref().map_or(Ok(0), |object| object.bind(py).len())?;
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
        mask.copy(piece, target);
        self.length = length;
        Ok(())
    }

    /// Lets go of what was added.
    pub fn release(self, py: Python<'_>) {
        drop(self.object.map(|object| object.into_bound(py)));
    }

    /// The object, as long as what was added.
    pub fn finish<'py>(mut self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        if self.length > 0 {
            self.resize(py, self.length)?;
        }
        Ok(self.object.take().map_or_else(|| PyBytes::new(py, b""), |object| object.into_bound(py)))
    }

    fn resize(&mut self, py: Python<'_>, size: usize) -> PyResult<()> {
        let size = ffi::Py_ssize_t::try_from(size)?;
        let Some(object) = self.object.take() else {
            self.object = Some(uninitialised(py, size)?.unbind());
            return Ok(());
        };
        let mut object = object.into_ptr();
        // SAFETY: there is one reference to the object, which is not the shared empty one; the call
        // takes it and leaves a new one, or null with an exception set.
        let object = unsafe {
            _PyBytes_Resize(&raw mut object, size);
            Bound::from_owned_ptr_or_err(py, object)?.cast_into_unchecked::<PyBytes>()
        };
        self.object = Some(object.unbind());
        Ok(())
    }
}

/// The piece as a `str`, if it is ASCII: unmasked and tested in one pass, into its final place.
#[inline]
pub fn ascii<'py>(
    py: Python<'py>,
    text: &mut Text<'_>,
) -> PyResult<Option<(Bound<'py, PyString>, Ends)>> {
    // CPython shares the strings of length 0 and 1; the other way makes them.
    if text.len() < 2 || !text.may_be_ascii() {
        return Ok(None);
    }
    let size = ffi::Py_ssize_t::try_from(text.len())?;
    // SAFETY: returns a new reference to a compact ASCII string of `size` characters, not initialised
    // but for its final NUL, or null with an exception set.
    let object = unsafe {
        let object = ffi::PyUnicode_New(size, 127);
        Bound::from_owned_ptr_or_err(py, object)?.cast_into_unchecked::<PyString>()
    };
    // SAFETY: a compact ASCII string of `size` characters holds `size` bytes from there on, and no
    // other reference to it exists before this function returns.
    let target = unsafe {
        let start = ffi::PyUnicode_1BYTE_DATA(object.as_ptr());
        core::slice::from_raw_parts_mut(start.cast::<MaybeUninit<u8>>(), text.len())
    };
    // When this says no, the object is dropped, unseen: CPython frees it without reading it.
    Ok(text.copy_ascii(target).map(|ends| (object, ends)))
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
    pub fn borrow_mut<'a>(&'a self, py: Python<'_>) -> PyResult<RefMut<'a, T>> {
        self.0.try_borrow_mut().map_err(|_| {
            names::local_error(py, "the connection is running a hook of one of its extensions")
        })
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

    /// An instance with these fields.
    #[inline]
    fn object(py: Python<'_>, fields: [Py<PyAny>; N]) -> PyResult<Py<PyAny>>
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
            slot(ffi::Py_tp_dealloc, dealloc::<N> as *mut c_void),
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
) -> PyResult<Py<PyAny>> {
    let class = C::cell().get(py).ok_or_else(not_initialised)?.as_ptr().cast::<ffi::PyTypeObject>();
    // SAFETY: allocates what `class` says, makes it an object of it, and writes all fields before
    // anybody sees it. `PyObject_Init` takes the reference to the class that `dealloc` gives back.
    unsafe {
        let object = ffi::PyObject_Malloc(size_of::<Object<N>>()).cast::<Object<N>>();
        if object.is_null() {
            return Err(out_of_memory(py));
        }
        (&raw mut (*object).fields).write(fields);
        Ok(Bound::from_owned_ptr(py, ffi::PyObject_Init(object.cast(), class)).unbind())
    }
}

#[cold]
fn not_initialised() -> PyErr {
    PyRuntimeError::new_err("ws13._native is not initialised")
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

/// What an iterator asks for its next item.
pub type Next = fn(&Bound<'_, PyAny>) -> PyResult<Option<Py<PyAny>>>;

static ITERATOR: PyOnceLock<Py<PyType>> = PyOnceLock::new();

/// The class of what `events()` returns: asks its source for each item, until there is none.
#[repr(C)]
pub struct Iterator {
    head: ffi::PyObject,
    source: Py<PyAny>,
    next: Next,
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

    /// An iterator over what `next` finds in `source`.
    #[inline]
    pub fn over(py: Python<'_>, source: Py<PyAny>, next: Next) -> PyResult<Py<PyAny>> {
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
        Ok(None) => {
            // SAFETY: as above; nothing else borrows the field.
            unsafe { (*object).exhausted = true };
            ptr::null_mut()
        }
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

#[cold]
fn panicked() -> PyErr {
    PyRuntimeError::new_err("a panic in ws13")
}

#[cold]
fn out_of_memory(py: Python<'_>) -> PyErr {
    pyo3::exceptions::PyMemoryError::new_err(py.None())
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
    made.unwrap_or_else(|_| Err(panicked())).unwrap_or_else(|error: PyErr| {
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
unsafe extern "C" fn dealloc<const N: usize>(object: *mut ffi::PyObject) {
    // SAFETY: CPython calls this once for each object, when no reference to it is left, attached. The
    // fields are taken before their memory is freed, and the class is given back last, as a class made
    // from a specification wants it; for an instance of a class written in Python, CPython relies on
    // this too.
    unsafe {
        let class = ffi::Py_TYPE(object);
        let fields = (&raw const (*object.cast::<Object<N>>()).fields).read();
        if let Some(free) = (*class).tp_free {
            free(object.cast());
        }
        ffi::Py_DECREF(class.cast());
        for field in fields {
            release(field.into_ptr());
        }
    }
}

/// Gives back a reference, without PyO3's question whether this thread is attached.
///
/// SAFETY: the thread is attached, and the caller owns the reference.
#[inline]
unsafe fn release(field: *mut ffi::PyObject) {
    // SAFETY: as above; what is deferred is owned by the list.
    unsafe {
        let is_flat = ffi::PyBytes_CheckExact(field)
            | ffi::PyUnicode_CheckExact(field)
            | ffi::PyBool_Check(field);
        if is_flat != 0 {
            return ffi::Py_DECREF(field);
        }
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

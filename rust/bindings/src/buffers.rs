//! Bytes and text out of whatever a caller gives. Everything here may run Python code (a buffer object
//! written in Python, a str subclass), so it happens before a connection is borrowed.

use std::borrow::Cow;

use pyo3::exceptions::{PyTypeError, PyUnicodeEncodeError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyMemoryView, PyString};

use crate::names;

/// Data of a message as it was given.
pub enum Data<'a> {
    Text(&'a str),
    Binary(Cow<'a, [u8]>),
}

/// The data of a message: text or any buffer.
///
/// A str with lone surrogates is no text, RFC 6455 §5.6: `LocalProtocolError`.
#[inline]
pub fn data<'a>(object: &'a Bound<'_, PyAny>) -> PyResult<Data<'a>> {
    if let Ok(text) = object.cast::<PyString>() {
        return Ok(Data::Text(utf8(text)?));
    }
    match bytes(object) {
        Ok(bytes) => Ok(Data::Binary(bytes)),
        Err(error) if error.is_instance_of::<PyTypeError>(object.py()) => {
            Err(PyTypeError::new_err("Must provide bytes or text"))
        }
        Err(error) => Err(error),
    }
}

/// The text of a str; `LocalProtocolError` if it has lone surrogates.
#[inline]
pub fn utf8<'a>(text: &'a Bound<'_, PyString>) -> PyResult<&'a str> {
    text.to_str().map_err(|cause| {
        if !cause.is_instance_of::<PyUnicodeEncodeError>(text.py()) {
            return cause;
        }
        let error = names::local_error(text.py(), "text with lone surrogates cannot be sent");
        error.set_cause(text.py(), Some(cause));
        error
    })
}

/// The bytes of any object with a buffer: borrowed from `bytes`, copied from what may change.
#[inline(always)]
pub fn bytes<'a>(object: &'a Bound<'_, PyAny>) -> PyResult<Cow<'a, [u8]>> {
    if let Ok(bytes) = object.cast::<PyBytes>() {
        return Ok(Cow::Borrowed(bytes.as_bytes()));
    }
    Ok(Cow::Owned(copied(object)?.as_bytes().to_vec()))
}

/// The bytes of any object with a buffer as an object of its own, which cannot change any more.
#[inline(always)]
pub fn owned<'py>(object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
    match object.cast_exact::<PyBytes>() {
        Ok(bytes) => Ok(bytes.clone()),
        Err(_) => copied(object),
    }
}

/// Methods of a memoryview. Made when the module is, as PyO3 panics where there is no memory for them.
pub fn view_methods(py: Python<'_>) -> [&Bound<'_, PyString>; 2] {
    [intern!(py, "tobytes"), intern!(py, "release")]
}

/// A memoryview reads every kind of buffer, also one with gaps or with items longer than a byte.
#[cold]
fn copied<'py>(object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
    let [tobytes, release] = view_methods(object.py());
    let view = PyMemoryView::from(object)?;
    let bytes = view.call_method0(tobytes)?.cast_into::<PyBytes>()?;
    view.call_method0(release)?;
    Ok(bytes)
}

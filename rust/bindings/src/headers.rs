//! Hosts, names and fields of a handshake, between Python's strings and the engine's.

use pyo3::exceptions::{PyTypeError, PyUnicodeError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyString};
use ws13::Misuse;
use ws13::handshake::Field;

use crate::{buffers, errors};

/// The fields as a list of pairs of bytes.
pub fn to_python(py: Python<'_>, fields: &[Field]) -> PyResult<Py<PyAny>> {
    let pairs = fields
        .iter()
        .map(|field| (PyBytes::new(py, &field.name), PyBytes::new(py, &field.value)))
        .collect::<Vec<_>>();
    Ok(PyList::new(py, pairs)?.into_any().unbind())
}

/// Fields out of pairs of name and value, each bytes or str.
pub fn from_python(headers: &Bound<'_, PyAny>) -> PyResult<Vec<Field>> {
    let mut fields = Vec::new();
    for pair in headers.try_iter()? {
        let (name, value) = pair_of(&pair?)?;
        let name = text_or_bytes(&name)?;
        let value = match value.cast::<PyString>() {
            Ok(text) if !text.to_str().is_ok_and(str::is_ascii) => {
                return Err(errors::misuse(headers.py(), &Misuse::FieldValue(name)));
            }
            _ => text_or_bytes(&value)?,
        };
        fields.push(Field { name, value });
    }
    Ok(fields)
}

/// The two items of any iterable that has two.
pub fn pair_of<'py>(pair: &Bound<'py, PyAny>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
    let mut items = pair.try_iter()?;
    match (items.next().transpose()?, items.next().transpose()?, items.next()) {
        (Some(first), Some(second), None) => Ok((first, second)),
        _ => Err(PyTypeError::new_err("expected a pair")),
    }
}

/// The bytes of a str or a buffer. What is not ASCII in a str is no token and no target either, and is
/// refused by whoever takes it.
pub fn text_or_bytes(object: &Bound<'_, PyAny>) -> PyResult<Vec<u8>> {
    match object.cast::<PyString>() {
        Ok(text) => Ok(buffers::utf8(text)?.as_bytes().to_vec()),
        Err(_) => Ok(buffers::bytes(object)?.into_owned()),
    }
}

/// The text of a str that is ASCII; `refused` makes the error out of any other.
pub fn ascii(object: &Bound<'_, PyAny>, refused: fn(String) -> Misuse) -> PyResult<String> {
    let text = object.cast::<PyString>()?;
    match text.to_str() {
        Ok(text) if text.is_ascii() => Ok(text.to_owned()),
        _ => Err(errors::misuse(object.py(), &refused(text.to_string_lossy().into_owned()))),
    }
}

/// A list of names.
pub fn names(list: &Bound<'_, PyAny>, refused: fn(String) -> Misuse) -> PyResult<Vec<String>> {
    if list.is_none() {
        return Ok(Vec::new());
    }
    list.try_iter()?.map(|name| ascii(&name?, refused)).collect()
}

/// A host as it is sent: names that are not ASCII are encoded as IDNA.
///
/// // Choice: with CPython's codec (IDNA 2003), as wsproto does; programs that want IDNA 2008 encode the
/// name themselves.
pub fn encode_host(host: &Bound<'_, PyAny>) -> PyResult<String> {
    let py = host.py();
    let text = host.cast::<PyString>()?;
    if text.to_str().is_ok_and(str::is_ascii) {
        return Ok(text.to_str()?.to_owned());
    }
    let refused = || errors::misuse(py, &Misuse::Host(text.to_string_lossy().into_owned()));
    match text.call_method1("encode", ("idna",)) {
        Ok(encoded) => {
            let encoded = encoded.cast_into::<PyBytes>()?;
            String::from_utf8(encoded.as_bytes().to_vec()).map_err(|_| refused())
        }
        Err(error) if error.is_instance_of::<PyUnicodeError>(py) => Err(refused()),
        Err(error) => Err(error),
    }
}

/// A received host; IDNA labels are decoded if they can be.
pub fn decode_host(py: Python<'_>, host: &str) -> PyResult<Py<PyAny>> {
    let label =
        |label: &str| label.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("xn--"));
    if host.split('.').any(label) {
        match PyBytes::new(py, host.as_bytes()).call_method1("decode", ("idna",)) {
            Ok(decoded) => return Ok(decoded.unbind()),
            Err(error) if error.is_instance_of::<PyUnicodeError>(py) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(PyString::new(py, host).into_any().unbind())
}

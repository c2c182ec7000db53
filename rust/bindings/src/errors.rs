//! The engine's errors as Python exceptions.

use pyo3::exceptions::PyTypeError;
use pyo3::panic::PanicException;
use pyo3::prelude::*;
use pyo3::types::{PyTuple, PyType};
use ws13::{HandshakeError, Misuse};

use crate::events::RejectConnection;
use crate::names;

/// What a caller did wrong. Mixing the kinds of data in a message is a `TypeError`, as in wsproto; the
/// rest is `LocalProtocolError`.
pub fn misuse(py: Python<'_>, misuse: &Misuse) -> PyErr {
    match misuse {
        Misuse::DataKindChanged => PyTypeError::new_err(misuse.to_string()),
        _ => names::local_error(py, misuse),
    }
}

/// What a server's peer did wrong, with the answer that it deserves as hint.
pub fn bad_request(py: Python<'_>, error: &HandshakeError) -> PyErr {
    let headers: &[(&[u8], &[u8])] = match error.names_version() {
        true => &[(b"Sec-WebSocket-Version", ws13::handshake::VERSION.as_bytes())],
        false => &[],
    };
    match RejectConnection::hint(py, error.status(), headers) {
        Ok(hint) => names::remote_error(py, error, hint),
        Err(error) => error,
    }
}

/// What a client's peer did wrong. The hint is wsproto's; there is nobody to send it to.
pub fn bad_response(py: Python<'_>, error: &HandshakeError) -> PyErr {
    match RejectConnection::hint(py, 400, &[]) {
        Ok(hint) => names::remote_error(py, error, hint),
        Err(error) => error,
    }
}

/// Puts PyO3's exception for panics below `class`. It comes from wherever PyO3 calls into Rust, of a
/// `BaseException`, which would pass every `except Exception` of a server and end it.
#[pyfunction]
pub fn raise_panics_as(class: &Bound<'_, PyType>) -> PyResult<()> {
    let py = class.py();
    py.get_type::<PanicException>().setattr("__bases__", PyTuple::new(py, [class])?)
}

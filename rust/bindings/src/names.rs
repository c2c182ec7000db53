//! The Python classes that Rust needs: enums and exceptions, looked up once.

use std::sync::OnceLock;

use pyo3::exceptions::{PyImportError, PyTypeError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;
use ws13::{CloseCode, Role, State};

/// The members of `ConnectionState`, by value.
static STATES: PyOnceLock<[Py<PyAny>; 6]> = PyOnceLock::new();
static CLIENT: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
static LOCAL_ERROR: PyOnceLock<Py<PyType>> = PyOnceLock::new();
static REMOTE_ERROR: PyOnceLock<Py<PyType>> = PyOnceLock::new();
static PARSE_FAILED: PyOnceLock<Py<PyType>> = PyOnceLock::new();
static CLOSE_REASON: PyOnceLock<Py<PyType>> = PyOnceLock::new();

/// Marks this interpreter as the one whose classes are kept here; `ImportError` in any other one, and
/// where threads run without the GIL.
pub fn claim_interpreter(py: Python<'_>) -> PyResult<()> {
    static OWNER: OnceLock<usize> = OnceLock::new();
    if let Some(is_enabled) = py.import("sys")?.getattr_opt("_is_gil_enabled")?
        && !is_enabled.call0()?.is_truthy()?
    {
        return Err(PyImportError::new_err("ws13 needs the GIL"));
    }
    // Each interpreter has a `sys` of its own.
    let interpreter = py.import("sys")?.as_ptr().addr();
    if *OWNER.get_or_init(|| interpreter) == interpreter {
        return Ok(());
    }
    Err(PyImportError::new_err("ws13 can be used in one interpreter of a process only"))
}

/// The public state of a connection. A failed connection looks as it looks in wsproto: open until our
/// Close frame is sent, so that programs find that they may send it.
pub fn state(py: Python<'_>, state: State) -> PyResult<Py<PyAny>> {
    let members = STATES.get_or_try_init(py, || {
        let class = py.import("ws13.connection")?.getattr("ConnectionState")?;
        let member = |value: u8| Ok::<_, PyErr>(class.call1((value,))?.unbind());
        Ok::<_, PyErr>([member(0)?, member(1)?, member(2)?, member(3)?, member(4)?, member(5)?])
    })?;
    let index = match state {
        State::Connecting => 0,
        State::Open | State::Failed => 1,
        State::RemoteClosing => 2,
        State::LocalClosing | State::FailedClosing => 3,
        State::Closed => 4,
        State::Rejecting => 5,
    };
    Ok(members[index].clone_ref(py))
}

/// The state behind a member of `ConnectionState`; `TypeError` for anything else.
pub fn state_from(member: &Bound<'_, PyAny>) -> PyResult<State> {
    let class = member.py().import("ws13.connection")?.getattr("ConnectionState")?;
    if !member.is_instance(&class)? {
        let message =
            format!("a state is a ConnectionState, not {}", member.get_type().qualname()?);
        return Err(PyTypeError::new_err(message));
    }
    Ok(match member.getattr("value")?.extract::<u8>()? {
        0 => State::Connecting,
        1 => State::Open,
        2 => State::RemoteClosing,
        3 => State::LocalClosing,
        4 => State::Closed,
        5 => State::Rejecting,
        _ => return Err(pyo3::exceptions::PyValueError::new_err("not a ConnectionState")),
    })
}

/// The role that a member of `ConnectionType` names; whatever is not CLIENT is a server.
pub fn role(connection_type: &Bound<'_, PyAny>) -> PyResult<Role> {
    let py = connection_type.py();
    let client = CLIENT.get_or_try_init(py, || {
        let class = py.import("ws13.connection")?.getattr("ConnectionType")?;
        Ok::<_, PyErr>(class.getattr("CLIENT")?.unbind())
    })?;
    Ok(if connection_type.is(client) { Role::Client } else { Role::Server })
}

/// The member of `CloseReason` for a registered code, the number for others.
pub fn close_reason(py: Python<'_>, code: CloseCode) -> PyResult<Py<PyAny>> {
    match code.0 {
        1000..=1003 | 1005..=1015 => {
            let class = CLOSE_REASON.import(py, "ws13.frame_protocol", "CloseReason")?;
            Ok(class.call1((code.0,))?.unbind())
        }
        number => Ok(number.into_pyobject(py)?.into_any().unbind()),
    }
}

/// `LocalProtocolError(message)`.
pub fn local_error(py: Python<'_>, message: impl ToString) -> PyErr {
    let name = ("ws13.utilities", "LocalProtocolError");
    error(py, &LOCAL_ERROR, name, |class| class.call1((message.to_string(),)))
}

/// `RemoteProtocolError(message, event_hint)`.
pub fn remote_error(py: Python<'_>, message: impl ToString, hint: Py<PyAny>) -> PyErr {
    let name = ("ws13.utilities", "RemoteProtocolError");
    error(py, &REMOTE_ERROR, name, |class| class.call1((message.to_string(), hint)))
}

/// `ParseFailed(message, code)`.
pub fn parse_failed(py: Python<'_>, message: impl ToString, code: CloseCode) -> PyErr {
    let name = ("ws13.frame_protocol", "ParseFailed");
    error(py, &PARSE_FAILED, name, |class| {
        class.call1((message.to_string(), close_reason(py, code)?))
    })
}

fn error<'py>(
    py: Python<'py>,
    class: &'static PyOnceLock<Py<PyType>>,
    (module, name): (&str, &str),
    make: impl FnOnce(&Bound<'py, PyType>) -> PyResult<Bound<'py, PyAny>>,
) -> PyErr {
    match class.import(py, module, name).and_then(make) {
        Ok(error) => PyErr::from_value(error),
        Err(error) => error,
    }
}

//! The events: what they hold. That they feel like frozen dataclasses is the work of
//! `python/ws13/events.py`.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyBytes, PyList, PyModule};
use ws13::Ends;

use crate::alloc;
pub use crate::alloc::EventClass;

/// Declares the class of an event: its fields, each with its default if it has one.
macro_rules! event {
    ($name:ident[$count:literal] $signature:literal $doc:literal
     $($field:ident $(= $default:expr)?),*) => {
        #[doc = $doc]
        pub struct $name;

        impl EventClass<$count> for $name {
            const NAME: &'static core::ffi::CStr = match core::ffi::CStr::from_bytes_with_nul(
                concat!("ws13.events.", stringify!($name), "\0").as_bytes(),
            ) {
                Ok(name) => name,
                Err(_) => c"",
            };
            const DOC: &'static core::ffi::CStr = match core::ffi::CStr::from_bytes_with_nul(
                concat!(stringify!($name), $signature, "\n--\n\n", $doc, "\0").as_bytes(),
            ) {
                Ok(doc) => doc,
                Err(_) => c"",
            };
            const FIELDS: [&'static core::ffi::CStr; $count] = [$(
                match core::ffi::CStr::from_bytes_with_nul(
                    concat!(stringify!($field), "\0").as_bytes(),
                ) {
                    Ok(name) => name,
                    Err(_) => c"",
                }
            ),*];

            fn default(py: Python<'_>, index: usize) -> Option<Py<PyAny>> {
                let defaults: [Option<fn(Python<'_>) -> Py<PyAny>>; $count] =
                    [$(event!(@default $($default)?)),*];
                defaults.get(index).copied().flatten().map(|default| default(py))
            }

            fn cell() -> &'static PyOnceLock<Py<pyo3::types::PyType>> {
                static CELL: PyOnceLock<Py<pyo3::types::PyType>> = PyOnceLock::new();
                &CELL
            }

            fn spares() -> &'static alloc::Spares {
                static SPARES: alloc::Spares = alloc::Spares::new();
                &SPARES
            }
        }
    };
    (@default) => { None };
    (@default $default:expr) => { Some($default) };
}

fn list(py: Python<'_>) -> Py<PyAny> {
    PyList::empty(py).into_any().unbind()
}

fn none(py: Python<'_>) -> Py<PyAny> {
    py.None()
}

fn no_bytes(py: Python<'_>) -> Py<PyAny> {
    PyBytes::new(py, b"").into_any().unbind()
}

/// `True` or `False`.
#[inline]
pub fn bool_object(py: Python<'_>, value: bool) -> Py<PyAny> {
    PyBool::new(py, value).to_owned().into_any().unbind()
}

fn yes(py: Python<'_>) -> Py<PyAny> {
    bool_object(py, true)
}

fn no(py: Python<'_>) -> Py<PyAny> {
    bool_object(py, false)
}

fn bad_request(py: Python<'_>) -> Py<PyAny> {
    number(py, 400)
}

/// An `int`.
pub fn number(py: Python<'_>, value: u16) -> Py<PyAny> {
    match value.into_pyobject(py) {
        Ok(number) => number.into_any().unbind(),
        Err(never) => match never {},
    }
}

event!(Event[0] "()" "The base of all events.");
event!(Request[5] "(host, target, extensions=[], extra_headers=[], subprotocols=[])"
    "The request that opens a connection (RFC 6455 4.1)."
    host, target, extensions = list, extra_headers = list, subprotocols = list);
event!(AcceptConnection[3] "(subprotocol=None, extensions=[], extra_headers=[])"
    "The acceptance of a request (RFC 6455 4.2.2)."
    subprotocol = none, extensions = list, extra_headers = list);
event!(RejectConnection[3] "(status_code=400, headers=[], has_body=False)"
    "The rejection of a request: a final response of HTTP. A body follows if `has_body` is true."
    status_code = bad_request, headers = list, has_body = no);
event!(RejectData[2] "(data, body_finished=True)" "A piece of a rejection's body."
    data, body_finished = yes);
event!(CloseConnection[2] "(code, reason=None)"
    "A Close frame, or the end of the connection without one (RFC 6455 5.5.1 and 7.1)."
    code, reason = none);
event!(Ping[1] "(payload=b'')" "A Ping frame of at most 125 bytes (RFC 6455 5.5.2)."
    payload = no_bytes);
event!(Pong[1] "(payload=b'')" "A Pong frame of at most 125 bytes (RFC 6455 5.5.3)."
    payload = no_bytes);
event!(Message[3] "(data, frame_finished=True, message_finished=True)"
    "A message, or a piece of one (RFC 6455 5.4 and 5.6)."
    data, frame_finished = yes, message_finished = yes);
event!(TextMessage[3] "(data, frame_finished=True, message_finished=True)"
    "A text message, or a piece of one: `data` is a str."
    data, frame_finished = yes, message_finished = yes);
event!(BytesMessage[3] "(data, frame_finished=True, message_finished=True)"
    "A binary message, or a piece of one: `data` is bytes."
    data, frame_finished = yes, message_finished = yes);

impl TextMessage {
    /// A received piece.
    #[inline(always)]
    pub fn received(
        py: Python<'_>,
        data: Py<PyAny>,
        ends: Ends,
    ) -> Result<Py<PyAny>, alloc::Raised<'_>> {
        Self::object(py, [data, bool_object(py, ends.frame), bool_object(py, ends.message)])
    }
}

impl BytesMessage {
    /// A received piece.
    #[inline(always)]
    pub fn received(
        py: Python<'_>,
        data: Py<PyAny>,
        ends: Ends,
    ) -> Result<Py<PyAny>, alloc::Raised<'_>> {
        Self::object(py, [data, bool_object(py, ends.frame), bool_object(py, ends.message)])
    }
}

impl RejectConnection {
    /// The answer to a request that broke a rule.
    pub fn hint(py: Python<'_>, status: u16, headers: &[(&[u8], &[u8])]) -> PyResult<Py<PyAny>> {
        let pairs =
            headers.iter().map(|(name, value)| (PyBytes::new(py, name), PyBytes::new(py, value)));
        let headers = PyList::new(py, pairs.collect::<Vec<_>>())?;
        let fields = [number(py, status), headers.into_any().unbind(), bool_object(py, false)];
        Ok(Self::object(py, fields)?)
    }
}

/// Puts the classes into the module.
pub fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    let event = Some(alloc::class::<Event, 0>(py, None)?);
    let message = Some(alloc::class::<Message, 3>(py, event)?);
    module.add("Event", event)?;
    module.add("Message", message)?;
    module.add("TextMessage", alloc::class::<TextMessage, 3>(py, message)?)?;
    module.add("BytesMessage", alloc::class::<BytesMessage, 3>(py, message)?)?;
    module.add("Request", alloc::class::<Request, 5>(py, event)?)?;
    module.add("AcceptConnection", alloc::class::<AcceptConnection, 3>(py, event)?)?;
    module.add("RejectConnection", alloc::class::<RejectConnection, 3>(py, event)?)?;
    module.add("RejectData", alloc::class::<RejectData, 2>(py, event)?)?;
    module.add("CloseConnection", alloc::class::<CloseConnection, 2>(py, event)?)?;
    module.add("Ping", alloc::class::<Ping, 1>(py, event)?)?;
    module.add("Pong", alloc::class::<Pong, 1>(py, event)?)
}

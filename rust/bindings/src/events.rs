//! The events, native so that one costs about 30 ns, with the feel of wsproto's frozen dataclasses.
//!
//! What all of them do alike (repr, equality, hash, pickle, refusal of changes) is written once, on
//! [`Event`], over the fields that `__match_args__` names.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::pyclass::CompareOp;
use pyo3::types::{PyBool, PyBytes, PyDict, PyList, PyString, PyTuple, PyType};

/// The base of all events.
#[pyclass(subclass, frozen, module = "ws13.events")]
pub struct Event;

#[pymethods]
impl Event {
    /// Takes any arguments, for subclasses with an `__init__` of their own.
    #[new]
    #[pyo3(signature = (*_args, **_kwargs), text_signature = "()")]
    const fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> Self {
        Self
    }

    #[classattr]
    fn __match_args__(py: Python<'_>) -> Bound<'_, PyTuple> {
        PyTuple::empty(py)
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let mut fields = Vec::new();
        for name in &names(slf)? {
            let name = name.cast_into::<PyString>()?;
            fields.push(format!("{name}={}", slf.getattr(&name)?.repr()?));
        }
        Ok(format!("{}({})", slf.get_type().qualname()?, fields.join(", ")))
    }

    fn __richcmp__(
        slf: &Bound<'_, Self>,
        other: &Bound<'_, PyAny>,
        op: CompareOp,
    ) -> PyResult<Py<PyAny>> {
        let py = slf.py();
        let negate = match op {
            CompareOp::Eq => false,
            CompareOp::Ne => true,
            _ => return Ok(py.NotImplemented()),
        };
        if !other.get_type().is(slf.get_type()) {
            return Ok(py.NotImplemented());
        }
        let equal = values(slf)?.eq(values(other.cast::<Self>()?)?)?;
        Ok(bool_object(py, equal != negate))
    }

    fn __hash__(slf: &Bound<'_, Self>) -> PyResult<isize> {
        values(slf)?.hash()
    }

    fn __reduce__<'py>(
        slf: &Bound<'py, Self>,
    ) -> PyResult<(Bound<'py, PyType>, Bound<'py, PyTuple>)> {
        Ok((slf.get_type(), values(slf)?))
    }

    /// A copy with some fields changed, as `copy.replace` asks for it.
    #[pyo3(signature = (**changes))]
    fn __replace__<'py>(
        slf: &Bound<'py, Self>,
        changes: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let fields = PyDict::new(slf.py());
        for name in &names(slf)? {
            fields.set_item(&name, slf.getattr(name.cast::<PyString>()?)?)?;
        }
        if let Some(changes) = changes {
            fields.update(changes.as_mapping())?;
        }
        slf.get_type().call((), Some(&fields))
    }

    fn __setattr__(
        slf: &Bound<'_, Self>,
        name: &Bound<'_, PyString>,
        value: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        refuse_change(slf, name, "assign to")?;
        let object = slf.py().import("builtins")?.getattr("object")?;
        object.call_method1("__setattr__", (slf, name, value)).map(drop)
    }

    fn __delattr__(slf: &Bound<'_, Self>, name: &Bound<'_, PyString>) -> PyResult<()> {
        refuse_change(slf, name, "delete")?;
        let object = slf.py().import("builtins")?.getattr("object")?;
        object.call_method1("__delattr__", (slf, name)).map(drop)
    }
}

fn names<'py>(event: &Bound<'py, Event>) -> PyResult<Bound<'py, PyTuple>> {
    let names = event.get_type().getattr(intern!(event.py(), "__match_args__"))?;
    Ok(names.cast_into::<PyTuple>()?)
}

fn values<'py>(event: &Bound<'py, Event>) -> PyResult<Bound<'py, PyTuple>> {
    let mut values = Vec::new();
    for name in &names(event)? {
        values.push(event.getattr(name.cast::<PyString>()?)?);
    }
    PyTuple::new(event.py(), values)
}

/// Frozen, as a dataclass is: the classes of ws13 wholly, subclasses in the fields they inherit.
fn refuse_change(event: &Bound<'_, Event>, name: &Bound<'_, PyString>, what: &str) -> PyResult<()> {
    let py = event.py();
    let ours = event.get_type().module()?.to_str()? == "ws13.events";
    if !ours && !names(event)?.contains(name)? {
        return Ok(());
    }
    let class = py.import("dataclasses")?.getattr("FrozenInstanceError")?;
    Err(PyErr::from_value(class.call1((format!("cannot {what} field {}", name.repr()?),))?))
}

/// An argument that may be missing, which is not the same as `None`.
pub enum Argument {
    Missing,
    Given(Py<PyAny>),
}

impl<'py> FromPyObject<'_, 'py> for Argument {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        Ok(Self::Given(object.to_owned().unbind()))
    }
}

impl Argument {
    fn or_else(self, default: impl FnOnce() -> Py<PyAny>) -> Py<PyAny> {
        match self {
            Self::Missing => default(),
            Self::Given(value) => value,
        }
    }

    fn or_list(self, py: Python<'_>) -> Py<PyAny> {
        self.or_else(|| PyList::empty(py).into_any().unbind())
    }

    fn or_bool(self, py: Python<'_>, default: bool) -> Py<PyAny> {
        self.or_else(|| bool_object(py, default))
    }
}

fn bool_object(py: Python<'_>, value: bool) -> Py<PyAny> {
    PyBool::new(py, value).to_owned().into_any().unbind()
}

fn match_args<'py, const N: usize>(
    py: Python<'py>,
    names: [&str; N],
) -> PyResult<Bound<'py, PyTuple>> {
    PyTuple::new(py, names)
}

/// Declares an event whose fields are Python objects: its class, and what makes one.
macro_rules! event {
    ($(#[$doc:meta])* $name:ident { $($field:ident),+ }) => {
        $(#[$doc])*
        #[pyclass(extends = Event, subclass, frozen, get_all, module = "ws13.events")]
        pub struct $name {
            $(pub $field: Py<PyAny>),+
        }

        impl $name {
            const FIELDS: [&str; [$(stringify!($field)),+].len()] = [$(stringify!($field)),+];

            /// The event as an object.
            pub fn object(py: Python<'_>, $($field: Py<PyAny>),+) -> PyResult<Py<PyAny>> {
                let event = PyClassInitializer::from(Event).add_subclass(Self { $($field),+ });
                Ok(Py::new(py, event)?.into_any())
            }
        }
    };
}

event! {
    /// The request that opens a connection, RFC 6455 §4.1.
    Request { host, target, extensions, extra_headers, subprotocols }
}
event! {
    /// The acceptance of a request, RFC 6455 §4.2.2.
    AcceptConnection { subprotocol, extensions, extra_headers }
}
event! {
    /// The rejection of a request: a final response of HTTP.
    RejectConnection { status_code, headers, has_body }
}
event! {
    /// A piece of a rejection's body.
    RejectData { data, body_finished }
}
event! {
    /// A Close frame, or the end of the connection without one, RFC 6455 §5.5.1 and §7.1.
    CloseConnection { code, reason }
}
event! {
    /// A Ping frame, RFC 6455 §5.5.2.
    Ping { payload }
}
event! {
    /// A Pong frame, RFC 6455 §5.5.3.
    Pong { payload }
}

#[pymethods]
impl Request {
    #[new]
    #[pyo3(signature = (
        host, target, extensions = Argument::Missing, extra_headers = Argument::Missing,
        subprotocols = Argument::Missing
    ), text_signature = "(host, target, extensions=[], extra_headers=[], subprotocols=[])")]
    fn new(
        py: Python<'_>,
        host: Py<PyAny>,
        target: Py<PyAny>,
        extensions: Argument,
        extra_headers: Argument,
        subprotocols: Argument,
    ) -> PyClassInitializer<Self> {
        PyClassInitializer::from(Event).add_subclass(Self {
            host,
            target,
            extensions: extensions.or_list(py),
            extra_headers: extra_headers.or_list(py),
            subprotocols: subprotocols.or_list(py),
        })
    }

    #[classattr]
    fn __match_args__(py: Python<'_>) -> PyResult<Bound<'_, PyTuple>> {
        match_args(py, Self::FIELDS)
    }
}

#[pymethods]
impl AcceptConnection {
    #[new]
    #[pyo3(signature = (
        subprotocol = Argument::Missing, extensions = Argument::Missing,
        extra_headers = Argument::Missing
    ), text_signature = "(subprotocol=None, extensions=[], extra_headers=[])")]
    fn new(
        py: Python<'_>,
        subprotocol: Argument,
        extensions: Argument,
        extra_headers: Argument,
    ) -> PyClassInitializer<Self> {
        PyClassInitializer::from(Event).add_subclass(Self {
            subprotocol: subprotocol.or_else(|| py.None()),
            extensions: extensions.or_list(py),
            extra_headers: extra_headers.or_list(py),
        })
    }

    #[classattr]
    fn __match_args__(py: Python<'_>) -> PyResult<Bound<'_, PyTuple>> {
        match_args(py, Self::FIELDS)
    }
}

#[pymethods]
impl RejectConnection {
    #[new]
    #[pyo3(signature = (
        status_code = Argument::Missing, headers = Argument::Missing, has_body = Argument::Missing
    ), text_signature = "(status_code=400, headers=[], has_body=False)")]
    fn new(
        py: Python<'_>,
        status_code: Argument,
        headers: Argument,
        has_body: Argument,
    ) -> PyResult<PyClassInitializer<Self>> {
        let default = 400_u16.into_pyobject(py)?.into_any().unbind();
        Ok(PyClassInitializer::from(Event).add_subclass(Self {
            status_code: status_code.or_else(|| default),
            headers: headers.or_list(py),
            has_body: has_body.or_bool(py, false),
        }))
    }

    #[classattr]
    fn __match_args__(py: Python<'_>) -> PyResult<Bound<'_, PyTuple>> {
        match_args(py, Self::FIELDS)
    }
}

impl RejectConnection {
    /// The answer to a request that broke a rule.
    pub fn hint(py: Python<'_>, status: u16, headers: &[(&[u8], &[u8])]) -> PyResult<Py<PyAny>> {
        let pairs =
            headers.iter().map(|(name, value)| (PyBytes::new(py, name), PyBytes::new(py, value)));
        let headers = PyList::new(py, pairs.collect::<Vec<_>>())?;
        let status = status.into_pyobject(py)?.into_any().unbind();
        Self::object(py, status, headers.into_any().unbind(), bool_object(py, false))
    }
}

#[pymethods]
impl RejectData {
    #[new]
    #[pyo3(signature = (data, body_finished = Argument::Missing),
        text_signature = "(data, body_finished=True)")]
    fn new(py: Python<'_>, data: Py<PyAny>, body_finished: Argument) -> PyClassInitializer<Self> {
        PyClassInitializer::from(Event)
            .add_subclass(Self { data, body_finished: body_finished.or_bool(py, true) })
    }

    #[classattr]
    fn __match_args__(py: Python<'_>) -> PyResult<Bound<'_, PyTuple>> {
        match_args(py, Self::FIELDS)
    }
}

#[pymethods]
impl CloseConnection {
    #[new]
    #[pyo3(signature = (code, reason = Argument::Missing), text_signature = "(code, reason=None)")]
    fn new(py: Python<'_>, code: Py<PyAny>, reason: Argument) -> PyClassInitializer<Self> {
        PyClassInitializer::from(Event)
            .add_subclass(Self { code, reason: reason.or_else(|| py.None()) })
    }

    #[classattr]
    fn __match_args__(py: Python<'_>) -> PyResult<Bound<'_, PyTuple>> {
        match_args(py, Self::FIELDS)
    }

    /// The Close frame that answers this one, RFC 6455 §5.5.1.
    fn response(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        Self::object(py, self.code.clone_ref(py), self.reason.clone_ref(py))
    }
}

#[pymethods]
impl Ping {
    #[new]
    #[pyo3(signature = (payload = Argument::Missing), text_signature = "(payload=b'')")]
    fn new(py: Python<'_>, payload: Argument) -> PyClassInitializer<Self> {
        let payload = payload.or_else(|| PyBytes::new(py, b"").into_any().unbind());
        PyClassInitializer::from(Event).add_subclass(Self { payload })
    }

    #[classattr]
    fn __match_args__(py: Python<'_>) -> PyResult<Bound<'_, PyTuple>> {
        match_args(py, Self::FIELDS)
    }

    /// The Pong that answers this Ping, RFC 6455 §5.5.3.
    fn response(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        Pong::object(py, self.payload.clone_ref(py))
    }
}

#[pymethods]
impl Pong {
    #[new]
    #[pyo3(signature = (payload = Argument::Missing), text_signature = "(payload=b'')")]
    fn new(py: Python<'_>, payload: Argument) -> PyClassInitializer<Self> {
        let payload = payload.or_else(|| PyBytes::new(py, b"").into_any().unbind());
        PyClassInitializer::from(Event).add_subclass(Self { payload })
    }

    #[classattr]
    fn __match_args__(py: Python<'_>) -> PyResult<Bound<'_, PyTuple>> {
        match_args(py, Self::FIELDS)
    }
}

/// A message, or a piece of one, RFC 6455 §5.4 and §5.6.
#[pyclass(extends = Event, subclass, frozen, get_all, generic, module = "ws13.events")]
pub struct Message {
    pub data: Py<PyAny>,
    pub frame_finished: Py<PyAny>,
    pub message_finished: Py<PyAny>,
}

impl Message {
    fn given(
        py: Python<'_>,
        data: Py<PyAny>,
        frame_finished: Argument,
        message_finished: Argument,
    ) -> Self {
        Self {
            data,
            frame_finished: frame_finished.or_bool(py, true),
            message_finished: message_finished.or_bool(py, true),
        }
    }

    fn received(py: Python<'_>, data: Py<PyAny>, ends: ws13::Ends) -> Self {
        Self {
            data,
            frame_finished: bool_object(py, ends.frame),
            message_finished: bool_object(py, ends.message),
        }
    }
}

#[pymethods]
impl Message {
    #[new]
    #[pyo3(signature = (
        data, frame_finished = Argument::Missing, message_finished = Argument::Missing
    ), text_signature = "(data, frame_finished=True, message_finished=True)")]
    fn new(
        py: Python<'_>,
        data: Py<PyAny>,
        frame_finished: Argument,
        message_finished: Argument,
    ) -> PyClassInitializer<Self> {
        let message = Self::given(py, data, frame_finished, message_finished);
        PyClassInitializer::from(Event).add_subclass(message)
    }

    #[classattr]
    fn __match_args__(py: Python<'_>) -> PyResult<Bound<'_, PyTuple>> {
        match_args(py, ["data", "frame_finished", "message_finished"])
    }
}

/// Declares a kind of message.
macro_rules! message {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[pyclass(extends = Message, subclass, frozen, module = "ws13.events")]
        pub struct $name;

        #[pymethods]
        impl $name {
            #[new]
            #[pyo3(signature = (
                data, frame_finished = Argument::Missing, message_finished = Argument::Missing
            ), text_signature = "(data, frame_finished=True, message_finished=True)")]
            fn new(
                py: Python<'_>,
                data: Py<PyAny>,
                frame_finished: Argument,
                message_finished: Argument,
            ) -> PyClassInitializer<Self> {
                Self::with(Message::given(py, data, frame_finished, message_finished))
            }
        }

        impl $name {
            #[inline]
            fn with(message: Message) -> PyClassInitializer<Self> {
                PyClassInitializer::from(Event).add_subclass(message).add_subclass(Self)
            }

            /// A received piece as an object.
            #[inline]
            pub fn object(py: Python<'_>, data: Py<PyAny>, ends: ws13::Ends) -> PyResult<Py<PyAny>> {
                Ok(Py::new(py, Self::with(Message::received(py, data, ends)))?.into_any())
            }
        }
    };
}

message! {
    /// A text message, or a piece of one: `data` is a `str`.
    TextMessage
}
message! {
    /// A binary message, or a piece of one: `data` is `bytes`.
    BytesMessage
}

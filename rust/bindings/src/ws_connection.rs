//! `ws13.WSConnection`: the opening handshake, and the connection that comes of it.

use core::cell::RefMut;

use pyo3::exceptions::{PyAttributeError, PyTypeError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString, PyTuple};

use crate::alloc::{self, GilCell, Next, Source};
use crate::config::Config;
use crate::connection::Connection;
use crate::guarded::{Fail, guarded};
use crate::handshake::H11Handshake;
use crate::inject;
use crate::outgoing::cannot_send;

/// One end of a WebSocket connection, opening handshake included, RFC 6455.
///
/// Args:
///     connection_type: CLIENT or SERVER.
///     config: limits, and whether messages are given out whole.
#[pyclass(subclass, frozen, dict, weakref, module = "ws13")]
pub struct WSConnection {
    parts: GilCell<Parts>,
}

#[derive(Default)]
struct Parts {
    /// There from `__init__` on.
    handshake: Option<Py<H11Handshake>>,
    /// A `Connection`, or what a program has put in its place.
    connection: Option<Py<PyAny>>,
    /// All events of the handshake have been taken; what comes now is the connection's.
    passed: bool,
}

/// Who a `WSConnection` leaves the work to.
enum Worker<'py> {
    /// The handshake.
    Opening(Bound<'py, H11Handshake>),
    /// A connection whose methods are ours.
    Usual(Bound<'py, Connection>),
    /// Another one, whose methods are called by name.
    Other(Bound<'py, PyAny>),
}

impl WSConnection {
    #[inline]
    fn parts<'a>(slf: &'a Bound<'_, Self>) -> PyResult<RefMut<'a, Parts>> {
        inject::point();
        slf.get().parts.borrow_mut(slf.py())
    }

    /// Who is at work, with a reference of its own: nothing stays borrowed.
    #[inline]
    fn worker<'py>(slf: &Bound<'py, Self>) -> PyResult<Worker<'py>> {
        let py = slf.py();
        let connection = Self::parts(slf)?.connection.as_ref().map(|it| it.bind(py).clone());
        let Some(connection) = connection else { return Self::opening(slf).map(Worker::Opening) };
        match connection.cast_into_exact::<Connection>() {
            Ok(usual) if Connection::has_replaced_methods(&usual)? => {
                Ok(Worker::Other(usual.into_any()))
            }
            Ok(usual) => Ok(Worker::Usual(usual)),
            Err(other) => Ok(Worker::Other(other.into_inner())),
        }
    }

    fn opening<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, H11Handshake>> {
        let handshake = Self::parts(slf)?.handshake.as_ref().map(|it| it.clone_ref(slf.py()));
        Ok(handshake.ok_or_else(not_initialised)?.into_bound(slf.py()))
    }

    /// Lets the connection that the handshake has made take over.
    fn adopt(slf: &Bound<'_, Self>, handshake: &Bound<'_, H11Handshake>) -> PyResult<()> {
        let connection = H11Handshake::established(handshake)?;
        if connection.is_some() {
            Self::parts(slf)?.connection = connection.map(Py::into_any);
        }
        Ok(())
    }

    /// See `receive_data` below.
    #[inline]
    fn take_data(slf: &Bound<'_, Self>, data: &Bound<'_, PyAny>) -> PyResult<()> {
        match Self::worker(slf)? {
            Worker::Usual(connection) => Connection::take_data(&connection, data),
            Worker::Other(connection) => connection.call_method1("receive_data", (data,)).map(drop),
            Worker::Opening(handshake) => {
                H11Handshake::receive(&handshake, data)?;
                Self::adopt(slf, &handshake)
            }
        }
    }

    /// See `receive` below.
    #[inline]
    fn receive_all<'py>(
        slf: &Bound<'py, Self>,
        data: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyList>> {
        if let Worker::Usual(connection) = Self::worker(slf)?
            && Self::parts(slf)?.passed
        {
            return Connection::receive_all(&connection, data);
        }
        Self::take_data(slf, data)?;
        let events = PyList::empty(slf.py());
        for event in Self::events(slf.clone())?.bind(slf.py()).try_iter()? {
            match event {
                Ok(event) => events.append(event)?,
                Err(error) => {
                    return Err(match Self::worker(slf)? {
                        Worker::Usual(connection) => {
                            Connection::put_back(&connection, events, error)
                        }
                        Worker::Opening(_) | Worker::Other(_) => error,
                    });
                }
            }
        }
        Ok(events)
    }

    /// Lets the open connection do it: `what` is called `method`, and is there in the class above too.
    fn delegate<'py>(
        slf: &Bound<'py, Self>,
        (method, what): (&str, &str),
        arguments: &Bound<'py, PyTuple>,
        options: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        guarded(slf, || match Self::worker(slf)? {
            Worker::Usual(connection) => connection.call_method(method, arguments, options),
            Worker::Other(connection) => connection.call_method(method, arguments, options),
            Worker::Opening(handshake) => {
                let state = H11Handshake::engine_state(&handshake)?;
                Err(cannot_send(&PyString::new(slf.py(), what), state))
            }
        })
    }

    /// See `send` below.
    #[inline]
    fn send_event<'py>(
        slf: &Bound<'py, Self>,
        event: &Bound<'py, PyAny>,
        compress: Option<bool>,
    ) -> PyResult<Bound<'py, PyAny>> {
        match Self::worker(slf)? {
            Worker::Usual(connection) => {
                Ok(Connection::send_event(&connection, event, compress)?.into_any())
            }
            Worker::Other(connection) => {
                let options = PyDict::new(slf.py());
                if let Some(compress) = compress {
                    options.set_item("compress", compress)?;
                }
                connection.call_method("send", (event,), Some(&options))
            }
            Worker::Opening(handshake) => {
                let bytes = H11Handshake::send_event(&handshake, event)?;
                Self::adopt(slf, &handshake)?;
                Ok(bytes.into_any())
            }
        }
    }
}

/// Who is at work fails.
impl Fail for WSConnection {
    fn fail(slf: &Bound<'_, Self>) {
        let Some(parts) = slf.get().parts.try_borrow_mut(slf.py()) else { return };
        let connection = parts.connection.as_ref().map(|it| it.bind(slf.py()).clone());
        let handshake = parts.handshake.as_ref().map(|it| it.bind(slf.py()).clone());
        drop(parts);
        if let Some(Ok(connection)) = connection.as_ref().map(|it| it.cast::<Connection>()) {
            Connection::fail(connection);
        }
        if let Some(handshake) = &handshake {
            H11Handshake::fail(handshake);
        }
    }
}

/// The events of the handshake, then those of the connection.
impl Source for WSConnection {
    #[inline]
    fn next(slf: &Bound<'_, Self>) -> PyResult<Next> {
        let worker = Self::worker(slf)?;
        if !Self::parts(slf)?.passed {
            if let Some(event) = H11Handshake::next_event(&Self::opening(slf)?)? {
                return Ok(Next::Event(event));
            }
            Self::parts(slf)?.passed = !matches!(worker, Worker::Opening(_));
        }
        match worker {
            Worker::Usual(connection) => Connection::next(&connection),
            Worker::Opening(_) => Ok(Next::Nothing),
            Worker::Other(connection) => {
                let events = connection.call_method0("events").and_then(|it| it.try_iter());
                Ok(match events {
                    Ok(events) => Next::Other(events.into_any().unbind()),
                    Err(error) => Next::NoOther(error),
                })
            }
        }
    }
}

fn not_initialised() -> PyErr {
    PyAttributeError::new_err("__init__ of WSConnection was not called")
}

#[pymethods]
impl WSConnection {
    /// Takes any arguments: `__init__` reads them, and that of a subclass may have others.
    #[new]
    #[pyo3(signature = (*_args, **_kwargs), text_signature = "(connection_type, *, config=None)")]
    fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> Self {
        Self { parts: GilCell::new(Parts::default()) }
    }

    #[pyo3(signature = (connection_type, *, config = None))]
    fn __init__(
        slf: &Bound<'_, Self>,
        connection_type: &Bound<'_, PyAny>,
        config: Option<Bound<'_, Config>>,
    ) -> PyResult<()> {
        let handshake = Py::new(slf.py(), H11Handshake::with_type(connection_type, config)?)?;
        let fresh = Parts { handshake: Some(handshake), ..Parts::default() };
        let old = std::mem::replace(&mut *Self::parts(slf)?, fresh);
        drop(old);
        alloc::drop_empty_dict(slf);
        Ok(())
    }

    /// Whether this is the client's end.
    #[getter]
    fn client(slf: &Bound<'_, Self>) -> PyResult<bool> {
        guarded(slf, || H11Handshake::is_client(&Self::opening(slf)?))
    }

    /// The opening handshake.
    #[getter]
    fn handshake<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, H11Handshake>> {
        guarded(slf, || Self::opening(slf))
    }

    /// The connection, None until the handshake is done.
    #[getter]
    fn connection(slf: &Bound<'_, Self>) -> PyResult<Option<Py<PyAny>>> {
        guarded(slf, || {
            Self::opening(slf)?;
            Ok(Self::parts(slf)?.connection.as_ref().map(|it| it.clone_ref(slf.py())))
        })
    }

    #[setter]
    fn set_connection(slf: &Bound<'_, Self>, connection: Option<Py<PyAny>>) -> PyResult<()> {
        let replace =
            || Ok::<_, PyErr>(std::mem::replace(&mut Self::parts(slf)?.connection, connection));
        let old = guarded(slf, replace)?;
        drop(old);
        Ok(())
    }

    /// Where the connection stands, a `ConnectionState`.
    #[getter]
    fn state(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
        guarded(slf, || match Self::worker(slf)? {
            Worker::Usual(connection) => Ok(connection.getattr("state")?.unbind()),
            Worker::Other(connection) => Ok(connection.getattr("state")?.unbind()),
            Worker::Opening(handshake) => H11Handshake::public_state(&handshake),
        })
    }

    /// Takes a request that an HTTP server has parsed already; a server's end only.
    ///
    /// Args:
    ///     headers: pairs of name and value, bytes or ASCII str.
    ///     path: the request target.
    ///
    /// Raises:
    ///     RemoteProtocolError: the request breaks a rule of RFC 6455 §4.2.1.
    ///     LocalProtocolError: this is a client, or there was a request before.
    fn initiate_upgrade_connection(
        slf: &Bound<'_, Self>,
        headers: &Bound<'_, PyAny>,
        path: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        guarded(slf, || H11Handshake::upgrade(&Self::opening(slf)?, headers, path))
    }

    /// Returns the bytes that tell the peer of `event`.
    ///
    /// Args:
    ///     event: during the handshake Request, AcceptConnection, RejectConnection or RejectData, then
    ///         TextMessage, BytesMessage, Ping, Pong or CloseConnection.
    ///     compress: whether to compress the message that the event begins, where that was agreed; None
    ///         leaves it to the extension.
    ///
    /// Raises:
    ///     LocalProtocolError: the event cannot be sent now, or not as it is. Nothing has changed then.
    ///     TypeError: a field has the wrong type, or text and bytes meet in one message.
    #[pyo3(signature = (event, *, compress = None))]
    fn send<'py>(
        slf: &Bound<'py, Self>,
        event: &Bound<'py, PyAny>,
        compress: Option<bool>,
    ) -> PyResult<Bound<'py, PyAny>> {
        guarded(slf, || Self::send_event(slf, event, compress))
    }

    /// See `Connection.send_text`.
    #[pyo3(signature = (*args, **kwargs), text_signature = "($self, text, message_finished=True, *, compress=None)")]
    fn send_text<'py>(
        slf: &Bound<'py, Self>,
        args: &Bound<'py, PyTuple>,
        kwargs: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        Self::delegate(slf, ("send_text", "TextMessage"), args, kwargs)
    }

    /// See `Connection.send_bytes`.
    #[pyo3(signature = (*args, **kwargs), text_signature = "($self, data, message_finished=True, *, compress=None)")]
    fn send_bytes<'py>(
        slf: &Bound<'py, Self>,
        args: &Bound<'py, PyTuple>,
        kwargs: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        Self::delegate(slf, ("send_bytes", "BytesMessage"), args, kwargs)
    }

    /// See `Connection.ping`.
    #[pyo3(signature = (*args, **kwargs), text_signature = "($self, payload=b'')")]
    fn ping<'py>(
        slf: &Bound<'py, Self>,
        args: &Bound<'py, PyTuple>,
        kwargs: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        Self::delegate(slf, ("ping", "Ping"), args, kwargs)
    }

    /// See `Connection.pong`.
    #[pyo3(signature = (*args, **kwargs), text_signature = "($self, payload=b'')")]
    fn pong<'py>(
        slf: &Bound<'py, Self>,
        args: &Bound<'py, PyTuple>,
        kwargs: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        Self::delegate(slf, ("pong", "Pong"), args, kwargs)
    }

    /// See `Connection.close`.
    #[pyo3(signature = (*args, **kwargs), text_signature = "($self, code=1000, reason=None)")]
    fn close<'py>(
        slf: &Bound<'py, Self>,
        args: &Bound<'py, PyTuple>,
        kwargs: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        Self::delegate(slf, ("close", "CloseConnection"), args, kwargs)
    }

    /// See `Connection.send_all`.
    #[pyo3(signature = (*args, **kwargs), text_signature = "($self, events)")]
    fn send_all<'py>(
        slf: &Bound<'py, Self>,
        args: &Bound<'py, PyTuple>,
        kwargs: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        Self::delegate(slf, ("send_all", "Event"), args, kwargs)
    }

    /// See `Connection.send_parts`.
    #[pyo3(signature = (*args, **kwargs), text_signature = "($self, event, *, compress=None)")]
    fn send_parts<'py>(
        slf: &Bound<'py, Self>,
        args: &Bound<'py, PyTuple>,
        kwargs: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        Self::delegate(slf, ("send_parts", "Event"), args, kwargs)
    }

    /// Takes bytes that the peer sent, and returns all the events that they bring.
    ///
    /// Args:
    ///     data: any number of bytes, cut anywhere; None when the stream has ended.
    ///
    /// Raises:
    ///     RemoteProtocolError, LocalProtocolError: as `receive_data`.
    fn receive<'py>(
        slf: &Bound<'py, Self>,
        data: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyList>> {
        guarded(slf, || Self::receive_all(slf, data))
    }

    /// Takes bytes that the peer sent; what they bring comes out of `events()`.
    ///
    /// Args:
    ///     data: any number of bytes, cut anywhere; None when the stream has ended.
    ///
    /// Raises:
    ///     RemoteProtocolError: the peer's part of the handshake breaks a rule. Its `event_hint` is the
    ///         answer that a server may send.
    ///     LocalProtocolError: the connection is closed, and `events()` has not been run to its end.
    fn receive_data(slf: &Bound<'_, Self>, data: &Bound<'_, PyAny>) -> PyResult<()> {
        guarded(slf, || Self::take_data(slf, data))
    }

    /// Iterates over what the peer did. The state changes with the event that changes it; an iterator
    /// that is left keeps nothing back.
    fn events(slf: Bound<'_, Self>) -> PyResult<Py<PyAny>> {
        Self::opening(&slf)?;
        alloc::Iterator::over(&slf)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.parts.traverse(|parts| {
            visit.call(&parts.handshake)?;
            visit.call(&parts.connection)
        })
    }

    fn __clear__(slf: &Bound<'_, Self>) {
        let old = Self::parts(slf).ok().map(|mut parts| std::mem::take(&mut *parts));
        drop(old);
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(PyTypeError::new_err("a connection cannot be copied or pickled"))
    }

    fn __copy__(&self) -> PyResult<()> {
        self.__reduce__()
    }

    fn __deepcopy__(&self, _memo: &Bound<'_, PyAny>) -> PyResult<()> {
        self.__reduce__()
    }
}

/// The methods that are called for every message, in their usual form.
pub mod methods {
    use super::{Bound, Connection, PyAny, PyResult, PyTuple, Python, WSConnection, Worker, alloc};

    alloc::method!(Send, c"send", WSConnection, |slf, event| {
        WSConnection::send_event(slf, event, None)
    });
    alloc::method!(SendText, c"send_text", WSConnection, |slf, text| {
        match WSConnection::worker(slf)? {
            Worker::Usual(connection) => Connection::send_whole_text(&connection, text),
            _ => WSConnection::send_text(slf, &PyTuple::new(slf.py(), [text])?, None),
        }
    });
    alloc::method!(SendBytes, c"send_bytes", WSConnection, |slf, data| {
        match WSConnection::worker(slf)? {
            Worker::Usual(connection) => Connection::send_whole_bytes(&connection, data),
            _ => WSConnection::send_bytes(slf, &PyTuple::new(slf.py(), [data])?, None),
        }
    });
    alloc::method!(Pong, c"pong", WSConnection, |slf, payload| {
        match WSConnection::worker(slf)? {
            Worker::Usual(connection) => Connection::send_whole_pong(&connection, payload),
            _ => WSConnection::pong(slf, &PyTuple::new(slf.py(), [payload])?, None),
        }
    });
    alloc::method!(Receive, c"receive", WSConnection, |slf, data| {
        Ok(WSConnection::receive_all(slf, data)?.into_any())
    });
    alloc::method!(ReceiveData, c"receive_data", WSConnection, |slf, data| {
        WSConnection::take_data(slf, data)?;
        Ok(slf.py().None().into_bound(slf.py()))
    });
    alloc::method!(Events, c"events", WSConnection, |slf| {
        Ok(WSConnection::events(slf.clone())?.into_bound(slf.py()))
    });

    /// Puts them into the class.
    pub fn install(py: Python<'_>) -> PyResult<()> {
        let class = &py.get_type::<WSConnection>();
        alloc::install::<Send, 1>(class)?;
        alloc::install::<SendText, 1>(class)?;
        alloc::install::<SendBytes, 1>(class)?;
        alloc::install::<Pong, 1>(class)?;
        alloc::install::<Receive, 1>(class)?;
        alloc::install::<ReceiveData, 1>(class)?;
        alloc::install::<Events, 0>(class)
    }
}

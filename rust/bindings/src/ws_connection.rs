//! `ws13.WSConnection`: the opening handshake, and the connection that comes of it.

use pyo3::exceptions::{PyAttributeError, PyTypeError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyTuple};

use crate::alloc;
use crate::config::Config;
use crate::connection::Connection;
use crate::handshake::H11Handshake;

/// One end of a WebSocket connection, opening handshake included, RFC 6455.
///
/// Args:
///     connection_type: CLIENT or SERVER.
///     config: limits, and whether messages are given out whole.
#[pyclass(subclass, dict, weakref, module = "ws13")]
pub struct WSConnection {
    /// There from `__init__` on.
    handshake: Option<Py<H11Handshake>>,
    connection: Option<Py<Connection>>,
}

impl WSConnection {
    /// The two ends of the work, each with a reference of its own: nothing stays borrowed.
    #[inline]
    fn parts<'py>(
        slf: &Bound<'py, Self>,
    ) -> PyResult<(Bound<'py, H11Handshake>, Option<Bound<'py, Connection>>)> {
        let this = slf.try_borrow()?;
        let py = slf.py();
        let handshake = this.handshake.as_ref().ok_or_else(not_initialised)?;
        let connection = this.connection.as_ref().map(|connection| connection.bind(py).clone());
        Ok((handshake.bind(py).clone(), connection))
    }

    /// Lets the connection that the handshake has made take over.
    fn adopt(slf: &Bound<'_, Self>, handshake: &Bound<'_, H11Handshake>) -> PyResult<()> {
        let connection = H11Handshake::established(handshake)?;
        if connection.is_some() {
            slf.try_borrow_mut()?.connection = connection;
        }
        Ok(())
    }

    /// The next event of the handshake, then of the connection.
    #[inline]
    pub fn next_event(slf: &Bound<'_, Self>) -> PyResult<Option<Py<PyAny>>> {
        let (handshake, connection) = Self::parts(slf)?;
        if let Some(event) = H11Handshake::next_event(&handshake)? {
            return Ok(Some(event));
        }
        connection.map_or(Ok(None), |connection| Connection::next_event(&connection))
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
    const fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> Self {
        Self { handshake: None, connection: None }
    }

    #[pyo3(signature = (connection_type, *, config = None))]
    fn __init__(
        slf: &Bound<'_, Self>,
        connection_type: &Bound<'_, PyAny>,
        config: Option<Bound<'_, Config>>,
    ) -> PyResult<()> {
        let handshake = Py::new(slf.py(), H11Handshake::with_type(connection_type, config)?)?;
        let mut this = slf.try_borrow_mut()?;
        this.handshake = Some(handshake);
        this.connection = None;
        drop(this);
        alloc::drop_empty_dict(slf);
        Ok(())
    }

    /// Whether this is the client's end.
    #[getter]
    fn client(slf: &Bound<'_, Self>) -> PyResult<bool> {
        let (handshake, _) = Self::parts(slf)?;
        H11Handshake::is_client(&handshake)
    }

    /// The opening handshake.
    #[getter]
    fn handshake<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, H11Handshake>> {
        Ok(Self::parts(slf)?.0)
    }

    /// The connection, None until the handshake is done.
    #[getter]
    fn connection<'py>(slf: &Bound<'py, Self>) -> PyResult<Option<Bound<'py, Connection>>> {
        Ok(Self::parts(slf)?.1)
    }

    #[setter]
    fn set_connection(slf: &Bound<'_, Self>, connection: Option<Py<Connection>>) -> PyResult<()> {
        slf.try_borrow_mut()?.connection = connection;
        Ok(())
    }

    /// Where the connection stands, a `ConnectionState`.
    #[getter]
    fn state(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
        let (handshake, connection) = Self::parts(slf)?;
        match connection {
            Some(connection) => Ok(connection.getattr("state")?.unbind()),
            None => H11Handshake::public_state(&handshake),
        }
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
        let (handshake, _) = Self::parts(slf)?;
        H11Handshake::upgrade(&handshake, headers, path)
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
    ) -> PyResult<Bound<'py, PyBytes>> {
        let (handshake, connection) = Self::parts(slf)?;
        match connection {
            Some(connection) if Connection::is_customised(&connection)? => {
                let options = PyDict::new(slf.py());
                if let Some(compress) = compress {
                    options.set_item("compress", compress)?;
                }
                Ok(connection.call_method("send", (event,), Some(&options))?.cast_into()?)
            }
            Some(connection) => Connection::send_event(&connection, event, compress),
            None => {
                let bytes = H11Handshake::send_event(&handshake, event)?;
                Self::adopt(slf, &handshake)?;
                Ok(bytes)
            }
        }
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
        let (handshake, connection) = Self::parts(slf)?;
        match connection {
            Some(connection) if Connection::is_customised(&connection)? => {
                connection.call_method1("receive_data", (data,)).map(drop)
            }
            Some(connection) => Connection::take_data(&connection, data),
            None => {
                H11Handshake::receive(&handshake, data)?;
                Self::adopt(slf, &handshake)
            }
        }
    }

    /// Iterates over what the peer did. The state changes with the event that changes it; an iterator
    /// that is left keeps nothing back.
    fn events(slf: Bound<'_, Self>) -> PyResult<Py<PyAny>> {
        let (handshake, connection) = Self::parts(&slf)?;
        if let Some(connection) = connection
            && Connection::is_customised(&connection)?
        {
            let events = (handshake.call_method0("events")?, connection.call_method0("events")?);
            let chain = slf.py().import("itertools")?.getattr("chain")?;
            return Ok(chain.call1(events)?.unbind());
        }
        let next: alloc::Next = |source| Self::next_event(source.cast::<Self>()?);
        alloc::Iterator::over(slf.py(), slf.clone().into_any().unbind(), next)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.handshake)?;
        visit.call(&self.connection)
    }

    fn __clear__(&mut self) {
        self.handshake = None;
        self.connection = None;
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

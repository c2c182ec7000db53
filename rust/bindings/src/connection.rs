//! `ws13.connection.Connection`: converts, calls the engine, converts back.
//!
//! Invariant: no Python code runs while a connection is borrowed, except the hooks of an extension that
//! is written in Python. Arguments are converted before, and events need none.

use core::cell::RefMut;

use pyo3::exceptions::PyTypeError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString, PyTuple};
use ws13::{CloseCode, Role};

use crate::alloc::{GilCell, Next, Source};
use crate::config::Config;
use crate::events::{CloseConnection, EventClass};
use crate::guarded::{Fail, guarded};
use crate::inner::{Fate, Inner};
use crate::outgoing::{self, Given, framing};
use crate::taken::Taken;
use crate::{alloc, buffers, inject, names};

/// One end of an open WebSocket connection, RFC 6455 §5 to §8.
///
/// Args:
///     connection_type: CLIENT or SERVER.
///     extensions: the extensions that were negotiated; those not enabled are left out.
///     trailing_data: bytes that came behind the opening handshake.
///     config: limits, and whether messages are given out whole.
#[pyclass(subclass, frozen, dict, weakref, module = "ws13.connection")]
pub struct Connection {
    pub(crate) inner: GilCell<Inner>,
}

/// The methods that a program may replace on one object.
const METHODS: [&str; 11] = [
    "send",
    "send_text",
    "send_bytes",
    "send_all",
    "send_parts",
    "ping",
    "pong",
    "close",
    "receive",
    "receive_data",
    "events",
];

impl Connection {
    /// An open connection.
    pub fn open(
        py: Python<'_>,
        role: Role,
        extensions: Option<&Bound<'_, PyAny>>,
        early_data: &[u8],
        config: Option<&Config>,
    ) -> PyResult<Self> {
        let inner = Inner::open(py, role, extensions, early_data, config)?;
        Ok(Self { inner: GilCell::new(inner) })
    }

    #[inline]
    pub(crate) fn inner<'a>(slf: &'a Bound<'_, Self>) -> PyResult<RefMut<'a, Inner>> {
        let inner = slf.get().inner.borrow_mut(slf.py());
        inject::point();
        inner
    }

    /// Does `work` with what the connection holds.
    fn with<T>(slf: &Bound<'_, Self>, work: impl FnOnce(&mut Inner) -> T) -> PyResult<T> {
        guarded(slf, || Ok(work(&mut *Self::inner(slf)?)))
    }

    /// Whether a `WSConnection` has to go through the object's attributes, as methods may be others.
    #[inline]
    pub fn has_replaced_methods(slf: &Bound<'_, Self>) -> PyResult<bool> {
        Ok(Self::inner(slf)?.replaced)
    }

    /// See `receive_data` below.
    #[inline]
    pub fn take_data(slf: &Bound<'_, Self>, data: &Bound<'_, PyAny>) -> PyResult<()> {
        if data.is_none() {
            Self::inner(slf)?.take_end(slf.py());
            return Ok(());
        }
        let data = buffers::owned(data)?;
        let mut this = Self::inner(slf)?;
        match this.take_data(data) {
            Fate::Taken | Fate::Discarded => Ok(()),
            Fate::Refused => Err(already_closed(slf.py())),
        }
    }

    /// See `receive` below.
    #[inline]
    pub fn receive_all<'py>(
        slf: &Bound<'py, Self>,
        data: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyList>> {
        let data = if data.is_none() { None } else { Some(buffers::owned(data)?) };
        let taken = alloc::list(slf.py(), |events| Self::take_all(slf, data, events));
        match taken.inspect_err(|_| Self::fail(slf))? {
            (events, Ok(())) => Ok(events),
            (events, Err(error)) if events.is_empty() => Err(error),
            (events, Err(error)) => Err(Self::put_back(slf, events, error)),
        }
    }

    /// Takes data, or the end of it, and adds all events to `events`.
    #[inline]
    fn take_all(
        slf: &Bound<'_, Self>,
        data: Option<Bound<'_, PyBytes>>,
        events: &mut Vec<Py<PyAny>>,
    ) -> PyResult<()> {
        let py = slf.py();
        let mut this = Self::inner(slf)?;
        match data {
            None => this.take_end(py),
            Some(data) => {
                if this.take_data(data) == Fate::Refused {
                    return Err(already_closed(py));
                }
            }
        }
        if this.rare.as_ref().is_some_and(|rare| rare.injected.is_some()) {
            drop(this);
            while let Next::Event(event) = Self::next(slf)? {
                events.push(event);
            }
            return Ok(());
        }
        while let Taken::Close(close) = this.take(py, Some(events))? {
            drop(this);
            events.push(close_event(py, &close)?);
            this = Self::inner(slf)?;
        }
        Ok(())
    }

    /// Keeps events that were taken, but not given out, when an error comes: the next call gives them.
    #[cold]
    pub fn put_back(slf: &Bound<'_, Self>, events: Bound<'_, PyList>, error: PyErr) -> PyErr {
        let extended = Self::injected(slf)
            .and_then(|queue| queue.call_method1(slf.py(), "extend", (events,)).map(drop));
        extended.err().unwrap_or(error)
    }
}

impl Fail for Connection {
    fn fail(slf: &Bound<'_, Self>) {
        if let Some(mut inner) = slf.get().inner.try_borrow_mut(slf.py()) {
            inner.give_up();
        }
    }
}

impl Source for Connection {
    #[inline]
    fn next(slf: &Bound<'_, Self>) -> PyResult<Next> {
        let py = slf.py();
        let mut this = Self::inner(slf)?;
        if let Some(queue) = this.rare.as_ref().and_then(|rare| rare.injected.as_ref()) {
            let queue = queue.bind(py).clone();
            drop(this);
            if queue.len()? > 0 {
                return Ok(Next::Event(queue.call_method0("popleft")?.unbind()));
            }
            this = Self::inner(slf)?;
        }
        let taken = this.take(py, None)?;
        // The members of an enum are looked up by Python code: not while the connection is borrowed.
        drop(this);
        match taken {
            Taken::Event(event) => Ok(Next::Event(event)),
            Taken::Close(close) => close_event(py, &close).map(Next::Event),
            Taken::NoEvent | Taken::Nothing => Ok(Next::Nothing),
        }
    }
}

#[cold]
fn already_closed(py: Python<'_>) -> PyErr {
    names::local_error(py, "Connection already closed.")
}

#[cold]
fn close_event(
    py: Python<'_>,
    (code, reason): &(CloseCode, Option<String>),
) -> PyResult<Py<PyAny>> {
    let reason = match reason {
        Some(reason) => alloc::string(py, reason)?.into_any().unbind(),
        None => py.None(),
    };
    Ok(CloseConnection::object(py, [names::close_reason(py, *code)?, reason])?)
}

#[pymethods]
impl Connection {
    /// Takes any arguments: `__init__` reads them, and that of a subclass may have others.
    #[new]
    #[pyo3(signature = (*_args, **_kwargs),
        text_signature = "(connection_type, extensions=None, trailing_data=b'', *, config=None)")]
    fn new(
        py: Python<'_>,
        _args: &Bound<'_, PyTuple>,
        _kwargs: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        Self::open(py, Role::Server, None, &[], None)
    }

    #[pyo3(signature = (connection_type, extensions = None, trailing_data = None, *, config = None))]
    fn __init__(
        slf: &Bound<'_, Self>,
        connection_type: &Bound<'_, PyAny>,
        extensions: Option<&Bound<'_, PyAny>>,
        trailing_data: Option<&Bound<'_, PyAny>>,
        config: Option<&Bound<'_, Config>>,
    ) -> PyResult<()> {
        let role = names::role(connection_type)?;
        let early_data = trailing_data.map(buffers::bytes).transpose()?.unwrap_or_default();
        let config = config.map(Bound::get);
        let fresh = Self::open(slf.py(), role, extensions, &early_data, config)?;
        let mut fresh = fresh.inner.into_inner();
        let mut this = Self::inner(slf)?;
        fresh.replaced = this.replaced;
        let old = std::mem::replace(&mut *this, fresh);
        drop(this);
        drop(old);
        alloc::drop_empty_dict(slf);
        Ok(())
    }

    /// Whether this is the client's end.
    #[getter]
    fn client(slf: &Bound<'_, Self>) -> PyResult<bool> {
        Self::with(slf, |this| this.engine.role() == Role::Client)
    }

    /// Where the connection stands, a `ConnectionState`.
    #[getter]
    fn state(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
        let state = Self::with(slf, |this| this.engine.state())?;
        names::state(slf.py(), state)
    }

    #[getter(_state)]
    fn private_state(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
        Self::state(slf)
    }

    #[setter(_state)]
    fn set_private_state(slf: &Bound<'_, Self>, state: &Bound<'_, PyAny>) -> PyResult<()> {
        let state = names::state_from(state)?;
        Self::with(slf, |this| this.engine.set_state(state))
    }

    /// Events that `events()` gives out first: a `deque`.
    #[getter(_events)]
    fn injected(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
        let py = slf.py();
        let known = Self::with(slf, |this| {
            this.rare.as_ref()?.injected.as_ref().map(|queue| queue.clone_ref(py))
        })?;
        if let Some(queue) = known {
            return Ok(queue);
        }
        let made = py.import("collections")?.getattr("deque")?.call0()?.unbind();
        Self::set_injected(slf, made.clone_ref(py))?;
        Ok(made)
    }

    #[setter(_events)]
    fn set_injected(slf: &Bound<'_, Self>, queue: Py<PyAny>) -> PyResult<()> {
        let old =
            Self::with(slf, |this| this.rare.get_or_insert_default().injected.replace(queue))?;
        drop(old);
        Ok(())
    }

    /// Returns the bytes that tell the peer of `event`.
    ///
    /// Args:
    ///     event: a TextMessage, BytesMessage, Ping, Pong or CloseConnection.
    ///     compress: whether to compress the message that the event begins, where that was agreed; None
    ///         leaves it to the extension.
    ///
    /// Raises:
    ///     LocalProtocolError: the event cannot be sent now, or not as it is (RFC 6455 §5.5, §7.4).
    ///         Nothing has changed then.
    ///     TypeError: a field has the wrong type, or text and bytes meet in one message.
    #[pyo3(signature = (event, *, compress = None))]
    fn send<'py>(
        slf: &Bound<'py, Self>,
        event: &Bound<'py, PyAny>,
        compress: Option<bool>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        guarded(slf, || Self::send_event(slf, event, compress))
    }

    /// Returns a text message, or a piece of one, as `send` does for a `TextMessage`.
    #[pyo3(signature = (text, message_finished = true, *, compress = None))]
    fn send_text<'py>(
        slf: &Bound<'py, Self>,
        text: &Bound<'py, PyString>,
        message_finished: bool,
        compress: Option<bool>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        guarded(slf, || Self::send_str(slf, text, framing(message_finished, compress)))
    }

    /// Returns a binary message, or a piece of one, as `send` does for a `BytesMessage`.
    #[pyo3(signature = (data, message_finished = true, *, compress = None))]
    fn send_bytes<'py>(
        slf: &Bound<'py, Self>,
        data: &Bound<'py, PyAny>,
        message_finished: bool,
        compress: Option<bool>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        guarded(slf, || Self::send_buffer(slf, data, framing(message_finished, compress)))
    }

    /// Returns a Close frame, as `send` does for a `CloseConnection`.
    #[pyo3(signature = (code = Given(None), reason = None),
        text_signature = "($self, code=1000, reason=None)")]
    fn close<'py>(
        slf: &Bound<'py, Self>,
        code: Given<'py>,
        reason: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        guarded(slf, || {
            let (code, reason) = outgoing::close(code.0.as_ref(), reason)?;
            Self::send_directly(slf, "CloseConnection", |engine, key| {
                engine.send_close(code, reason, || key)
            })
        })
    }

    /// Returns the bytes that tell the peer of all `events`, one behind the other, as `send` does for
    /// each. If one of them is refused, what was made of those before it comes with the next call that
    /// sends, or with `send_all(())`.
    fn send_all<'py>(
        slf: &Bound<'py, Self>,
        events: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        guarded(slf, || Self::send_each(slf, events))
    }

    /// Returns header and payload of the frame that tells the peer of `event`: what `send` returns, in
    /// two parts, for `writelines` and `sendmsg`. A payload that goes out as it is, a server's that is
    /// not compressed, is the object that was given, if that is `bytes`, and is not copied.
    ///
    /// Args:
    ///     event: an event, or `bytes` for a binary message.
    ///     compress: as for `send`.
    #[pyo3(signature = (event, *, compress = None))]
    fn send_parts<'py>(
        slf: &Bound<'py, Self>,
        event: &Bound<'py, PyAny>,
        compress: Option<bool>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        guarded(slf, || Self::send_in_parts(slf, event, compress))
    }

    /// Returns a Ping frame, as `send` does for a `Ping`.
    #[pyo3(signature = (payload = Given(None)), text_signature = "($self, payload=b'')")]
    fn ping<'py>(slf: &Bound<'py, Self>, payload: Given<'py>) -> PyResult<Bound<'py, PyBytes>> {
        guarded(slf, || {
            let payload = payload.0.as_ref().map(buffers::bytes).transpose()?.unwrap_or_default();
            Self::send_directly(slf, "Ping", |engine, key| engine.send_ping(&payload, || key))
        })
    }

    /// Returns a Pong frame, as `send` does for a `Pong`.
    #[pyo3(signature = (payload = Given(None)), text_signature = "($self, payload=b'')")]
    fn pong<'py>(slf: &Bound<'py, Self>, payload: Given<'py>) -> PyResult<Bound<'py, PyBytes>> {
        guarded(slf, || {
            let payload = payload.0.as_ref().map(buffers::bytes).transpose()?.unwrap_or_default();
            Self::send_directly(slf, "Pong", |engine, key| engine.send_pong(&payload, || key))
        })
    }

    /// Takes bytes that the peer sent, and returns all the events that they bring.
    ///
    /// Args:
    ///     data: any number of bytes, cut anywhere; None when the stream has ended (RFC 6455 §7.1.5).
    ///
    /// Raises:
    ///     LocalProtocolError: the connection is closed, and `events()` has not been run to its end.
    fn receive<'py>(
        slf: &Bound<'py, Self>,
        data: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyList>> {
        guarded(slf, || Self::receive_all(slf, data))
    }

    /// Takes bytes that the peer sent; what they bring comes out of `events()`.
    ///
    /// Args:
    ///     data: any number of bytes, cut anywhere; None when the stream has ended (RFC 6455 §7.1.5).
    ///
    /// Raises:
    ///     LocalProtocolError: the connection is closed, and `events()` has not been run to its end.
    fn receive_data(slf: &Bound<'_, Self>, data: &Bound<'_, PyAny>) -> PyResult<()> {
        guarded(slf, || Self::take_data(slf, data))
    }

    /// Iterates over what the peer did. The state changes with the event that changes it; an iterator
    /// that is left keeps nothing back.
    fn events(slf: Bound<'_, Self>) -> PyResult<Py<PyAny>> {
        alloc::Iterator::over(&slf)
    }

    fn __setattr__(
        slf: &Bound<'_, Self>,
        name: &Bound<'_, PyString>,
        value: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        if name.to_str().is_ok_and(|name| METHODS.contains(&name)) {
            Self::with(slf, |this| this.replaced = true)?;
        }
        alloc::set_attribute(slf.as_any(), name, Some(value))
    }

    fn __delattr__(slf: &Bound<'_, Self>, name: &Bound<'_, PyString>) -> PyResult<()> {
        alloc::set_attribute(slf.as_any(), name, None)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.inner.traverse(|inner| match &inner.rare {
            Some(rare) => visit.call(&rare.injected),
            None => Ok(()),
        })
    }

    fn __clear__(slf: &Bound<'_, Self>) {
        // A connection that is in use is not garbage. What it held is dropped when it is free again.
        let injected = Self::inner(slf)
            .ok()
            .and_then(|mut inner| inner.rare.as_mut().and_then(|rare| rare.injected.take()));
        drop(injected);
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
    use super::{Bound, Connection, PyAny, PyResult, Python, alloc};

    alloc::method!(Send, c"send", Connection, |slf, event| {
        Ok(Connection::send_event(slf, event, None)?.into_any())
    });
    alloc::method!(SendText, c"send_text", Connection, |slf, text| {
        Connection::send_whole_text(slf, text)
    });
    alloc::method!(SendBytes, c"send_bytes", Connection, |slf, data| {
        Connection::send_whole_bytes(slf, data)
    });
    alloc::method!(SendParts, c"send_parts", Connection, |slf, event| {
        Ok(Connection::send_in_parts(slf, event, None)?.into_any())
    });
    alloc::method!(Pong, c"pong", Connection, |slf, payload| {
        Connection::send_whole_pong(slf, payload)
    });
    alloc::method!(Receive, c"receive", Connection, |slf, data| {
        Ok(Connection::receive_all(slf, data)?.into_any())
    });
    alloc::method!(ReceiveData, c"receive_data", Connection, |slf, data| {
        Connection::take_data(slf, data)?;
        Ok(slf.py().None().into_bound(slf.py()))
    });
    alloc::method!(Events, c"events", Connection, |slf| {
        Ok(Connection::events(slf.clone())?.into_bound(slf.py()))
    });

    /// Puts them into the class.
    pub fn install(py: Python<'_>) -> PyResult<()> {
        let class = &py.get_type::<Connection>();
        alloc::install::<Send, 1>(class)?;
        alloc::install::<SendText, 1>(class)?;
        alloc::install::<SendBytes, 1>(class)?;
        alloc::install::<SendParts, 1>(class)?;
        alloc::install::<Pong, 1>(class)?;
        alloc::install::<Receive, 1>(class)?;
        alloc::install::<ReceiveData, 1>(class)?;
        alloc::install::<Events, 0>(class)
    }
}

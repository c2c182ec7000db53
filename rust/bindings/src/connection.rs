//! `ws13.connection.Connection`: converts, calls the engine, converts back.
//!
//! Invariant: no Python code runs while a connection is borrowed, except the hooks of an extension that
//! is written in Python. Arguments are converted before, and events need none.

use core::cell::RefMut;

use pyo3::exceptions::PyTypeError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyInt, PyString, PyTuple};
use ws13::{CloseCode, Decoded, Event, Fin, Misuse, Role, State};

use crate::alloc::GilCell;
use crate::buffers::{self, Data};
use crate::events::{BytesMessage, CloseConnection, EventClass, Message, Ping, Pong, TextMessage};
use crate::extensions::{self, Raised};
use crate::input::Input;
use crate::{alloc, entropy, errors, names};

/// One end of an open WebSocket connection, RFC 6455 §5 to §8.
///
/// Args:
///     connection_type: CLIENT or SERVER.
///     extensions: the extensions that were negotiated; those not enabled are left out.
///     trailing_data: bytes that came behind the opening handshake.
#[pyclass(subclass, frozen, dict, weakref, module = "ws13.connection")]
pub struct Connection {
    inner: GilCell<Inner>,
}

struct Inner {
    engine: ws13::Connection,
    input: Input,
    /// Events that a program wants `events()` to give out first: a `deque`, made when it is asked for.
    injected: Option<Py<PyAny>>,
    /// What a hook of an extension raised.
    raised: Raised,
    stream: Stream,
    /// `events()` has run to its end behind the last event: the program knows that it is over.
    told: bool,
    /// A program has put functions of its own in the place of methods of this object.
    replaced: bool,
}

/// What is known of the byte stream from the peer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stream {
    Open,
    /// It has ended, and what came before has not all been taken.
    Ended,
    /// It has ended without a closing handshake, which is the next and last event.
    Abnormal,
    /// It has ended, and that is dealt with.
    Over,
}

impl Connection {
    /// An open connection.
    pub fn open(
        py: Python<'_>,
        role: Role,
        extensions: Option<&Bound<'_, PyAny>>,
        early_data: &[u8],
    ) -> PyResult<Self> {
        let mut raised = Raised::default();
        let extensions = extensions::enabled(role, extensions, &mut raised)?;
        let mut input = Input::default();
        input.push(PyBytes::new(py, early_data));
        let inner = Inner {
            engine: ws13::Connection::with_extensions(role, extensions),
            input,
            injected: None,
            raised,
            stream: Stream::Open,
            told: false,
            replaced: false,
        };
        Ok(Self { inner: GilCell::new(inner) })
    }

    #[inline]
    fn inner<'a>(slf: &'a Bound<'_, Self>) -> PyResult<RefMut<'a, Inner>> {
        slf.get().inner.borrow_mut(slf.py())
    }

    /// Whether a `WSConnection` has to go through the object's attributes, as methods may be others.
    #[inline]
    pub fn is_customised(slf: &Bound<'_, Self>) -> PyResult<bool> {
        Ok(Self::inner(slf)?.replaced || !slf.is_exact_instance_of::<Self>())
    }

    /// The next event, `None` if there is none for now.
    #[inline]
    pub fn next_event(slf: &Bound<'_, Self>) -> PyResult<Option<Py<PyAny>>> {
        let mut this = Self::inner(slf)?;
        if let Some(queue) = &this.injected {
            let queue = queue.bind(slf.py()).clone();
            drop(this);
            if queue.len()? > 0 {
                return Ok(Some(queue.call_method0("popleft")?.unbind()));
            }
            this = Self::inner(slf)?;
        }
        let taken = this.take_event(slf.py())?;
        // The members of an enum are looked up by Python code: not while the connection is borrowed.
        drop(this);
        match taken {
            Taken::Event(event) => Ok(Some(event)),
            Taken::Close(code, reason) => close_event(slf.py(), code, reason.as_deref()).map(Some),
            Taken::NoText | Taken::Nothing => Ok(None),
        }
    }

    /// See `receive_data` below.
    #[inline]
    pub fn receive(slf: &Bound<'_, Self>, data: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = slf.py();
        if data.is_none() {
            let mut this = Self::inner(slf)?;
            if matches!(this.stream, Stream::Open | Stream::Ended) {
                this.stream = Stream::Ended;
                if this.input.is_empty() && !this.engine.holds_event() {
                    this.receive_eof();
                }
            }
            return Ok(());
        }
        let data = buffers::owned(data)?;
        let mut this = Self::inner(slf)?;
        match (this.engine.state(), this.stream) {
            (State::Closed, _) if this.told => Ok(()),
            // Choice: a program that has left the loop at the last event is told that it is over, as
            // wsproto tells it. One that just reads on is not: RFC 6455 §1.4 has it discard the data.
            (State::Closed, _) => Err(names::local_error(py, "Connection already closed.")),
            (State::Open | State::LocalClosing, Stream::Open) => {
                this.input.push(data);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// See `send` below.
    #[inline]
    pub fn send_event<'py>(
        slf: &Bound<'py, Self>,
        event: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        if let Some([data, _, message_finished]) = Message::fields(event) {
            return Self::send_message(slf, event, data, message_finished);
        }
        if let Some([payload]) = Ping::fields(event) {
            return Self::send_control(slf, event, payload, Opcode::Ping);
        }
        if let Some([payload]) = Pong::fields(event) {
            return Self::send_control(slf, event, payload, Opcode::Pong);
        }
        if let Some([code, reason]) = CloseConnection::fields(event) {
            return Self::send_close(slf, event, code, reason);
        }
        let state = Self::inner(slf)?.engine.state();
        Err(cannot_send(event, state))
    }

    #[inline]
    fn send_message<'py>(
        slf: &Bound<'py, Self>,
        event: &Bound<'py, PyAny>,
        data: &Py<PyAny>,
        message_finished: &Py<PyAny>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let py = slf.py();
        let data = buffers::data(data.bind(py))?;
        let fin = match message_finished.bind(py).is_truthy()? {
            true => Fin::Yes,
            false => Fin::No,
        };
        let mut this = Self::inner(slf)?;
        let key = this.masking_key()?;
        let sent = match &data {
            Data::Text(text) => this.engine.send_text(text, fin, || key),
            Data::Binary(bytes) => this.engine.send_binary(bytes, fin, || key),
        };
        let outcome = (this.raised.take(), this.engine.state());
        drop(this);
        finish(event, sent, outcome)
    }

    fn send_control<'py>(
        slf: &Bound<'py, Self>,
        event: &Bound<'py, PyAny>,
        payload: &Py<PyAny>,
        opcode: Opcode,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let payload = buffers::bytes(payload.bind(slf.py()))?;
        let mut this = Self::inner(slf)?;
        let key = this.masking_key()?;
        let sent = match opcode {
            Opcode::Ping => this.engine.send_ping(&payload, || key),
            Opcode::Pong => this.engine.send_pong(&payload, || key),
        };
        let outcome = (this.raised.take(), this.engine.state());
        drop(this);
        finish(event, sent, outcome)
    }

    fn send_close<'py>(
        slf: &Bound<'py, Self>,
        event: &Bound<'py, PyAny>,
        code: &Py<PyAny>,
        reason: &Py<PyAny>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let py = slf.py();
        let code = close_code(code.bind(py))?;
        let reason = reason.bind(py);
        let reason = match reason.is_none() {
            true => "",
            false => buffers::utf8(reason.cast::<PyString>()?)?,
        };
        let mut this = Self::inner(slf)?;
        let key = this.masking_key()?;
        let sent = this.engine.send_close(code, reason, || key);
        let outcome = (this.raised.take(), this.engine.state());
        drop(this);
        finish(event, sent, outcome)
    }
}

impl Inner {
    #[inline]
    fn take_event(&mut self, py: Python<'_>) -> PyResult<Taken> {
        if self.input.is_empty() && !self.engine.holds_event() {
            return Ok(self.end_event());
        }
        loop {
            let mut rest = self.input.rest(py);
            let event = self.engine.receive(&mut rest);
            let taken = event.map_or(Ok(Taken::Nothing), |event| convert(py, event));
            let left = rest.len();
            self.input.keep_last(py, left);
            if let Some(error) = self.raised.take() {
                return Err(error);
            }
            // Where memory ran out, a piece of the stream is gone with it.
            match taken.inspect_err(|_| self.engine.give_up())? {
                Taken::Nothing => return Ok(self.end_event()),
                Taken::NoText => {}
                taken => return Ok(taken),
            }
        }
    }

    /// What comes when all input is used: perhaps the end.
    #[inline]
    fn end_event(&mut self) -> Taken {
        if self.stream == Stream::Ended {
            self.receive_eof();
        }
        if self.stream == Stream::Abnormal {
            self.stream = Stream::Over;
            return Taken::Close(CloseCode::ABNORMAL_CLOSURE, None);
        }
        self.told = !matches!(self.engine.state(), State::Open | State::LocalClosing);
        Taken::Nothing
    }

    fn receive_eof(&mut self) {
        self.stream = match self.engine.receive_eof() {
            true => Stream::Abnormal,
            false => Stream::Over,
        };
    }

    #[inline]
    fn masking_key(&self) -> PyResult<ws13::MaskingKey> {
        match self.engine.role() {
            Role::Client => entropy::masking_key(),
            Role::Server => Ok([0; 4]),
        }
    }
}

/// Makes the frame, or the exception, when the connection is not borrowed any more: `outcome` is what a
/// hook raised, and the state behind the call.
#[inline]
fn finish<'py>(
    event: &Bound<'py, PyAny>,
    sent: Result<ws13::Sent<'_>, Misuse>,
    outcome: (Option<PyErr>, State),
) -> PyResult<Bound<'py, PyBytes>> {
    match (outcome, sent) {
        ((Some(raised), _), _) => Err(raised),
        (_, Ok(sent)) => alloc::frame(event.py(), &sent),
        ((_, state), Err(Misuse::State(..))) => Err(cannot_send(event, state)),
        (_, Err(misuse)) => Err(errors::misuse(event.py(), &misuse)),
    }
}

#[cold]
fn cannot_send(event: &Bound<'_, PyAny>, state: State) -> PyErr {
    let py = event.py();
    match names::state(py, state).and_then(|state| Ok((event.str()?, state.bind(py).str()?))) {
        Ok((event, state)) => {
            names::local_error(py, format!("Event {event} cannot be sent in state {state}."))
        }
        Err(error) => error,
    }
}

/// What the engine gave out, as Python has it.
enum Taken {
    Event(Py<PyAny>),
    /// The end of the connection: code and reason.
    Close(CloseCode, Option<String>),
    /// A piece of text that is not UTF-8 from its first byte on; the failure comes next.
    NoText,
    Nothing,
}

#[inline]
fn convert(py: Python<'_>, event: Event<'_>) -> PyResult<Taken> {
    let object = match event {
        Event::Binary(piece) => {
            let data = alloc::payload(py, &piece.payload)?.into_any().unbind();
            BytesMessage::received(py, data, piece.ends)
        }
        Event::Text(mut text) => match alloc::ascii(py, &mut text)? {
            Some((text, ends)) => TextMessage::received(py, text.into_any().unbind(), ends),
            None => match text.decode(&mut Vec::new()) {
                Some(Decoded { text, ends }) => {
                    TextMessage::received(py, PyString::new(py, text).into_any().unbind(), ends)
                }
                None => return Ok(Taken::NoText),
            },
        },
        Event::Ping(payload) => {
            Ping::object(py, [alloc::payload(py, &payload)?.into_any().unbind()])
        }
        Event::Pong(payload) => {
            Pong::object(py, [alloc::payload(py, &payload)?.into_any().unbind()])
        }
        Event::Close(code, reason) => return Ok(Taken::Close(code, Some(reason.to_owned()))),
        Event::Failed(violation) => {
            return Ok(Taken::Close(violation.close_code(), Some(violation.to_string())));
        }
    };
    object.map(Taken::Event)
}

#[derive(Clone, Copy)]
enum Opcode {
    Ping,
    Pong,
}

fn close_event(py: Python<'_>, code: CloseCode, reason: Option<&str>) -> PyResult<Py<PyAny>> {
    let reason = match reason {
        Some(reason) => PyString::new(py, reason).into_any().unbind(),
        None => py.None(),
    };
    CloseConnection::object(py, [names::close_reason(py, code)?, reason])
}

/// A close code out of an int or a member of an IntEnum; `None` is a Close frame without one.
fn close_code(code: &Bound<'_, PyAny>) -> PyResult<CloseCode> {
    if code.is_none() {
        return Ok(CloseCode::NO_STATUS_RCVD);
    }
    if !code.is_instance_of::<PyInt>() {
        let message = format!("a close code is an int, not {}", code.get_type().qualname()?);
        return Err(PyTypeError::new_err(message));
    }
    match code.extract::<u16>() {
        Ok(number) if !code.is_instance_of::<PyBool>() => Ok(CloseCode(number)),
        _ => Err(names::local_error(code.py(), format!("close code {code} must not be sent"))),
    }
}

#[pymethods]
impl Connection {
    /// Takes any arguments: `__init__` reads them, and that of a subclass may have others.
    #[new]
    #[pyo3(signature = (*_args, **_kwargs),
        text_signature = "(connection_type, extensions=None, trailing_data=b'')")]
    fn new(
        py: Python<'_>,
        _args: &Bound<'_, PyTuple>,
        _kwargs: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        Self::open(py, Role::Server, None, &[])
    }

    #[pyo3(signature = (connection_type, extensions = None, trailing_data = None))]
    fn __init__(
        slf: &Bound<'_, Self>,
        connection_type: &Bound<'_, PyAny>,
        extensions: Option<&Bound<'_, PyAny>>,
        trailing_data: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let role = names::role(connection_type)?;
        let early_data = trailing_data.map(buffers::bytes).transpose()?.unwrap_or_default();
        let fresh = Self::open(slf.py(), role, extensions, &early_data)?;
        let old = std::mem::replace(&mut *Self::inner(slf)?, fresh.inner.into_inner());
        drop(old);
        Ok(())
    }

    /// Whether this is the client's end.
    #[getter]
    fn client(slf: &Bound<'_, Self>) -> PyResult<bool> {
        Ok(Self::inner(slf)?.engine.role() == Role::Client)
    }

    /// Where the connection stands, a `ConnectionState`.
    #[getter]
    fn state(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
        let state = Self::inner(slf)?.engine.state();
        names::state(slf.py(), state)
    }

    #[getter(_state)]
    fn private_state(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
        Self::state(slf)
    }

    #[setter(_state)]
    fn set_private_state(slf: &Bound<'_, Self>, state: &Bound<'_, PyAny>) -> PyResult<()> {
        let state = names::state_from(state)?;
        Self::inner(slf)?.engine.set_state(state);
        Ok(())
    }

    /// Events that `events()` gives out first: a `deque`.
    #[getter(_events)]
    fn injected(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
        let py = slf.py();
        if Self::inner(slf)?.injected.is_none() {
            let queue = py.import("collections")?.getattr("deque")?.call0()?.unbind();
            Self::inner(slf)?.injected = Some(queue);
        }
        let this = Self::inner(slf)?;
        Ok(this.injected.as_ref().map_or_else(|| py.None(), |queue| queue.clone_ref(py)))
    }

    #[setter(_events)]
    fn set_injected(slf: &Bound<'_, Self>, queue: Py<PyAny>) -> PyResult<()> {
        let old = Self::inner(slf)?.injected.replace(queue);
        drop(old);
        Ok(())
    }

    /// Returns the bytes that tell the peer of `event`.
    ///
    /// Args:
    ///     event: a TextMessage, BytesMessage, Ping, Pong or CloseConnection.
    ///
    /// Raises:
    ///     LocalProtocolError: the event cannot be sent now, or not as it is (RFC 6455 §5.5, §7.4).
    ///         Nothing has changed then.
    ///     TypeError: a field has the wrong type, or text and bytes meet in one message.
    fn send<'py>(
        slf: &Bound<'py, Self>,
        event: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        Self::send_event(slf, event)
    }

    /// Takes bytes that the peer sent; what they bring comes out of `events()`.
    ///
    /// Args:
    ///     data: any number of bytes, cut anywhere; None when the stream has ended (RFC 6455 §7.1.5).
    ///
    /// Raises:
    ///     LocalProtocolError: the connection is closed, and `events()` has not been run to its end.
    fn receive_data(slf: &Bound<'_, Self>, data: &Bound<'_, PyAny>) -> PyResult<()> {
        Self::receive(slf, data)
    }

    /// Iterates over what the peer did. The state changes with the event that changes it; an iterator
    /// that is left keeps nothing back.
    fn events(slf: Bound<'_, Self>) -> PyResult<Py<PyAny>> {
        let next: alloc::Next = |source| Self::next_event(source.cast::<Self>()?);
        alloc::Iterator::over(slf.py(), slf.clone().into_any().unbind(), next)
    }

    fn __setattr__(
        slf: &Bound<'_, Self>,
        name: &Bound<'_, PyString>,
        value: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        if matches!(name.to_str(), Ok("send" | "receive_data" | "events")) {
            Self::inner(slf)?.replaced = true;
        }
        alloc::set_attribute(slf.as_any(), name, Some(value))
    }

    fn __delattr__(slf: &Bound<'_, Self>, name: &Bound<'_, PyString>) -> PyResult<()> {
        alloc::set_attribute(slf.as_any(), name, None)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.inner.traverse(|inner| visit.call(&inner.injected))
    }

    fn __clear__(slf: &Bound<'_, Self>) {
        // A connection that is in use is not garbage. What it held is dropped when it is free again.
        let injected = Self::inner(slf).ok().and_then(|mut inner| inner.injected.take());
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

//! What a connection sends: objects of Python, a frame of the engine, `bytes`.

use std::borrow::Cow;

use pyo3::Borrowed;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyInt, PyString, PyTuple};
use ws13::extension::Compression;
use ws13::{CloseCode, Fin, Framing, Mask, MaskingKey, Misuse, Sent, State};

use crate::buffers::{self, Data};
use crate::events::{CloseConnection, EventClass, Message, Ping, Pong};
use crate::{alloc, names};

/// An argument that can be left out, and that None is a value of.
pub struct Given<'py>(pub Option<Bound<'py, PyAny>>);

impl<'py> FromPyObject<'_, 'py> for Given<'py> {
    type Error = core::convert::Infallible;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> Result<Self, Self::Error> {
        Ok(Self(Some(object.to_owned())))
    }
}

/// What an event sends, its fields read.
pub enum Outgoing<'a> {
    Text(&'a str, Framing),
    Binary(Cow<'a, [u8]>, Framing),
    Ping(Cow<'a, [u8]>),
    Pong(Cow<'a, [u8]>),
    Close(CloseCode, &'a str),
}

impl<'a> Outgoing<'a> {
    /// What an event stands for; `None` if it is of the handshake, or no event.
    #[inline]
    pub fn of(event: &'a Bound<'_, PyAny>, compress: Option<bool>) -> PyResult<Option<Self>> {
        let py = event.py();
        if let Some([data, _, message_finished]) = Message::fields(event) {
            let data = buffers::data(data.bind(py))?;
            let framing = framing(message_finished.bind(py).is_truthy()?, compress);
            return Ok(Some(match data {
                Data::Text(text) => Self::Text(text, framing),
                Data::Binary(bytes) => Self::Binary(bytes, framing),
            }));
        }
        if let Some([payload]) = Ping::fields(event) {
            return Ok(Some(Self::Ping(buffers::bytes(payload.bind(py))?)));
        }
        if let Some([payload]) = Pong::fields(event) {
            return Ok(Some(Self::Pong(buffers::bytes(payload.bind(py))?)));
        }
        if let Some([code, reason]) = CloseConnection::fields(event) {
            let (code, reason) = close(Some(code.bind(py)), Some(reason.bind(py)))?;
            return Ok(Some(Self::Close(code, reason)));
        }
        Ok(None)
    }

    /// Sends it.
    #[inline]
    pub fn send(&self, engine: &mut ws13::Connection, key: MaskingKey) -> Result<Sent<'_>, Misuse> {
        match self {
            Self::Text(text, framing) => engine.send_text(text, *framing, || key),
            Self::Binary(bytes, framing) => engine.send_binary(bytes, *framing, || key),
            Self::Ping(payload) => engine.send_ping(payload, || key),
            Self::Pong(payload) => engine.send_pong(payload, || key),
            Self::Close(code, reason) => engine.send_close(*code, reason, || key),
        }
    }
}

/// The code and reason of a program for a Close frame.
pub fn close<'a>(
    code: Option<&Bound<'_, PyAny>>,
    reason: Option<&'a Bound<'_, PyAny>>,
) -> PyResult<(CloseCode, &'a str)> {
    let code = code.map_or(Ok(CloseCode::NORMAL_CLOSURE), close_code)?;
    let reason = match reason.filter(|reason| !reason.is_none()) {
        Some(reason) => buffers::utf8(reason.cast::<PyString>()?)?,
        None => "",
    };
    Ok((code, reason))
}

/// The frame, behind what was made before, as one `bytes`.
#[inline(always)]
pub fn whole<'py>(
    py: Python<'py>,
    before: &[u8],
    sent: &Sent<'_>,
) -> PyResult<Bound<'py, PyBytes>> {
    Ok(match before {
        [] => alloc::frame(py, sent)?,
        before => alloc::frame_behind(py, before, sent)?,
    })
}

/// Header and payload of the frame of a message whose data is `data`; the header behind what was made
/// before.
#[inline]
pub fn parts<'py>(
    py: Python<'py>,
    before: &[u8],
    sent: &Sent<'_>,
    data: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyTuple>> {
    let header = match before {
        [] => alloc::header(py, sent)?,
        before => alloc::joined(py, &[(before, Mask::NONE), (sent.header(), Mask::NONE)])?,
    };
    let payload = match data.cast_exact::<PyBytes>() {
        Ok(data) if sent.is_verbatim() => data.clone(),
        _ => alloc::payload(py, &sent.payload())?,
    };
    PyTuple::new(py, [header, payload])
}

/// How a program wants a piece of a message to be sent.
#[inline]
pub const fn framing(message_finished: bool, compress: Option<bool>) -> Framing {
    let fin = if message_finished { Fin::Yes } else { Fin::No };
    let compression = match compress {
        None => Compression::Automatic,
        Some(true) => Compression::Always,
        Some(false) => Compression::Never,
    };
    Framing { fin, compression }
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

/// A program has sent what cannot be sent now. `what` is an event, or the name of a method.
#[cold]
pub fn cannot_send(what: &Bound<'_, PyAny>, state: State) -> PyErr {
    let py = what.py();
    match names::state(py, state).and_then(|state| Ok((what.str()?, state.bind(py).str()?))) {
        Ok((what, state)) => {
            names::local_error(py, format!("Event {what} cannot be sent in state {state}."))
        }
        Err(error) => error,
    }
}

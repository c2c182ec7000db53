//! `ws13.Config`: the limits of a connection, checked once.

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyInt, PyString, PyTuple};
use ws13::{HandshakeLimits, Limits};

use crate::inject;

/// What a connection is told when it is made (RFC 6455 §10.4).
///
/// All arguments are keywords. Limits are numbers above 0; None is no limit. Whoever breaks one fails the
/// connection with close code 1009, or the handshake. The default has the events of wsproto: messages
/// come in pieces as they arrive, of any length.
///
/// Args:
///     whole_messages: each message is one event. Without it the pieces are events of their own.
///     max_message_size: bytes of a message, after inflating.
///     max_frame_size: bytes of a frame's payload, before inflating.
///     max_fragments: frames of a message.
///     piece_size: bytes that inflating gives out in one event.
///     max_head_size: bytes of a request's or response's head, RFC 9112 §2.1.
///     max_head_fields: field lines in a head.
///     max_interim_responses: interim (1xx) responses before the final one.
///     max_rejection_body: bytes of the body of a rejection.
///     max_early_data: bytes behind a request that is not answered yet.
///
/// Raises:
///     ValueError: a limit below 1.
///     TypeError: a limit that is no int, or an argument that does not exist.
#[pyclass(frozen, eq, hash, get_all, module = "ws13")]
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Config {
    whole_messages: bool,
    max_message_size: Option<u64>,
    max_frame_size: Option<u64>,
    max_fragments: Option<u64>,
    piece_size: Option<u64>,
    max_head_size: Option<u64>,
    max_head_fields: Option<u64>,
    max_interim_responses: Option<u64>,
    max_rejection_body: Option<u64>,
    max_early_data: Option<u64>,
}

/// The names of the fields, in their order.
const FIELDS: [&str; 10] = [
    "whole_messages",
    "max_message_size",
    "max_frame_size",
    "max_fragments",
    "piece_size",
    "max_head_size",
    "max_head_fields",
    "max_interim_responses",
    "max_rejection_body",
    "max_early_data",
];

impl Default for Config {
    fn default() -> Self {
        let (head, frames) = (HandshakeLimits::DEFAULT, Limits::DEFAULT);
        Self {
            whole_messages: false,
            max_message_size: frames.message,
            max_frame_size: frames.frame,
            max_fragments: frames.fragments,
            piece_size: Some(frames.piece as u64),
            max_head_size: Some(head.head as u64),
            max_head_fields: Some(head.fields as u64),
            max_interim_responses: Some(head.interim_responses as u64),
            max_rejection_body: Some(head.rejection_body),
            max_early_data: Some(head.early_data as u64),
        }
    }
}

/// A limit as the engine has it.
fn size(limit: Option<u64>) -> usize {
    limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX)
}

impl Config {
    pub fn handshake_limits(&self) -> HandshakeLimits {
        HandshakeLimits {
            head: size(self.max_head_size),
            fields: size(self.max_head_fields),
            interim_responses: size(self.max_interim_responses),
            rejection_body: self.max_rejection_body.unwrap_or(u64::MAX),
            early_data: size(self.max_early_data),
        }
    }

    pub fn limits(&self) -> Limits {
        Limits {
            message: self.max_message_size,
            frame: self.max_frame_size,
            fragments: self.max_fragments,
            piece: size(self.piece_size),
        }
    }

    pub const fn has_whole_messages(&self) -> bool {
        self.whole_messages
    }

    fn with(mut self, changes: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        inject::point();
        for (name, value) in changes.into_iter().flatten() {
            self.set(name.cast::<PyString>()?.to_str()?, &value)?;
        }
        Ok(self)
    }

    fn set(&mut self, name: &str, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let place = match name {
            "whole_messages" => {
                self.whole_messages = value
                    .cast::<PyBool>()
                    .map_err(|_| PyTypeError::new_err("whole_messages must be a bool"))?
                    .is_true();
                return Ok(());
            }
            "max_message_size" => &mut self.max_message_size,
            "max_frame_size" => &mut self.max_frame_size,
            "max_fragments" => &mut self.max_fragments,
            "piece_size" => &mut self.piece_size,
            "max_head_size" => &mut self.max_head_size,
            "max_head_fields" => &mut self.max_head_fields,
            "max_interim_responses" => &mut self.max_interim_responses,
            "max_rejection_body" => &mut self.max_rejection_body,
            "max_early_data" => &mut self.max_early_data,
            _ => {
                let message = format!("Config got an unexpected keyword argument '{name}'");
                return Err(PyTypeError::new_err(message));
            }
        };
        *place = limit(name, value)?;
        Ok(())
    }
}

/// A limit as a program gives it.
fn limit(name: &str, value: &Bound<'_, PyAny>) -> PyResult<Option<u64>> {
    if value.is_none() {
        return Ok(None);
    }
    if !value.is_instance_of::<PyInt>() || value.is_instance_of::<PyBool>() {
        let message = format!("{name} must be an int or None, not {}", value.get_type().name()?);
        return Err(PyTypeError::new_err(message));
    }
    // Asked of int itself: a class below it may say what it likes.
    let int = value.py().get_type::<PyInt>();
    if int.call_method1("__le__", (value, 0))?.is_truthy()? {
        return Err(PyValueError::new_err(format!("{name} must be at least 1, or None")));
    }
    // What no message can reach is no limit.
    Ok(Some(value.extract().unwrap_or(u64::MAX)))
}

#[pymethods]
impl Config {
    #[new]
    #[pyo3(signature = (**changes), text_signature = "(*, whole_messages=False, \
        max_message_size=None, max_frame_size=None, max_fragments=None, piece_size=65536, \
        max_head_size=16384, max_head_fields=128, max_interim_responses=16, \
        max_rejection_body=1048576, max_early_data=65536)")]
    fn new(changes: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        Self::default().with(changes)
    }

    /// What suits a server that faces the internet: whole messages of at most 1 MiB in at most 4096
    /// frames; `changes` as for `Config`.
    #[staticmethod]
    #[pyo3(signature = (**changes))]
    fn server(changes: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        Self {
            whole_messages: true,
            max_message_size: Some(1024 * 1024),
            max_fragments: Some(4096),
            ..Self::default()
        }
        .with(changes)
    }

    /// What suits a client that knows its server: whole messages of at most 64 MiB; `changes` as for
    /// `Config`.
    #[staticmethod]
    #[pyo3(signature = (**changes))]
    fn client(changes: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        Self { whole_messages: true, max_message_size: Some(64 * 1024 * 1024), ..Self::default() }
            .with(changes)
    }

    /// The same with `changes`, as `copy.replace` asks for it.
    #[pyo3(signature = (**changes))]
    fn __replace__(&self, changes: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        self.clone().with(changes)
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let mut fields = Vec::new();
        for name in FIELDS {
            fields.push(format!("{name}={}", slf.getattr(name)?.repr()?));
        }
        Ok(format!("Config({})", fields.join(", ")))
    }

    /// Pickles and copies by its arguments.
    fn __getnewargs_ex__<'py>(
        slf: &Bound<'py, Self>,
    ) -> PyResult<(Bound<'py, PyTuple>, Bound<'py, PyDict>)> {
        let arguments = PyDict::new(slf.py());
        for name in FIELDS {
            arguments.set_item(name, slf.getattr(name)?)?;
        }
        Ok((PyTuple::empty(slf.py()), arguments))
    }
}

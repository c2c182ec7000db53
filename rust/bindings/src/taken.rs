//! What the engine gives out, as Python has it: each payload is written here, once, into its object.

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use ws13::{CloseCode, Ends, Event, Text};

use crate::alloc::{self, Raised};
use crate::events::{BytesMessage, EventClass, Ping, Pong, TextMessage};
use crate::whole::Whole;

/// What the engine gave out, as Python has it.
pub enum Taken {
    Event(Py<PyAny>),
    /// The end of the connection: code and reason. Boxed, as it comes once.
    Close(Box<(CloseCode, Option<String>)>),
    /// A piece that is no event of its own: of a message that is given out whole, or of text that is not
    /// UTF-8 from its first byte on. What comes next is one, perhaps.
    NoEvent,
    Nothing,
}

impl Taken {
    /// The end of the connection.
    #[cold]
    pub fn close(code: CloseCode, reason: Option<String>) -> Self {
        Self::Close(Box::new((code, reason)))
    }
}

#[inline(always)]
pub fn convert<'py>(py: Python<'py>, event: Event<'_>) -> Result<Taken, Raised<'py>> {
    match event {
        Event::Binary(piece) => {
            let data = alloc::payload(py, &piece.payload)?.into_any().unbind();
            BytesMessage::received(py, data, piece.ends).map(Taken::Event)
        }
        Event::Text(text) => convert_text(py, text),
        Event::Ping(payload) => {
            Ping::object(py, [alloc::payload(py, &payload)?.into_any().unbind()]).map(Taken::Event)
        }
        Event::Pong(payload) => {
            Pong::object(py, [alloc::payload(py, &payload)?.into_any().unbind()]).map(Taken::Event)
        }
        Event::Close(code, reason) => Ok(Taken::close(code, Some(reason.to_owned()))),
        Event::Failed(violation) => {
            Ok(Taken::close(violation.close_code(), Some(violation.to_string())))
        }
    }
}

#[inline(never)]
fn convert_text<'py>(py: Python<'py>, text: Text<'_>) -> Result<Taken, Raised<'py>> {
    match alloc::received(py, text)? {
        Some((text, ends)) => {
            TextMessage::received(py, text.into_any().unbind(), ends).map(Taken::Event)
        }
        None => Ok(Taken::NoEvent),
    }
}

/// The same where messages are given out whole, of at most `most` bytes.
#[inline(never)]
pub fn convert_whole<'py>(
    py: Python<'py>,
    event: Event<'_>,
    (whole, most): &mut (Whole, usize),
    object: Option<&Py<PyBytes>>,
) -> Result<Taken, Raised<'py>> {
    let whole_message = Ends { frame: true, message: true };
    let object = match event {
        Event::Binary(piece) if whole.is_under_way() || !piece.ends.message => {
            match whole.add_binary(py, &piece, object, *most)? {
                Some(data) => BytesMessage::received(py, data.into_any().unbind(), whole_message)?,
                None => return Ok(Taken::NoEvent),
            }
        }
        Event::Text(piece) => match whole.add_text(py, piece, object, *most)? {
            Some(text) => TextMessage::received(py, text.into_any().unbind(), whole_message)?,
            None => return Ok(Taken::NoEvent),
        },
        Event::Close(..) | Event::Failed(_) => {
            whole.clear(py);
            return convert(py, event);
        }
        other => return convert(py, other),
    };
    Ok(Taken::Event(object))
}

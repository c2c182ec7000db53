//! What the engine gives out, as Python has it: each payload is written here, once, into its object.

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use ws13::{CloseCode, Ends, Event};

use crate::alloc;
use crate::events::{BytesMessage, EventClass, Ping, Pong, TextMessage};
use crate::whole::Whole;

/// What the engine gave out, as Python has it.
pub enum Taken {
    Event(Py<PyAny>),
    /// The end of the connection: code and reason.
    Close(CloseCode, Option<String>),
    /// A piece that is no event of its own: of a message that is given out whole, or of text that is not
    /// UTF-8 from its first byte on. What comes next is one, perhaps.
    NoEvent,
    Nothing,
}

#[inline]
pub fn convert(py: Python<'_>, event: Event<'_>) -> PyResult<Taken> {
    let object = match event {
        Event::Binary(piece) => {
            let data = alloc::payload(py, &piece.payload)?.into_any().unbind();
            BytesMessage::received(py, data, piece.ends)
        }
        Event::Text(text) => match alloc::received(py, text)? {
            Some((text, ends)) => TextMessage::received(py, text.into_any().unbind(), ends),
            None => return Ok(Taken::NoEvent),
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

/// The same where messages are given out whole, of at most `most` bytes.
pub fn convert_whole(
    py: Python<'_>,
    event: Event<'_>,
    (whole, most): &mut (Whole, usize),
    object: Option<&Py<PyBytes>>,
) -> PyResult<Taken> {
    let whole_message = Ends { frame: true, message: true };
    let object = match event {
        Event::Binary(piece) if whole.is_under_way() || !piece.ends.message => {
            match whole.add_binary(py, &piece, object, *most)? {
                Some(data) => BytesMessage::received(py, data.into_any().unbind(), whole_message)?,
                None => return Ok(Taken::NoEvent),
            }
        }
        Event::Text(piece) => match whole.add_text(py, piece)? {
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

//! How a `Connection` sends: arguments, the engine, `bytes`. The methods themselves are in `connection`.
//!
//! Invariant: a frame that cannot be returned has not been sent; see [`Connection::take_back`].

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString, PyTuple};
use ws13::{Framing, Mask, MaskingKey, Misuse, Sending, Sent, State};

use crate::connection::Connection;
use crate::events::{EventClass, Message};
use crate::outgoing::{self, Outgoing, cannot_send, framing};
use crate::{alloc, buffers, errors, inject};

impl Connection {
    /// Lets the engine `send`. `write` makes of the frame, and of what was made before it and not returned,
    /// what is returned; `refuse` says that it cannot be sent in this state.
    #[inline]
    fn send_with<'a, T>(
        slf: &Bound<'_, Self>,
        send: impl FnOnce(&mut ws13::Connection, MaskingKey) -> Result<Sent<'a>, Misuse>,
        write: impl FnOnce(&mut Vec<u8>, &Sent<'_>) -> PyResult<T>,
        refuse: impl FnOnce(State) -> PyErr,
    ) -> PyResult<T> {
        let mut this = Self::inner(slf)?;
        let key = this.masking_key(slf.py())?;
        let before = this.engine.sending();
        let sent = send(&mut this.engine, key);
        let mut unsent = match &mut this.rare {
            None => Vec::new(),
            Some(rare) => match rare.raised.take() {
                Some(raised) => return Err(raised),
                None if sent.is_ok() => std::mem::take(&mut rare.unsent),
                None => Vec::new(),
            },
        };
        let state = this.engine.state();
        // The results are made when the connection is not borrowed any more.
        drop(this);
        match &sent {
            Ok(sent) => {
                inject::point();
                let written = write(&mut unsent, sent);
                if written.is_err() {
                    Self::take_back(slf, before, unsent);
                }
                written
            }
            Err(Misuse::State(..)) => Err(refuse(state)),
            Err(misuse) => Err(errors::misuse(slf.py(), misuse)),
        }
    }

    /// What was sent since `before` cannot be returned, as memory ran out.
    #[cold]
    fn take_back(slf: &Bound<'_, Self>, before: Sending, unsent: Vec<u8>) {
        if let Some(mut inner) = slf.get().inner.try_borrow_mut(slf.py()) {
            inner.engine.take_back(before);
            if !unsent.is_empty() {
                inner.rare.get_or_insert_default().unsent = unsent;
            }
        }
    }

    /// Sends an event; see [`Connection::send_with`].
    #[inline]
    pub(crate) fn send_as<'py, T>(
        slf: &Bound<'py, Self>,
        event: &Bound<'py, PyAny>,
        compress: Option<bool>,
        write: impl FnOnce(&mut Vec<u8>, &Sent<'_>) -> PyResult<T>,
    ) -> PyResult<T> {
        match Outgoing::of(event, compress)? {
            Some(what) => {
                let send = |engine: &mut _, key| what.send(engine, key);
                Self::send_with(slf, send, write, |state| cannot_send(event, state))
            }
            None => {
                let state = Self::inner(slf)?.engine.state();
                Err(cannot_send(event, state))
            }
        }
    }

    /// See `send` there.
    #[inline]
    pub fn send_event<'py>(
        slf: &Bound<'py, Self>,
        event: &Bound<'py, PyAny>,
        compress: Option<bool>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let py = slf.py();
        Self::send_as(slf, event, compress, |before, sent| outgoing::whole(py, before, sent))
    }

    #[inline]
    pub(crate) fn send_str<'py>(
        slf: &Bound<'py, Self>,
        text: &Bound<'py, PyString>,
        framing: Framing,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let text = buffers::utf8(text)?;
        Self::send_directly(slf, "TextMessage", |engine, key| {
            engine.send_text(text, framing, || key)
        })
    }

    #[inline]
    pub(crate) fn send_buffer<'py>(
        slf: &Bound<'py, Self>,
        data: &Bound<'py, PyAny>,
        framing: Framing,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let data = buffers::bytes(data)?;
        Self::send_directly(slf, "BytesMessage", |engine, key| {
            engine.send_binary(&data, framing, || key)
        })
    }

    /// See `send_parts` there.
    #[inline]
    pub(crate) fn send_in_parts<'py>(
        slf: &Bound<'py, Self>,
        event: &Bound<'py, PyAny>,
        compress: Option<bool>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        let py = slf.py();
        if let Ok(data) = event.cast::<PyBytes>() {
            let (bytes, framing) = (data.as_bytes(), framing(true, compress));
            let send =
                |engine: &mut ws13::Connection, key| engine.send_binary(bytes, framing, || key);
            let write =
                |before: &mut Vec<u8>, sent: &Sent<'_>| outgoing::parts(py, before, sent, event);
            return Self::send_with(slf, send, write, |state| cannot_send(event, state));
        }
        let data = Message::fields(event).map_or(event, |[data, ..]| data.bind(py));
        Self::send_as(slf, event, compress, |before, sent| outgoing::parts(py, before, sent, data))
    }

    /// A text message of one frame.
    #[inline]
    pub fn send_whole_text<'py>(
        slf: &Bound<'py, Self>,
        text: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        Ok(Self::send_str(slf, text.cast::<PyString>()?, framing(true, None))?.into_any())
    }

    /// A binary message of one frame.
    #[inline]
    pub fn send_whole_bytes<'py>(
        slf: &Bound<'py, Self>,
        data: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        Ok(Self::send_buffer(slf, data, framing(true, None))?.into_any())
    }

    /// A Pong with this payload.
    #[inline]
    pub fn send_whole_pong<'py>(
        slf: &Bound<'py, Self>,
        payload: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let payload = buffers::bytes(payload)?;
        let send = |engine: &mut ws13::Connection, key| engine.send_pong(&payload, || key);
        Ok(Self::send_directly(slf, "Pong", send)?.into_any())
    }

    /// Sends what an event called `name` would send.
    #[inline]
    pub(crate) fn send_directly<'a, 'py>(
        slf: &Bound<'py, Self>,
        name: &str,
        send: impl FnOnce(&mut ws13::Connection, MaskingKey) -> Result<Sent<'a>, Misuse>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let py = slf.py();
        let write = |before: &mut Vec<u8>, sent: &Sent<'_>| outgoing::whole(py, before, sent);
        Self::send_with(slf, send, write, |state| cannot_send(&PyString::new(py, name), state))
    }

    /// See `send_all` there.
    pub(crate) fn send_each<'py>(
        slf: &Bound<'py, Self>,
        events: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        for event in events.try_iter()? {
            // Kept with the connection meanwhile: an iterator may send something itself, or raise.
            Self::send_as(slf, &event?, None, |unsent, sent| {
                let mut this = Self::inner(slf)?;
                sent.append_to(unsent);
                this.rare.get_or_insert_default().unsent = std::mem::take(unsent);
                Ok(())
            })?;
        }
        let mut this = Self::inner(slf)?;
        let unsent = this.rare.as_mut().map(|rare| std::mem::take(&mut rare.unsent));
        drop(this);
        let unsent = unsent.unwrap_or_default();
        let bytes = alloc::joined(slf.py(), &[(&unsent, Mask::NONE)]);
        if bytes.is_err()
            && let Some(mut this) = slf.get().inner.try_borrow_mut(slf.py())
        {
            this.rare.get_or_insert_default().unsent = unsent;
        }
        Ok(bytes?)
    }
}

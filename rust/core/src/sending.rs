//! Sending: extensions, then header, then mask.

use std::borrow::Cow;

use crate::close::{CloseBody, CloseCode};
use crate::config::Role;
use crate::connection::Connection;
use crate::error::Misuse;
use crate::event::Payload;
use crate::extension::{Compression, Outbound, Refused};
use crate::header::{Header, HeaderBytes, MAX_CONTROL_PAYLOAD, Rsv};
use crate::mask::{Mask, MaskingKey, Slot};
use crate::message::Message;
use crate::opcode::{DataKind, Opcode};
use crate::state::{State, Step};

/// Whether a frame that is sent ends its message, RFC 6455 §5.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fin {
    /// It is the last one.
    Yes,
    /// More frames of the message follow.
    No,
}

/// How to send the piece of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Framing {
    /// Whether the message ends with it.
    pub fin: Fin,
    /// Whether to compress the message, if the piece begins one and compression was agreed.
    pub compression: Compression,
}

impl From<Fin> for Framing {
    fn from(fin: Fin) -> Self {
        Self { fin, compression: Compression::Automatic }
    }
}

/// A frame that was sent, as header and payload; the payload is masked on its way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent<'p> {
    header: HeaderBytes,
    mask: Mask,
    payload: Cow<'p, [u8]>,
}

impl Sent<'_> {
    fn into_owned(self) -> Sent<'static> {
        let Self { header, mask, payload } = self;
        Sent { header, mask, payload: Cow::Owned(payload.into_owned()) }
    }

    /// Length of the frame in bytes.
    #[must_use]
    #[inline]
    #[expect(clippy::len_without_is_empty, reason = "no frame is empty")]
    pub fn len(&self) -> usize {
        self.header.as_bytes().len().saturating_add(self.payload.len())
    }

    /// The bytes of the header.
    #[must_use]
    pub fn header(&self) -> &[u8] {
        self.header.as_bytes()
    }

    /// The payload, and what masks it.
    #[must_use]
    pub fn payload(&self) -> Payload<'_> {
        Payload::new(&self.payload, self.mask)
    }

    /// Whether the payload goes out as it was given: neither masked nor changed by an extension.
    #[must_use]
    pub fn is_verbatim(&self) -> bool {
        self.mask == Mask::NONE && matches!(self.payload, Cow::Borrowed(_))
    }

    /// Writes the frame to `target`, which has room for all of it.
    #[inline(always)]
    pub fn copy_to<S: Slot>(&self, target: &mut [S]) {
        let target = target.get_mut(..self.len()).unwrap_or_default();
        self.header.copy_to(target);
        let payload = target.get_mut(self.header.as_bytes().len()..).unwrap_or_default();
        self.mask.copy(&self.payload, payload);
    }

    /// Appends the frame to `target`.
    pub fn append_to(&self, target: &mut Vec<u8>) {
        target.extend_from_slice(self.header.as_bytes());
        self.mask.append(&self.payload, target);
    }

    /// The frame as a vector.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.len());
        self.append_to(&mut bytes);
        bytes
    }
}

/// Where sending stands, to come back to with [`Connection::take_back`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sending {
    state: State,
    outgoing: Message,
}

impl Connection {
    /// Where sending stands.
    #[must_use]
    #[inline]
    pub const fn sending(&self) -> Sending {
        Sending { state: self.state, outgoing: self.outgoing }
    }

    /// The frame that was sent since `before` was asked for never gets out, as when there is no memory to
    /// write it to: it is as if it had not been sent.
    pub fn take_back(&mut self, before: Sending) {
        self.set_state(before.state);
        self.outgoing = before.outgoing;
        if let Some(chain) = &mut self.extensions {
            chain.outbound_failed();
        }
    }

    /// Sends a text message or a piece of one, as one frame. `key` is asked for a masking key if this
    /// is a client: fresh, and from a strong source of entropy (§5.3).
    ///
    /// # Errors
    /// [`Misuse::State`], and [`Misuse::DataKindChanged`] inside a binary message.
    #[inline]
    pub fn send_text<'p>(
        &mut self,
        text: &'p str,
        framing: impl Into<Framing>,
        key: impl FnOnce() -> MaskingKey,
    ) -> Result<Sent<'p>, Misuse> {
        self.send_data(DataKind::Text, text.as_bytes(), framing.into(), key)
    }

    /// Sends a binary message or a piece of one, as one frame; see [`Connection::send_text`].
    ///
    /// # Errors
    /// [`Misuse::State`], and [`Misuse::DataKindChanged`] inside a text message.
    #[inline]
    pub fn send_binary<'p>(
        &mut self,
        bytes: &'p [u8],
        framing: impl Into<Framing>,
        key: impl FnOnce() -> MaskingKey,
    ) -> Result<Sent<'p>, Misuse> {
        self.send_data(DataKind::Binary, bytes, framing.into(), key)
    }

    #[inline]
    fn send_data<'p>(
        &mut self,
        kind: DataKind,
        payload: &'p [u8],
        framing: Framing,
        key: impl FnOnce() -> MaskingKey,
    ) -> Result<Sent<'p>, Misuse> {
        self.state.check(Step::SendFrame)?;
        let opcode = self.outgoing.next_opcode(kind)?;
        let sent = self.frame(opcode, payload, framing, key)?;
        self.outgoing.sent(kind, framing.fin == Fin::Yes);
        Ok(sent)
    }

    /// Sends a Ping, §5.5.2.
    ///
    /// # Errors
    /// [`Misuse::State`], and [`Misuse::ControlPayloadTooLong`] above 125 bytes.
    pub fn send_ping<'p>(
        &mut self,
        payload: &'p [u8],
        key: impl FnOnce() -> MaskingKey,
    ) -> Result<Sent<'p>, Misuse> {
        self.send_control(Opcode::Ping, payload, key)
    }

    /// Sends a Pong, §5.5.3.
    ///
    /// # Errors
    /// [`Misuse::State`], and [`Misuse::ControlPayloadTooLong`] above 125 bytes.
    pub fn send_pong<'p>(
        &mut self,
        payload: &'p [u8],
        key: impl FnOnce() -> MaskingKey,
    ) -> Result<Sent<'p>, Misuse> {
        self.send_control(Opcode::Pong, payload, key)
    }

    fn send_control<'p>(
        &mut self,
        opcode: Opcode,
        payload: &'p [u8],
        key: impl FnOnce() -> MaskingKey,
    ) -> Result<Sent<'p>, Misuse> {
        self.state.check(Step::SendFrame)?;
        if payload.len() > MAX_CONTROL_PAYLOAD {
            return Err(Misuse::ControlPayloadTooLong(payload.len()));
        }
        self.frame(opcode, payload, Fin::Yes.into(), key)
    }

    /// Sends a Close frame with `code` and `reason`, or the answer to the peer's, §5.5.1. See
    /// [`CloseBody::new`] for codes and reasons that cannot be sent as they are.
    ///
    /// # Errors
    /// [`Misuse::State`] if one was sent before, and the errors of [`CloseBody::new`].
    pub fn send_close(
        &mut self,
        code: CloseCode,
        reason: &str,
        key: impl FnOnce() -> MaskingKey,
    ) -> Result<Sent<'static>, Misuse> {
        self.state.check(Step::SendClose)?;
        let body = CloseBody::new(code, reason)?;
        let sent = self.frame(Opcode::Close, body.as_bytes(), Fin::Yes.into(), key)?.into_owned();
        self.state.take(Step::SendClose)?;
        self.release_extensions();
        Ok(sent)
    }

    /// Extensions, then header, then mask.
    #[inline]
    fn frame<'p>(
        &mut self,
        opcode: Opcode,
        payload: &'p [u8],
        framing: Framing,
        key: impl FnOnce() -> MaskingKey,
    ) -> Result<Sent<'p>, Misuse> {
        let Framing { fin, compression } = framing;
        let mut frame = Outbound { opcode, fin: fin == Fin::Yes, rsv: Rsv::NONE, compression };
        let mut payload = Cow::Borrowed(payload);
        if let Some(chain) = &mut self.extensions {
            chain
                .outbound(&mut frame, &mut payload)
                .map_err(|Refused(code)| Misuse::Extension(code))?;
            if opcode.is_control() && payload.len() > MAX_CONTROL_PAYLOAD {
                chain.outbound_failed();
                return Err(Misuse::ControlPayloadTooLong(payload.len()));
            }
        }
        let masking_key = match self.role {
            Role::Client => Some(key()),
            Role::Server => None,
        };
        let header = Header {
            fin: frame.fin,
            rsv: frame.rsv,
            opcode,
            masking_key,
            payload_length: payload.len() as u64,
        };
        Ok(Sent { header: header.encode(), mask: header.mask(), payload })
    }
}

//! A connection after its opening handshake: the one place where the stages are put in a row.

use std::borrow::Cow;

use crate::close::{self, CloseBody, CloseCode};
use crate::config::Role;
use crate::error::{Misuse, Violation};
use crate::event::{Binary, Ends, Event, Payload, Text};
use crate::extension::{Chain, Extension, Outbound, PIECE, Part, Refused};
use crate::header::{Header, HeaderBytes, MAX_CONTROL_PAYLOAD, PartialHeader, Rsv};
use crate::mask::{Mask, MaskingKey, Slot};
use crate::message::Message;
use crate::opcode::{DataKind, Opcode};
use crate::state::{State, Step};
use crate::utf8::Utf8;

/// One end of an open WebSocket connection, RFC 6455 §5 to §8.
///
/// ```
/// use ws13::{Connection, Event, Fin, Role};
///
/// let mut client = Connection::new(Role::Client);
/// let mut server = Connection::new(Role::Server);
///
/// // A client masks with a fresh key from a strong source; `ws13` has no source of its own.
/// let bytes = client.send_text("hello", Fin::Yes, || [0x37, 0xfa, 0x21, 0x3d]).unwrap().to_vec();
///
/// let mut input = bytes.as_slice();
/// match server.receive(&mut input) {
///     Some(Event::Text(text)) => {
///         assert_eq!(text.decode(&mut Vec::new()).unwrap().text, "hello");
///     }
///     other => panic!("{other:?}"),
/// }
/// assert!(server.receive(&mut input).is_none());
/// ```
#[derive(Debug)]
pub struct Connection {
    role: Role,
    state: State,
    header: PartialHeader,
    /// The frame whose payload is under way.
    frame: Option<Incoming>,
    message: Message,
    utf8: Utf8,
    /// The payload of a control frame that came in several pieces, unmasked; boxed to keep an idle
    /// connection small.
    #[expect(clippy::box_collection, reason = "8 bytes instead of 24 while there is none")]
    control: Option<Box<Vec<u8>>>,
    extensions: Option<Box<Chain>>,
    outgoing: Message,
}

/// A received frame whose payload is under way.
#[derive(Debug, Clone, Copy)]
struct Incoming {
    kind: Kind,
    fin: bool,
    mask: Mask,
    /// Bytes of the payload that have not come yet.
    remaining: u64,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Data(DataKind),
    Control(Opcode),
}

/// Whether a frame that is sent ends its message, RFC 6455 §5.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fin {
    /// It is the last one.
    Yes,
    /// More frames of the message follow.
    No,
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
    #[expect(clippy::len_without_is_empty, reason = "no frame is empty")]
    pub fn len(&self) -> usize {
        self.header.as_bytes().len().saturating_add(self.payload.len())
    }

    /// Writes the frame to `target`, which has room for all of it.
    pub fn copy_to<S: Slot>(&self, target: &mut [S]) {
        let header = self.header.as_bytes();
        Mask::NONE.copy(header, target);
        self.mask.copy(&self.payload, target.get_mut(header.len()..).unwrap_or_default());
    }

    /// The frame as a vector.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        let mut bytes = self.header.as_bytes().to_vec();
        self.mask.append(&self.payload, &mut bytes);
        bytes
    }
}

impl Connection {
    /// A connection whose opening handshake is done, without extensions.
    #[must_use]
    pub const fn new(role: Role) -> Self {
        Self {
            role,
            state: State::Open,
            header: PartialHeader::EMPTY,
            frame: None,
            message: Message::NONE,
            utf8: Utf8::NEW,
            control: None,
            extensions: None,
            outgoing: Message::NONE,
        }
    }

    /// A connection that uses `extensions`, in the order in which they were negotiated.
    #[must_use]
    pub fn with_extensions(role: Role, extensions: Vec<Box<dyn Extension>>) -> Self {
        let mut connection = Self::new(role);
        if !extensions.is_empty() {
            connection.extensions = Some(Box::new(Chain::new(extensions)));
        }
        connection
    }

    /// Which end this is.
    #[must_use]
    pub const fn role(&self) -> Role {
        self.role
    }

    /// Where the connection stands.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    /// Puts the connection into `state`, for callers that know better than the peer and the rules.
    pub fn set_state(&mut self, state: State) {
        self.state = state;
    }

    /// Takes the next event off the beginning of `input`; `None` once all of `input` is used and more
    /// is needed. Bytes behind the peer's Close frame, or behind a violation, are discarded (§1.4,
    /// §5.5.1, §7.1.7). The state changes with the event that changes it.
    ///
    /// Nothing of a data payload is kept: each call gives out what `input` holds of it. What is kept
    /// between calls is an unfinished header, an unfinished control frame and an unfinished code point.
    #[inline]
    pub fn receive<'a, 'i: 'a>(&'a mut self, input: &mut &'i [u8]) -> Option<Event<'a>> {
        if self.state.after(Step::ReceiveFrame).is_none() {
            *input = &[];
            return None;
        }
        if let Some(fault) = self.utf8.take_fault() {
            return Some(self.fail(Violation::TextNotUtf8(fault), input));
        }
        let frame = match self.frame {
            Some(frame) => frame,
            None => match self.begin_frame(input) {
                Ok(Some(frame)) => frame,
                Ok(None) => return None,
                Err(violation) => return Some(self.fail(violation, input)),
            },
        };
        match frame.kind {
            Kind::Data(kind) if self.extensions.is_some() => {
                self.extended_piece(frame, kind, input)
            }
            Kind::Data(kind) => self.data_piece(frame, kind, input),
            Kind::Control(opcode) => self.control_frame(frame, opcode, input),
        }
    }

    /// Whether an event can come without further input: a fault behind a piece of text, or what an
    /// extension still holds.
    #[must_use]
    #[inline]
    pub fn holds_event(&self) -> bool {
        self.utf8.has_fault() || self.extensions.as_ref().is_some_and(|chain| chain.is_busy())
    }

    /// Header, then message: reads a header and checks that the frame may stand here.
    #[inline]
    fn begin_frame(&mut self, input: &mut &[u8]) -> Result<Option<Incoming>, Violation> {
        let claimed = self.extensions.as_ref().map_or(Rsv::NONE, |chain| chain.claims());
        let Some(header) = self.header.take(input, self.role, claimed)? else {
            return Ok(None);
        };
        if let Some(chain) = &mut self.extensions {
            let unknown = chain.inbound_header(&header).map_err(refused)?;
            if unknown != Rsv::NONE {
                return Err(Violation::ReservedBits(unknown.bits()));
            }
        }
        let kind = if header.opcode.is_control() {
            self.control = None;
            Kind::Control(header.opcode)
        } else {
            if header.opcode == Opcode::Text {
                self.utf8.reset();
            }
            Kind::Data(self.message.receive(header.opcode)?)
        };
        Ok(Some(Incoming {
            kind,
            fin: header.fin,
            mask: header.mask(),
            remaining: header.payload_length,
        }))
    }

    /// Takes what `input` holds of the frame's payload, at most `most` bytes: the payload and
    /// whether the frame ends with it. `None` if there is nothing yet.
    #[inline]
    fn take_payload<'a>(
        &mut self,
        mut frame: Incoming,
        input: &mut &'a [u8],
        most: usize,
    ) -> Option<(Payload<'a>, bool)> {
        let length = usize::try_from(frame.remaining).unwrap_or(usize::MAX).min(most);
        let (bytes, rest) = input.split_at_checked(length).unwrap_or((input, &[]));
        if bytes.is_empty() && frame.remaining > 0 {
            self.frame = Some(frame);
            return None;
        }
        *input = rest;
        let payload = Payload::new(bytes, frame.mask);
        frame.remaining = frame.remaining.saturating_sub(bytes.len() as u64);
        frame.mask = frame.mask.advanced(bytes.len());
        let finished = frame.remaining == 0;
        self.frame = (!finished).then_some(frame);
        Some((payload, finished))
    }

    #[inline]
    fn data_piece<'a, 'i: 'a>(
        &'a mut self,
        frame: Incoming,
        kind: DataKind,
        input: &mut &'i [u8],
    ) -> Option<Event<'a>> {
        let (payload, finished) = self.take_payload(frame, input, usize::MAX)?;
        let ends = Ends { frame: finished, message: finished && frame.fin };
        if ends.message {
            self.message.finish();
        }
        Some(lend(kind, payload, ends, &mut self.utf8))
    }

    /// The way of a data payload through the extensions.
    fn extended_piece<'a, 'i: 'a>(
        &'a mut self,
        frame: Incoming,
        kind: DataKind,
        input: &mut &'i [u8],
    ) -> Option<Event<'a>> {
        let idle = !self.extensions.as_ref()?.is_busy();
        if idle {
            let (payload, finished) = self.take_payload(frame, input, PIECE)?;
            let part = match (finished, frame.fin) {
                (false, _) => Part::Inside,
                (true, false) => Part::FrameEnd,
                (true, true) => Part::MessageEnd,
            };
            self.extensions.as_mut()?.push(part, |buffer| payload.append_to(buffer));
        }
        let part = match self.extensions.as_mut()?.pull() {
            Ok(part) => part,
            Err(error) => return Some(self.fail(refused(error), input)),
        };
        let ends = Ends { frame: part != Part::Inside, message: part == Part::MessageEnd };
        // The frame is under way until its last piece has left the chain.
        if ends.frame {
            self.frame = None;
        } else if self.frame.is_none() {
            self.frame = Some(Incoming { remaining: 0, ..frame });
        }
        if ends.message {
            self.message.finish();
        }
        let payload = Payload::new(self.extensions.as_ref()?.piece(), Mask::NONE);
        Some(lend(kind, payload, ends, &mut self.utf8))
    }

    /// A control frame is given out whole, §5.5: it is at most 125 bytes long.
    #[inline]
    fn control_frame<'a, 'i: 'a>(
        &'a mut self,
        frame: Incoming,
        opcode: Opcode,
        input: &mut &'i [u8],
    ) -> Option<Event<'a>> {
        let (payload, finished) = self.take_payload(frame, input, MAX_CONTROL_PAYLOAD)?;
        let direct = opcode != Opcode::Close && self.extensions.is_none();
        if finished && self.control.is_none() && direct {
            return Some(control_event(opcode, payload));
        }
        payload.append_to(self.control.get_or_insert_default());
        if !finished {
            return None;
        }
        if let (Some(chain), Some(control)) = (&mut self.extensions, &mut self.control) {
            match chain.whole(std::mem::take(control), MAX_CONTROL_PAYLOAD) {
                Ok(payload) if payload.len() <= MAX_CONTROL_PAYLOAD => **control = payload,
                Ok(_) => return Some(self.fail(Violation::ControlFrameTooLong, input)),
                Err(error) => return Some(self.fail(refused(error), input)),
            }
        }
        if opcode != Opcode::Close {
            let whole = self.control.as_ref()?;
            return Some(control_event(opcode, Payload::new(whole, Mask::NONE)));
        }
        if let Err(violation) = close::parse(self.control.as_ref()?) {
            return Some(self.fail(violation, input));
        }
        self.state.advance(Step::ReceiveClose);
        *input = &[];
        // The first result cannot be kept across `fail`, which borrows everything.
        let (code, reason) = close::parse(self.control.as_ref()?).ok()?;
        Some(Event::Close(code, reason))
    }

    /// Fails the connection for a reason of the caller's own, such as memory that ran out while it took
    /// an event: nothing more is received, and a Close frame may still be sent.
    pub fn give_up(&mut self) {
        self.fail(Violation::Extension(CloseCode::INTERNAL_ERROR), &mut [].as_slice());
    }

    /// _Fail the WebSocket Connection_, §7.1.7: everything that was kept is released.
    #[cold]
    fn fail<'a>(&mut self, violation: Violation, input: &mut &[u8]) -> Event<'a> {
        *input = &[];
        self.state.advance(Step::Fail);
        let closing = self.state;
        *self = Self { state: closing, outgoing: self.outgoing, ..Self::new(self.role) };
        Event::Failed(violation)
    }

    /// The TCP connection ended: tells whether that came as a surprise, in which case the close code
    /// is 1006 (§7.1.5). What was received before must have been taken.
    pub fn receive_eof(&mut self) -> bool {
        let surprised = matches!(self.state, State::Open | State::LocalClosing);
        self.state.advance(Step::ReceiveEof);
        self.control = None;
        surprised
    }

    /// Sends a text message or a piece of one, as one frame. `key` is asked for a masking key if this
    /// is a client: fresh, and from a strong source of entropy (§5.3).
    ///
    /// # Errors
    /// [`Misuse::State`], and [`Misuse::DataKindChanged`] inside a binary message.
    pub fn send_text<'p>(
        &mut self,
        text: &'p str,
        fin: Fin,
        key: impl FnOnce() -> MaskingKey,
    ) -> Result<Sent<'p>, Misuse> {
        self.send_data(DataKind::Text, text.as_bytes(), fin, key)
    }

    /// Sends a binary message or a piece of one, as one frame; see [`Connection::send_text`].
    ///
    /// # Errors
    /// [`Misuse::State`], and [`Misuse::DataKindChanged`] inside a text message.
    pub fn send_binary<'p>(
        &mut self,
        bytes: &'p [u8],
        fin: Fin,
        key: impl FnOnce() -> MaskingKey,
    ) -> Result<Sent<'p>, Misuse> {
        self.send_data(DataKind::Binary, bytes, fin, key)
    }

    #[inline]
    fn send_data<'p>(
        &mut self,
        kind: DataKind,
        payload: &'p [u8],
        fin: Fin,
        key: impl FnOnce() -> MaskingKey,
    ) -> Result<Sent<'p>, Misuse> {
        self.state.check(Step::SendFrame)?;
        let opcode = self.outgoing.next_opcode(kind)?;
        let sent = self.frame(opcode, payload, fin, key)?;
        self.outgoing.sent(kind, fin == Fin::Yes);
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
        self.frame(opcode, payload, Fin::Yes, key)
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
        let sent = self.frame(Opcode::Close, body.as_bytes(), Fin::Yes, key)?.into_owned();
        self.state.take(Step::SendClose)?;
        Ok(sent)
    }

    /// Extensions, then header, then mask.
    #[inline]
    fn frame<'p>(
        &mut self,
        opcode: Opcode,
        payload: &'p [u8],
        fin: Fin,
        key: impl FnOnce() -> MaskingKey,
    ) -> Result<Sent<'p>, Misuse> {
        let mut frame = Outbound { opcode, fin: fin == Fin::Yes, rsv: Rsv::NONE };
        let mut payload = Cow::Borrowed(payload);
        if let Some(chain) = &mut self.extensions {
            chain
                .outbound(&mut frame, payload.to_mut())
                .map_err(|Refused(code)| Misuse::Extension(code))?;
            if opcode.is_control() && payload.len() > MAX_CONTROL_PAYLOAD {
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

#[inline]
fn lend<'a>(kind: DataKind, payload: Payload<'a>, ends: Ends, utf8: &'a mut Utf8) -> Event<'a> {
    match kind {
        DataKind::Text => Event::Text(Text::new(payload, utf8, ends)),
        DataKind::Binary => Event::Binary(Binary { payload, ends }),
    }
}

fn control_event(opcode: Opcode, payload: Payload<'_>) -> Event<'_> {
    match opcode {
        Opcode::Ping => Event::Ping(payload),
        _ => Event::Pong(payload),
    }
}

fn refused(Refused(code): Refused) -> Violation {
    Violation::Extension(code)
}

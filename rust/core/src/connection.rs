//! A connection after its opening handshake: the one place where the stages are put in a row.

use crate::close::{self, CloseCode};
use crate::config::{Limits, Role};
use crate::error::Violation;
use crate::event::{Binary, Ends, Event, Payload};
use crate::extension::{Chain, Extension, INTAKE, Part};
use crate::header::{MAX_CONTROL_PAYLOAD, PartialHeader, Rsv};
use crate::mask::Mask;
use crate::message::Message;
use crate::meter::{Growth, Meter};
use crate::opcode::{DataKind, Opcode};
use crate::state::{State, Step};
use crate::text::Text;
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
    pub(crate) role: Role,
    pub(crate) state: State,
    header: PartialHeader,
    /// The frame whose payload is under way.
    frame: Option<Incoming>,
    message: Message,
    utf8: Utf8,
    /// The payload of a control frame that came in several pieces, unmasked; boxed to keep an idle
    /// connection small.
    #[expect(clippy::box_collection, reason = "8 bytes instead of 24 while there is none")]
    control: Option<Box<Vec<u8>>>,
    pub(crate) extensions: Option<Box<Chain>>,
    /// Boxed, as most connections have no limits, or their caller has.
    meter: Option<Box<Meter>>,
    pub(crate) outgoing: Message,
}

/// A received frame whose payload is under way.
#[derive(Debug, Clone, Copy)]
struct Incoming {
    kind: Kind,
    way: Way,
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

/// The way that a payload takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// From the input to the caller.
    Direct,
    /// Through the extensions.
    Extended,
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
            meter: None,
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

    /// The same connection with `limits`.
    #[must_use]
    pub fn with_limits(mut self, limits: &Limits) -> Self {
        self.meter = (*limits != Limits::DEFAULT).then(|| Box::new(Meter::new(*limits)));
        self
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
        self.release();
        if let Some(fault) = self.fault() {
            return Some(self.fail(fault, input));
        }
        match self.frame {
            Some(frame) => self.resume_frame(frame, input),
            None => match self.begin_frame(input) {
                Ok(Some(frame)) => self.take_piece(frame, input),
                Ok(None) => None,
                Err(violation) => Some(self.fail(violation, input)),
            },
        }
    }

    /// Whether an event can come without further input: a fault behind a piece that was given out, or
    /// what an extension still holds.
    #[must_use]
    #[inline]
    pub fn holds_event(&self) -> bool {
        self.utf8.has_fault()
            || self.extensions.as_ref().is_some_and(|chain| chain.is_busy())
            || self.meter.as_ref().is_some_and(|meter| meter.fault().is_some())
    }

    /// Lets go of the payload of the last event, which an extension has made; otherwise that waits for
    /// the next [`Connection::receive`].
    #[inline]
    pub fn release(&mut self) {
        if let Some(chain) = &mut self.extensions {
            chain.release();
        }
    }

    /// What was found behind a piece that was given out.
    #[inline]
    fn fault(&mut self) -> Option<Violation> {
        if self.utf8.has_fault() {
            return self.utf8.take_fault().map(Violation::TextNotUtf8);
        }
        self.meter.as_ref().and_then(|meter| meter.fault())
    }

    /// Header, then message: reads a header and checks that the frame may stand here.
    #[inline]
    fn begin_frame(&mut self, input: &mut &[u8]) -> Result<Option<Incoming>, Violation> {
        let claimed = self.extensions.as_ref().map_or(Rsv::NONE, |chain| chain.claims());
        let Some(header) = self.header.take(input, self.role, claimed)? else {
            return Ok(None);
        };
        let mut way = Way::Direct;
        if let Some(chain) = &mut self.extensions {
            // A copy, so that the header itself need not have an address.
            let shown = header;
            let unknown = chain.inbound_header(&shown)?;
            if unknown != Rsv::NONE {
                return Err(Violation::ReservedBits(unknown.bits()));
            }
            if !chain.passes_inbound() {
                way = Way::Extended;
            }
        }
        let kind = if header.opcode.is_control() {
            self.control = None;
            Kind::Control(header.opcode)
        } else {
            if header.opcode == Opcode::Text {
                self.utf8.reset();
            }
            let kind = self.message.receive(header.opcode)?;
            if let Some(meter) = &mut self.meter {
                let growth = if way == Way::Direct { Growth::None } else { Growth::Possible };
                meter.begin_frame(header, growth)?;
            }
            Kind::Data(kind)
        };
        Ok(Some(Incoming {
            kind,
            way,
            fin: header.fin,
            mask: header.mask(),
            remaining: header.payload_length,
        }))
    }

    /// Goes on with a frame that has not ended with the last input.
    #[inline(never)]
    fn resume_frame<'a, 'i: 'a>(
        &'a mut self,
        frame: Incoming,
        input: &mut &'i [u8],
    ) -> Option<Event<'a>> {
        self.take_piece(frame, input)
    }

    #[inline(always)]
    fn take_piece<'a, 'i: 'a>(
        &'a mut self,
        frame: Incoming,
        input: &mut &'i [u8],
    ) -> Option<Event<'a>> {
        match frame.kind {
            Kind::Data(kind) if frame.way == Way::Direct => self.data_piece(frame, kind, input),
            Kind::Data(kind) => {
                // Here and below a copy, so that the frame itself need not have an address.
                let frame = Incoming { ..frame };
                self.extended_piece(frame, kind, input)
            }
            Kind::Control(opcode) => {
                let is_plain = opcode != Opcode::Close && frame.way == Way::Direct;
                if is_plain
                    && self.control.is_none()
                    && let Some(payload) = self.take_rest(&frame, input)
                {
                    return Some(control_event(opcode, payload));
                }
                let frame = Incoming { ..frame };
                self.control_frame(frame, opcode, input)
            }
        }
    }

    /// Takes the rest of the frame's payload, if `input` holds it.
    #[inline(always)]
    fn take_rest<'a>(&mut self, frame: &Incoming, input: &mut &'a [u8]) -> Option<Payload<'a>> {
        let length = usize::try_from(frame.remaining).ok()?;
        let (bytes, rest) = input.split_at_checked(length)?;
        *input = rest;
        self.frame = None;
        Some(Payload::new(bytes, frame.mask))
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
        if frame.remaining <= most as u64
            && let Some(payload) = self.take_rest(&frame, input)
        {
            return Some((payload, true));
        }
        let (bytes, rest) = input.split_at_checked(most).unwrap_or((input, &[]));
        if bytes.is_empty() {
            self.frame = Some(frame);
            return None;
        }
        *input = rest;
        let payload = Payload::new(bytes, frame.mask);
        frame.remaining = frame.remaining.saturating_sub(bytes.len() as u64);
        frame.mask = frame.mask.advanced(bytes.len());
        self.frame = Some(frame);
        Some((payload, false))
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
        let remaining = self.frame.map_or(0, |frame| frame.remaining);
        Some(lend(kind, payload, (ends, remaining), &mut self.utf8))
    }

    /// The way of a data payload through the extensions.
    #[inline(never)]
    fn extended_piece<'a, 'i: 'a>(
        &'a mut self,
        frame: Incoming,
        kind: DataKind,
        input: &mut &'i [u8],
    ) -> Option<Event<'a>> {
        let (most, allowance) = match &self.meter {
            // One byte more than is allowed tells a message that is too long from one that is not.
            Some(meter) => (meter.piece(), meter.allowance()),
            None => (Limits::DEFAULT.piece, usize::MAX),
        };
        let most = most.min(allowance.saturating_add(1));
        let mut at_once = false;
        if !self.extensions.as_ref()?.is_busy() {
            let (payload, finished) = self.take_payload(frame, input, INTAKE)?;
            let part = match (finished, frame.fin) {
                (false, _) => Part::Inside,
                (true, false) => Part::FrameEnd,
                (true, true) => Part::MessageEnd,
            };
            let chain = self.extensions.as_mut()?;
            at_once = part == Part::MessageEnd && chain.pass_at_once(&payload, most);
            if !at_once {
                chain.push(part, |buffer| payload.append_to(buffer));
            }
        }
        let part = match at_once {
            true => Part::MessageEnd,
            false => match self.extensions.as_mut()?.pull(most) {
                Ok(part) => part,
                Err(violation) => return Some(self.fail(violation, input)),
            },
        };
        let length = self.extensions.as_ref()?.piece().len();
        let allowed = self.meter.as_mut().map_or(length, |meter| meter.take(length));
        if allowed < length {
            return self.excess(kind, allowed, input);
        }
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
        Some(lend(kind, payload, (ends, 0), &mut self.utf8))
    }

    /// A piece goes beyond the limit for its message: what is allowed of it comes first.
    #[cold]
    fn excess<'a, 'i: 'a>(
        &'a mut self,
        kind: DataKind,
        allowed: usize,
        input: &mut &'i [u8],
    ) -> Option<Event<'a>> {
        if allowed == 0 {
            let violation = self.meter.as_ref()?.fault()?;
            return Some(self.fail(violation, input));
        }
        let piece = self.extensions.as_ref()?.piece().get(..allowed)?;
        Some(lend(kind, Payload::new(piece, Mask::NONE), (Ends::default(), 0), &mut self.utf8))
    }

    /// A control frame is given out whole, §5.5: it is at most 125 bytes long.
    #[inline(never)]
    fn control_frame<'a, 'i: 'a>(
        &'a mut self,
        frame: Incoming,
        opcode: Opcode,
        input: &mut &'i [u8],
    ) -> Option<Event<'a>> {
        let (payload, finished) = self.take_payload(frame, input, MAX_CONTROL_PAYLOAD)?;
        payload.append_to(self.control.get_or_insert_default());
        if !finished {
            return None;
        }
        if let (Way::Extended, Some(chain), Some(control)) =
            (frame.way, &mut self.extensions, &mut self.control)
        {
            match chain.whole(std::mem::take(control), MAX_CONTROL_PAYLOAD) {
                Ok(payload) if payload.len() <= MAX_CONTROL_PAYLOAD => **control = payload,
                Ok(_) => return Some(self.fail(Violation::ControlFrameTooLong, input)),
                Err(violation) => return Some(self.fail(violation, input)),
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
        self.release_extensions();
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
        self.release_extensions();
        surprised
    }

    /// Lets go of what extensions keep for frames that cannot come, or go, any more.
    pub(crate) fn release_extensions(&mut self) {
        match (self.state, &mut self.extensions) {
            (State::Closed, extensions) => *extensions = None,
            (State::RemoteClosing, Some(chain)) => chain.inbound_over(),
            _ => {}
        }
    }
}

#[inline]
fn lend<'a>(
    kind: DataKind,
    payload: Payload<'a>,
    (ends, remaining): (Ends, u64),
    utf8: &'a mut Utf8,
) -> Event<'a> {
    match kind {
        DataKind::Text => Event::Text(Text::new(payload, utf8, ends)),
        DataKind::Binary => Event::Binary(Binary { payload, ends, remaining }),
    }
}

fn control_event(opcode: Opcode, payload: Payload<'_>) -> Event<'_> {
    match opcode {
        Opcode::Ping => Event::Ping(payload),
        _ => Event::Pong(payload),
    }
}

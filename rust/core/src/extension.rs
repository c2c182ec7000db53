//! The seam where extensions meet frames, RFC 6455 §9.
//!
//! An [`Extension`] stands between the mask and the message: it may claim reserved bits, turn the
//! payload of a data frame into another one, and refuse a frame. Several of them form a chain; what
//! comes in passes it from first to last, what goes out from last to first.
//!
//! Invariant: what an extension makes leaves in pieces of bounded size, one when it is asked for, so
//! that memory stays bounded however much a payload grows.

use std::borrow::Cow;

use crate::close::CloseCode;
use crate::error::Violation;
use crate::event::Payload;
use crate::header::{Header, Rsv};
use crate::opcode::Opcode;

/// How much of a payload is taken from an extension at once when nothing else is said, in bytes.
pub const PIECE: usize = 64 * 1024;

/// How much of a payload is handed to an extension at once, in bytes.
pub const INTAKE: usize = 16 * 1024;

/// Why an extension does not let a frame out, as a close code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused(pub CloseCode);

/// Whether an extension is through with its input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// It has used its input and holds nothing back.
    Done,
    /// It wants to be called again, without new input.
    More,
}

/// Where a piece of payload stands in its frame and message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// More of the frame follows.
    Inside,
    /// The frame ends with it, the message does not.
    FrameEnd,
    /// The message ends with it.
    MessageEnd,
}

/// An outgoing frame before its header is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outbound {
    /// What the frame is.
    pub opcode: Opcode,
    /// Whether it ends its message.
    pub fin: bool,
    /// Its reserved bits, which the extension may set.
    pub rsv: Rsv,
    /// What the caller says of compression, for the first frame of a message.
    pub compression: Compression,
}

/// Whether a message is to be compressed, where that was agreed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compression {
    /// As the extension finds best.
    #[default]
    Automatic,
    /// Compressed.
    Always,
    /// As it is.
    Never,
}

/// An extension in use on one connection.
pub trait Extension: Send + Sync {
    /// The reserved bits it may give a meaning to; others fail the connection at once.
    fn claims(&self) -> Rsv;

    /// Sees the header of each received frame and says which of its reserved bits it understands.
    ///
    /// # Errors
    /// If the frame breaks a rule of the extension.
    fn inbound_header(&mut self, header: &Header) -> Result<Rsv, Violation>;

    /// Whether the payload of that frame is to stay as it is; then it is not handed in.
    fn passes_inbound(&self) -> bool {
        false
    }

    /// Turns the payload of a received frame, the one whose header was seen last, into another one:
    /// takes from the beginning of `input`, appends to `output`, at most `most` bytes in one call.
    ///
    /// # Errors
    /// If the payload breaks a rule of the extension.
    fn inbound(
        &mut self,
        input: &mut &[u8],
        part: Part,
        most: usize,
        output: &mut Vec<u8>,
    ) -> Result<Flow, Violation>;

    /// Turns the payload of a message, or all that it has to go on with, into another one at once and
    /// appends that to `output`, if it has at most `most` bytes. If it says no, nothing has changed, and
    /// [`Extension::inbound`] is asked.
    fn inbound_at_once(
        &mut self,
        payload: &Payload<'_>,
        most: usize,
        output: &mut Vec<u8>,
    ) -> bool {
        let _ = (payload, most, output);
        false
    }

    /// Takes back what the last call of [`Extension::inbound`] has appended to, for use again, if it is
    /// longer than what the connection keeps for that itself. Nothing has to be done with it.
    fn recycle(&mut self, output: Vec<u8>) {
        drop(output);
    }

    /// Nothing more is received.
    fn inbound_over(&mut self) {}

    /// Turns the payload of a frame to be sent into another one.
    ///
    /// # Errors
    /// If the extension does not let the frame be sent; nothing may have changed then.
    fn outbound(
        &mut self,
        frame: &mut Outbound,
        payload: &mut Cow<'_, [u8]>,
    ) -> Result<(), Refused>;

    /// A frame that it has let out was not sent after all.
    fn outbound_failed(&mut self) {}
}

/// An extension and what it has not used yet.
struct Link {
    extension: Box<dyn Extension>,
    input: Vec<u8>,
    used: usize,
    part: Part,
    busy: bool,
}

/// The extensions in use, in the order in which they were negotiated.
#[derive(Default)]
pub(crate) struct Chain {
    links: Vec<Link>,
    /// What the last call of [`Chain::pull`] lends.
    piece: Vec<u8>,
}

/// Memory for a piece up to this length, in bytes, stays with the connection: asking for it costs as much
/// as a tenth of inflating a short message.
const KEPT: usize = 1024;

impl core::fmt::Debug for Chain {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Chain({})", self.links.len())
    }
}

impl Chain {
    // What stands in the way of every frame is kept out of line: most connections have no extensions.

    pub fn new(extensions: Vec<Box<dyn Extension>>) -> Self {
        let links = extensions.into_iter().map(|extension| Link {
            extension,
            input: Vec::new(),
            used: 0,
            part: Part::Inside,
            busy: false,
        });
        Self { links: links.collect(), piece: Vec::new() }
    }

    #[inline(never)]
    pub fn claims(&self) -> Rsv {
        self.links.iter().fold(Rsv::NONE, |all, link| all.with(link.extension.claims()))
    }

    /// Whether something can be pulled without a push.
    #[inline(never)]
    pub fn is_busy(&self) -> bool {
        self.links.iter().any(|link| link.busy)
    }

    /// Shows a header to all extensions; the reserved bits that none of them understands.
    #[inline(never)]
    pub fn inbound_header(&mut self, header: &Header) -> Result<Rsv, Violation> {
        let mut understood = Rsv::NONE;
        for link in &mut self.links {
            understood = understood.with(link.extension.inbound_header(header)?);
        }
        Ok(header.rsv.without(understood))
    }

    /// Whether the payload of the frame whose header was seen last can go past the chain.
    #[inline(never)]
    pub fn passes_inbound(&self) -> bool {
        self.links.iter().all(|link| link.extension.passes_inbound())
    }

    /// Lets the end of a message come through at once, if there is a single extension and it can.
    pub fn pass_at_once(&mut self, payload: &Payload<'_>, most: usize) -> bool {
        let [link] = self.links.as_mut_slice() else { return false };
        link.extension.inbound_at_once(payload, most, &mut self.piece)
    }

    /// Puts a piece of payload at the beginning of the chain, which must not be busy.
    pub fn push(&mut self, part: Part, fill: impl FnOnce(&mut Vec<u8>)) {
        if let Some(first) = self.links.first_mut() {
            first.load(part, fill);
        }
    }

    /// Lets the payload come as far as it comes in one go, and tells where the piece that came out
    /// stands; it has at most `most` bytes.
    pub fn pull(&mut self, most: usize) -> Result<Part, Violation> {
        let start = self.links.iter().rposition(|link| link.busy).unwrap_or_default();
        let mut carried: Option<(Vec<u8>, Part)> = None;
        for link in self.links.iter_mut().skip(start) {
            if let Some((bytes, part)) = carried.take() {
                link.load(part, |input| *input = bytes);
            }
            carried = Some(link.step(most)?);
        }
        let (piece, part) = carried.unwrap_or((Vec::new(), Part::Inside));
        self.piece = piece;
        Ok(part)
    }

    /// The piece that came out last.
    pub fn piece(&self) -> &[u8] {
        &self.piece
    }

    /// Lets go of the piece that came out last.
    #[inline(never)]
    pub fn release(&mut self) {
        self.piece.clear();
        if self.piece.capacity() > KEPT
            && let Some(last) = self.links.last_mut()
        {
            last.extension.recycle(std::mem::take(&mut self.piece));
        }
    }

    /// Lets the whole payload of a control frame pass the chain; stops when more than `most` bytes
    /// have come out.
    pub fn whole(&mut self, payload: Vec<u8>, most: usize) -> Result<Vec<u8>, Violation> {
        self.push(Part::MessageEnd, |input| *input = payload);
        let mut output = Vec::new();
        while self.is_busy() && output.len() <= most {
            self.pull(PIECE)?;
            output.extend_from_slice(&self.piece);
        }
        self.release();
        Ok(output)
    }

    /// Nothing more is received: lets go of what was kept for it.
    pub fn inbound_over(&mut self) {
        for link in &mut self.links {
            link.input = Vec::new();
            link.busy = false;
            link.extension.inbound_over();
        }
    }

    /// Lets `payload` pass the chain outwards.
    pub fn outbound(
        &mut self,
        frame: &mut Outbound,
        payload: &mut Cow<'_, [u8]>,
    ) -> Result<(), Refused> {
        let mut backwards = self.links.iter_mut().rev();
        let result = backwards.try_for_each(|link| link.extension.outbound(frame, payload));
        if result.is_err() {
            self.outbound_failed();
        }
        result
    }

    /// What has passed the chain outwards is not sent.
    pub fn outbound_failed(&mut self) {
        self.links.iter_mut().for_each(|link| link.extension.outbound_failed());
    }
}

impl Link {
    fn load(&mut self, part: Part, fill: impl FnOnce(&mut Vec<u8>)) {
        self.input.clear();
        self.used = 0;
        self.part = part;
        self.busy = true;
        fill(&mut self.input);
    }

    fn step(&mut self, most: usize) -> Result<(Vec<u8>, Part), Violation> {
        let mut rest = self.input.get(self.used..).unwrap_or_default();
        let mut output = Vec::new();
        let flow = self.extension.inbound(&mut rest, self.part, most, &mut output)?;
        self.used = self.input.len().saturating_sub(rest.len());
        self.busy = flow == Flow::More || !rest.is_empty();
        if self.busy {
            return Ok((output, Part::Inside));
        }
        self.input = Vec::new();
        Ok((output, self.part))
    }
}

//! Extensions that only tests use.

use std::borrow::Cow;

use ws13::extension::{Extension, Flow, Outbound, Part, Refused};
use ws13::{CloseCode, Header, Opcode, Rsv, Violation};

/// What [`Refuse`] refuses with.
pub const POLICY: CloseCode = CloseCode(1008);

/// Makes ASCII letters big, both ways, and gives no reserved bit a meaning.
pub struct Upper;

impl Extension for Upper {
    fn claims(&self) -> Rsv {
        Rsv::NONE
    }

    fn inbound_header(&mut self, _: &Header) -> Result<Rsv, Violation> {
        Ok(Rsv::NONE)
    }

    fn inbound(
        &mut self,
        input: &mut &[u8],
        _: Part,
        _: usize,
        output: &mut Vec<u8>,
    ) -> Result<Flow, Violation> {
        output.extend(core::mem::take(input).to_ascii_uppercase());
        Ok(Flow::Done)
    }

    fn outbound(
        &mut self,
        frame: &mut Outbound,
        payload: &mut Cow<'_, [u8]>,
    ) -> Result<(), Refused> {
        if !frame.opcode.is_control() {
            payload.to_mut().make_ascii_uppercase();
        }
        Ok(())
    }
}

/// Repeats what messages with its bit hold: a payload that grows beyond any piece.
pub struct Repeat {
    bit: Rsv,
    times: usize,
    on: bool,
    held: Vec<u8>,
    given: usize,
}

impl Repeat {
    pub fn boxed(bit: Rsv, times: usize) -> Box<dyn Extension> {
        Box::new(Self { bit, times, on: false, held: Vec::new(), given: 0 })
    }
}

impl Extension for Repeat {
    fn claims(&self) -> Rsv {
        self.bit
    }

    fn inbound_header(&mut self, header: &Header) -> Result<Rsv, Violation> {
        if !matches!(header.opcode, Opcode::Text | Opcode::Binary) {
            return Ok(Rsv::NONE);
        }
        self.on = header.rsv.without(self.bit) != header.rsv;
        Ok(self.bit)
    }

    fn inbound(
        &mut self,
        input: &mut &[u8],
        _: Part,
        most: usize,
        output: &mut Vec<u8>,
    ) -> Result<Flow, Violation> {
        let times = if self.on { self.times } else { 1 };
        if self.held.is_empty() {
            (self.held, self.given) = (core::mem::take(input).repeat(times), 0);
        }
        let rest = &self.held[self.given..];
        output.extend_from_slice(&rest[..rest.len().min(most)]);
        self.given += output.len();
        if self.given < self.held.len() {
            return Ok(Flow::More);
        }
        self.held.clear();
        Ok(Flow::Done)
    }

    fn outbound(
        &mut self,
        frame: &mut Outbound,
        payload: &mut Cow<'_, [u8]>,
    ) -> Result<(), Refused> {
        if !frame.opcode.is_control() {
            frame.rsv = frame.rsv.with(self.bit);
            *payload = Cow::Owned(payload.repeat(self.times));
        }
        Ok(())
    }
}

/// Puts its sign behind each message, both ways.
pub struct Sign(pub u8);

impl Extension for Sign {
    fn claims(&self) -> Rsv {
        Rsv::NONE
    }

    fn inbound_header(&mut self, _: &Header) -> Result<Rsv, Violation> {
        Ok(Rsv::NONE)
    }

    fn inbound(
        &mut self,
        input: &mut &[u8],
        part: Part,
        _: usize,
        output: &mut Vec<u8>,
    ) -> Result<Flow, Violation> {
        // One byte at a time: input that is left over is handed in again.
        if let Some((byte, rest)) = input.split_first() {
            output.push(*byte);
            *input = rest;
        }
        if input.is_empty() && part == Part::MessageEnd {
            output.push(self.0);
        }
        Ok(Flow::Done)
    }

    fn outbound(
        &mut self,
        frame: &mut Outbound,
        payload: &mut Cow<'_, [u8]>,
    ) -> Result<(), Refused> {
        if frame.fin && !frame.opcode.is_control() {
            payload.to_mut().push(self.0);
        }
        Ok(())
    }
}

/// Refuses binary messages at their header, exclamation marks in payloads, and all it is to send.
pub struct Refuse;

impl Extension for Refuse {
    fn claims(&self) -> Rsv {
        Rsv::NONE
    }

    fn inbound_header(&mut self, header: &Header) -> Result<Rsv, Violation> {
        match header.opcode {
            Opcode::Binary => Err(Violation::Extension(POLICY)),
            _ => Ok(Rsv::NONE),
        }
    }

    fn inbound(
        &mut self,
        input: &mut &[u8],
        _: Part,
        _: usize,
        output: &mut Vec<u8>,
    ) -> Result<Flow, Violation> {
        match input.contains(&b'!') {
            true => Err(Violation::Extension(CloseCode::MESSAGE_TOO_BIG)),
            false => {
                output.extend_from_slice(core::mem::take(input));
                Ok(Flow::Done)
            }
        }
    }

    fn outbound(&mut self, _: &mut Outbound, _: &mut Cow<'_, [u8]>) -> Result<(), Refused> {
        Err(Refused(POLICY))
    }
}

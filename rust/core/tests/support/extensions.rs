//! Extensions that only tests use.

use ws13::extension::{Extension, Flow, Outbound, PIECE, Part, Refused};
use ws13::{CloseCode, Header, Opcode, Rsv};

/// What [`Refuse`] refuses with.
pub const POLICY: CloseCode = CloseCode(1008);

/// Makes ASCII letters big, both ways, and gives no reserved bit a meaning.
pub struct Upper;

impl Extension for Upper {
    fn claims(&self) -> Rsv {
        Rsv::NONE
    }

    fn inbound_header(&mut self, _: &Header) -> Result<Rsv, Refused> {
        Ok(Rsv::NONE)
    }

    fn inbound(
        &mut self,
        input: &mut &[u8],
        _: Part,
        output: &mut Vec<u8>,
    ) -> Result<Flow, Refused> {
        output.extend(core::mem::take(input).to_ascii_uppercase());
        Ok(Flow::Done)
    }

    fn outbound(&mut self, frame: &mut Outbound, payload: &mut Vec<u8>) -> Result<(), Refused> {
        if !frame.opcode.is_control() {
            payload.make_ascii_uppercase();
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

    fn inbound_header(&mut self, header: &Header) -> Result<Rsv, Refused> {
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
        output: &mut Vec<u8>,
    ) -> Result<Flow, Refused> {
        let times = if self.on { self.times } else { 1 };
        if self.held.is_empty() {
            (self.held, self.given) = (core::mem::take(input).repeat(times), 0);
        }
        let rest = &self.held[self.given..];
        output.extend_from_slice(&rest[..rest.len().min(PIECE)]);
        self.given += output.len();
        if self.given < self.held.len() {
            return Ok(Flow::More);
        }
        self.held.clear();
        Ok(Flow::Done)
    }

    fn outbound(&mut self, frame: &mut Outbound, payload: &mut Vec<u8>) -> Result<(), Refused> {
        if !frame.opcode.is_control() {
            frame.rsv = frame.rsv.with(self.bit);
            *payload = payload.repeat(self.times);
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

    fn inbound_header(&mut self, _: &Header) -> Result<Rsv, Refused> {
        Ok(Rsv::NONE)
    }

    fn inbound(
        &mut self,
        input: &mut &[u8],
        part: Part,
        output: &mut Vec<u8>,
    ) -> Result<Flow, Refused> {
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

    fn outbound(&mut self, frame: &mut Outbound, payload: &mut Vec<u8>) -> Result<(), Refused> {
        if frame.fin && !frame.opcode.is_control() {
            payload.push(self.0);
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

    fn inbound_header(&mut self, header: &Header) -> Result<Rsv, Refused> {
        match header.opcode {
            Opcode::Binary => Err(Refused(POLICY)),
            _ => Ok(Rsv::NONE),
        }
    }

    fn inbound(
        &mut self,
        input: &mut &[u8],
        _: Part,
        output: &mut Vec<u8>,
    ) -> Result<Flow, Refused> {
        match input.contains(&b'!') {
            true => Err(Refused(CloseCode::MESSAGE_TOO_BIG)),
            false => {
                output.extend_from_slice(core::mem::take(input));
                Ok(Flow::Done)
            }
        }
    }

    fn outbound(&mut self, _: &mut Outbound, _: &mut Vec<u8>) -> Result<(), Refused> {
        Err(Refused(POLICY))
    }
}

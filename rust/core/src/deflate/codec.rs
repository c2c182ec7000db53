//! permessage-deflate as an [`Extension`]: RSV1, and which payloads are compressed, RFC 7692 §6.

use std::borrow::Cow;
use std::sync::Arc;

use super::inflater::Inflated;
use super::{Deflater, Inflater, Level, Parameters, Pool};
use crate::config::Role;
use crate::error::Violation;
use crate::event::Payload;
use crate::extension::{Compression, Extension, Flow, Outbound, Part, Refused};
use crate::header::{Header, Rsv};
use crate::opcode::Opcode;
use crate::sending::Fin;

/// How to send; nothing of it has to be agreed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// How hard to look for repetitions.
    pub level: Level,
    /// A message of one frame with fewer bytes is sent as it is.
    pub threshold: usize,
}

impl Options {
    /// Every message is compressed.
    pub const DEFAULT: Self = Self { level: Level::DEFAULT, threshold: 0 };
}

impl Default for Options {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// permessage-deflate in use on one connection.
#[derive(Debug)]
pub struct PerMessageDeflate {
    inflater: Inflater,
    deflater: Deflater,
    threshold: usize,
    /// The received message that is under way.
    received: Form,
    /// The frame that is under way belongs to a message and not to the connection.
    in_message: bool,
    /// What is wrong behind the payload that was given out.
    fault: Option<Violation>,
    /// The message that is being sent.
    sent: Form,
}

/// How a message is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Plain,
    Compressed,
}

impl PerMessageDeflate {
    /// As agreed in `parameters`, on the end in this role. Connections that share a `pool` share their
    /// memory.
    #[must_use]
    pub fn new(role: Role, parameters: &Parameters, options: Options, pool: &Arc<Pool>) -> Self {
        Self {
            inflater: Inflater::new(parameters.received_by(role), Arc::clone(pool)),
            deflater: Deflater::new(parameters.sent_by(role), options.level, Arc::clone(pool)),
            threshold: options.threshold,
            received: Form::Plain,
            in_message: false,
            fault: None,
            sent: Form::Plain,
        }
    }

    fn inflate(
        &mut self,
        input: &mut &[u8],
        part: Part,
        most: usize,
        output: &mut Vec<u8>,
    ) -> Result<Flow, Violation> {
        if self.inflater.inflate(input, most, output)? == Inflated::Part {
            return Ok(Flow::More);
        }
        if part == Part::MessageEnd {
            self.inflater.finish()?;
        }
        Ok(Flow::Done)
    }

    /// How to send the message that begins with `payload`.
    const fn form(&self, frame: &Outbound, payload: &[u8]) -> Form {
        match frame.compression {
            Compression::Never => Form::Plain,
            Compression::Always => Form::Compressed,
            Compression::Automatic if frame.fin && payload.len() < self.threshold => Form::Plain,
            Compression::Automatic => Form::Compressed,
        }
    }
}

impl Extension for PerMessageDeflate {
    fn claims(&self) -> Rsv {
        Rsv::RSV1
    }

    /// §6: RSV1 stands on the first frame of a message, and control frames are never compressed.
    fn inbound_header(&mut self, header: &Header) -> Result<Rsv, Violation> {
        self.in_message = !header.opcode.is_control();
        if !matches!(header.opcode, Opcode::Text | Opcode::Binary) {
            return Ok(Rsv::NONE);
        }
        self.received = match header.rsv.without(Rsv::RSV1) == header.rsv {
            true => Form::Plain,
            false => Form::Compressed,
        };
        Ok(Rsv::RSV1)
    }

    fn passes_inbound(&self) -> bool {
        !self.in_message || self.received == Form::Plain
    }

    fn inbound(
        &mut self,
        input: &mut &[u8],
        part: Part,
        most: usize,
        output: &mut Vec<u8>,
    ) -> Result<Flow, Violation> {
        if self.passes_inbound() {
            let (piece, rest) = input.split_at_checked(most).unwrap_or((input, &[]));
            output.extend_from_slice(piece);
            *input = rest;
            return Ok(Flow::Done);
        }
        if let Some(fault) = self.fault.take() {
            return Err(fault);
        }
        match self.inflate(input, part, most, output) {
            // What came before the fault is given out before it.
            Err(fault) if !output.is_empty() => {
                self.fault = Some(fault);
                Ok(Flow::More)
            }
            result => result,
        }
    }

    fn inbound_at_once(
        &mut self,
        payload: &Payload<'_>,
        most: usize,
        output: &mut Vec<u8>,
    ) -> bool {
        !self.passes_inbound() && self.inflater.inflate_whole(payload, most, output)
    }

    fn recycle(&mut self, output: Vec<u8>) {
        self.inflater.recycle(output);
    }

    fn inbound_over(&mut self) {
        self.inflater.forget();
    }

    fn outbound(
        &mut self,
        frame: &mut Outbound,
        payload: &mut Cow<'_, [u8]>,
    ) -> Result<(), Refused> {
        if frame.opcode.is_control() {
            return Ok(());
        }
        if frame.opcode != Opcode::Continuation {
            self.sent = self.form(frame, payload);
        }
        if self.sent == Form::Plain {
            return Ok(());
        }
        let fin = if frame.fin { Fin::Yes } else { Fin::No };
        *payload = Cow::Owned(self.deflater.deflate(payload, fin)?);
        if frame.opcode != Opcode::Continuation {
            frame.rsv = frame.rsv.with(Rsv::RSV1);
        }
        Ok(())
    }

    /// The peer never gets what was deflated.
    fn outbound_failed(&mut self) {
        self.deflater.forget();
    }
}

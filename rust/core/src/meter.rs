//! How much of a message has come, against the limits, RFC 6455 §10.4.

use crate::config::Limits;
use crate::error::Violation;
use crate::header::Header;
use crate::opcode::Opcode;

/// See the module.
#[derive(Debug)]
pub(crate) struct Meter {
    limits: Limits,
    /// Bytes of the message so far, as they are given out.
    message: u64,
    fragments: u64,
    /// The message has turned out to be longer than the limit, behind what was given out.
    exceeded: bool,
}

impl Meter {
    pub const fn new(limits: Limits) -> Self {
        Self { limits, message: 0, fragments: 0, exceeded: false }
    }

    /// How much an extension gives out at once.
    pub const fn piece(&self) -> usize {
        if self.limits.piece == 0 { 1 } else { self.limits.piece }
    }

    /// Takes the header of a data frame. `growth` tells whether its payload is given out as it is: then
    /// its length alone decides.
    pub fn begin_frame(&mut self, header: Header, growth: Growth) -> Result<(), Violation> {
        if header.opcode != Opcode::Continuation {
            self.message = 0;
            self.fragments = 0;
        }
        self.fragments = self.fragments.saturating_add(1);
        let length = header.payload_length;
        if let Some(limit) = self.limits.frame.filter(|limit| length > *limit) {
            return Err(Violation::FrameTooBig(limit));
        }
        if let Some(limit) = self.limits.fragments.filter(|limit| self.fragments > *limit) {
            return Err(Violation::TooManyFragments(limit));
        }
        if growth == Growth::None {
            self.message = self.message.saturating_add(length);
            if let Some(limit) = self.limits.message.filter(|limit| self.message > *limit) {
                return Err(Violation::MessageTooBig(limit));
            }
        }
        Ok(())
    }

    /// How much more of the message may be given out, in bytes.
    pub fn allowance(&self) -> usize {
        let Some(limit) = self.limits.message else { return usize::MAX };
        usize::try_from(limit.saturating_sub(self.message)).unwrap_or(usize::MAX)
    }

    /// Takes a piece of `length` bytes that an extension has made: how much of it may be given out. If
    /// that is less, the violation is what comes next.
    pub fn take(&mut self, length: usize) -> usize {
        let allowed = length.min(self.allowance());
        self.message = self.message.saturating_add(allowed as u64);
        self.exceeded = allowed < length;
        allowed
    }

    /// The violation behind the last piece.
    pub fn fault(&self) -> Option<Violation> {
        let limit = self.limits.message.filter(|_| self.exceeded)?;
        Some(Violation::InflatedTooBig(limit))
    }
}

/// What becomes of the length of a payload on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Growth {
    /// It stays.
    None,
    /// An extension may change it.
    Possible,
}

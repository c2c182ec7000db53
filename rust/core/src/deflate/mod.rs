//! permessage-deflate, RFC 7692.
//!
//! ```text
//! offer, answer -> negotiation -> Parameters
//! receive  payload -> Inflater -> pieces       a state while a message is under way
//! send     piece   -> Deflater -> payload      a state while a piece is compressed
//!                        |
//!                    History (per direction and connection) + Pool (of states, shared)
//! ```
//!
//! A state of DEFLATE takes 40 KiB to receive and 300 KiB to send, and all that it carries from one
//! message to the next is the window: the last bytes that passed. So a connection keeps these bytes and
//! nothing else, and borrows a state from a [`Pool`] while it works. A state that comes back to the
//! connection that had it last goes on where it was.

mod codec;
mod deflater;
mod history;
mod inflater;
mod negotiation;
mod pool;

pub use codec::{Options, PerMessageDeflate};
pub use deflater::{Deflater, Level};
pub use inflater::{Inflated, Inflater};
pub use negotiation::{ParameterFault, accept, finalize, offer};
pub use pool::Pool;

use crate::config::Role;

/// The name of the extension in Sec-WebSocket-Extensions, RFC 7692 §7.
pub const NAME: &str = "permessage-deflate";

/// The base-2 logarithm of the size of an LZ77 window in bytes, 8 to 15, RFC 7692 §7.1.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WindowBits(u8);

impl WindowBits {
    /// A window of 256 bytes.
    pub const MIN: Self = Self(8);
    /// A window of 32 KiB, which is what holds when nothing else is agreed.
    pub const MAX: Self = Self(15);

    /// `bits`, if it is 8 to 15.
    #[must_use]
    pub const fn new(bits: u8) -> Option<Self> {
        match bits {
            8..=15 => Some(Self(bits)),
            _ => None,
        }
    }

    /// The number of bits.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// The size of the window in bytes.
    #[must_use]
    pub const fn size(self) -> usize {
        1 << self.0
    }
}

/// Whether the window goes on from one message to the next, RFC 7692 §7.1.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Takeover {
    /// It does.
    Context,
    /// Each message begins with an empty window.
    NoContext,
}

/// What is agreed for the messages of one end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Direction {
    /// Whether a message may refer to the one before.
    pub takeover: Takeover,
    /// How far back a message may refer at most.
    pub max_window: WindowBits,
}

impl Direction {
    /// What holds when nothing else is agreed.
    pub const DEFAULT: Self = Self { takeover: Takeover::Context, max_window: WindowBits::MAX };
}

/// What is agreed for a connection, or what one end would like to have agreed, RFC 7692 §7.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Parameters {
    /// For what the client sends.
    pub client: Direction,
    /// For what the server sends.
    pub server: Direction,
}

impl Parameters {
    /// What holds when nothing else is agreed.
    pub const DEFAULT: Self = Self { client: Direction::DEFAULT, server: Direction::DEFAULT };

    /// For what the end in this role sends.
    #[must_use]
    pub const fn sent_by(&self, role: Role) -> Direction {
        match role {
            Role::Client => self.client,
            Role::Server => self.server,
        }
    }

    /// For what the end in this role receives.
    #[must_use]
    pub const fn received_by(&self, role: Role) -> Direction {
        match role {
            Role::Client => self.server,
            Role::Server => self.client,
        }
    }
}

impl Default for Parameters {
    fn default() -> Self {
        Self::DEFAULT
    }
}

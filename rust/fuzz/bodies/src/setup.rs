//! What a connection is made of, out of the first bytes of an input.

use std::sync::Arc;

use ws13::deflate::{
    Direction, Options, Parameters, PerMessageDeflate, Pool, Takeover, WindowBits,
};
use ws13::{CloseCode, Connection, Limits, Role};

use crate::cuts;

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setup {
    /// Whether the stream ends behind the bytes.
    pub eof: bool,
    /// Whether our Close frame goes out before anything comes.
    pub closing: bool,
    /// Whether the bytes are those of a server, to be masked first: for the mutator, which cannot know
    /// that a byte of the key turns a payload into noise.
    pub to_be_masked: bool,
    /// What was agreed on what the peer sends, if permessage-deflate is in use.
    pub deflate: Option<Direction>,
    /// The limits.
    pub limits: Limits,
    /// How the bytes are cut.
    pub cuts: [u8; 2],
}

impl Setup {
    /// How many bytes it takes.
    pub const LENGTH: usize = 8;

    /// Takes it off the beginning of `data`.
    #[must_use]
    pub fn take(data: &mut &[u8]) -> Self {
        let [flags, window, message, frame, fragments, piece, one, two] = cuts::take(data);
        let on = |bit: u8| flags & bit != 0;
        let deflate = on(8).then(|| direction(window));
        let mut limits = Limits {
            message: limit(message),
            frame: limit(frame),
            fragments: limit(fragments),
            piece: PIECES[usize::from(piece % 8)],
        };
        if deflate.is_some() && limits.piece < 1000 {
            // A few bytes become a million: not one by one.
            limits.message = Some(limits.message.map_or(5000, |message| message.min(5000)));
        }
        Self { eof: on(1), closing: on(2), to_be_masked: on(4), deflate, limits, cuts: [one, two] }
    }

    /// The bytes that it is made of; `None` if there are none, as its limits are others.
    #[must_use]
    pub fn to_bytes(&self) -> Option<[u8; Self::LENGTH]> {
        let byte = |limit: Option<u64>| (0..=255).find(|byte| self::limit(*byte) == limit);
        let window =
            self.deflate.map_or(Some(0), |wanted| (0..16).find(|byte| direction(*byte) == wanted));
        let flags = u8::from(self.eof)
            | u8::from(self.closing) << 1
            | u8::from(self.to_be_masked) << 2
            | u8::from(self.deflate.is_some()) << 3;
        let piece = PIECES.iter().position(|piece| *piece == self.limits.piece)?;
        let bytes = [
            flags,
            window?,
            byte(self.limits.message)?,
            byte(self.limits.frame)?,
            byte(self.limits.fragments)?,
            u8::try_from(piece).ok()?,
            self.cuts[0],
            self.cuts[1],
        ];
        (Self::take(&mut bytes.as_slice()) == *self).then_some(bytes)
    }

    /// A connection in this role. What it deflates with is shared by all that get the same `pool`.
    #[must_use]
    pub fn connection(&self, role: Role, pool: &Arc<Pool>) -> Connection {
        let mut connection = Connection::new(role);
        if let Some(direction) = self.deflate {
            let parameters = Parameters { client: direction, server: direction };
            let deflate = PerMessageDeflate::new(role, &parameters, Options::DEFAULT, pool);
            connection = Connection::with_extensions(role, vec![Box::new(deflate)]);
        }
        connection = connection.with_limits(&self.limits);
        if self.closing {
            let sent = connection.send_close(CloseCode::NORMAL_CLOSURE, "", || [0; 4]);
            sent.expect("an open connection can be closed");
        }
        connection
    }
}

/// How much an extension gives out at once.
const PIECES: [usize; 8] = [Limits::DEFAULT.piece, 1, 2, 7, 64, 300, 1000, 4096];

/// What is agreed for a direction, out of a byte.
#[must_use]
pub fn direction(byte: u8) -> Direction {
    Direction {
        max_window: WindowBits::new(8 + byte % 8).expect("8 to 15"),
        takeover: if byte & 8 == 0 { Takeover::Context } else { Takeover::NoContext },
    }
}

/// A limit: none, a small number, or one where the arithmetic of lengths changes.
fn limit(byte: u8) -> Option<u64> {
    const EDGES: [u64; 10] =
        [255, 256, 300, 65534, 65535, 65536, 1 << 31, 1 << 32, (1 << 63) - 1, u64::MAX];
    match byte {
        0 => None,
        1..=245 => Some(u64::from(byte) - 1),
        _ => Some(EDGES[usize::from(byte - 246)]),
    }
}

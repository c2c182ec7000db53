//! Deflating the messages of one direction, RFC 7692 §7.2.1.

use std::sync::Arc;

use zlib_rs::{Deflate, DeflateFlush};

use super::history::History;
use super::pool::{Lent, Pool, Settings, Stamp};
use super::{Direction, Takeover};
use crate::close::CloseCode;
use crate::extension::Refused;
use crate::sending::Fin;

/// What ends each flush, and is taken off the last one of a message, §7.2.1.
const TAIL: [u8; 4] = [0x00, 0x00, 0xFF, 0xFF];

/// How much plain data is kept to refer to, in bytes.
///
/// // Choice: a state that has to be told the window costs as much as it is told, and nearly all that
/// short messages have in common with earlier ones is in the last few of them.
const HISTORY: usize = 4096;

/// A buffer for output grows by at least so many bytes; zlib repeats its flush below 7.
const LEAST_ROOM: usize = 64;
/// and by at most so many.
const MOST_ROOM: usize = 64 * 1024;

/// How hard to look for repetitions, 1 (fast) to 9 (small), as in zlib.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Level(u8);

impl Level {
    /// Twice as fast as zlib's default, at about 5 % more bytes.
    pub const DEFAULT: Self = Self(4);

    /// `level`, if it is 1 to 9.
    #[must_use]
    pub const fn new(level: u8) -> Option<Self> {
        match level {
            1..=9 => Some(Self(level)),
            _ => None,
        }
    }

    pub(super) fn number(self) -> i32 {
        i32::from(self.0)
    }
}

/// Deflates messages.
#[derive(Debug)]
pub struct Deflater {
    takeover: Takeover,
    settings: Settings,
    pool: Arc<Pool>,
    /// The end of what was deflated before.
    history: History,
    /// For the state that this one gave back last.
    stamp: Stamp,
}

impl Deflater {
    /// A deflater for messages as agreed in `direction`.
    #[must_use]
    pub const fn new(direction: Direction, level: Level, pool: Arc<Pool>) -> Self {
        let settings = Settings { level, window: direction.max_window };
        Self {
            takeover: direction.takeover,
            settings,
            pool,
            history: History::EMPTY,
            stamp: Stamp::NONE,
        }
    }

    /// Deflates a piece of a message, which is the payload of one frame. All of it can be inflated as
    /// soon as it arrives.
    ///
    /// # Errors
    /// [`Refused`], if zlib has no answer, which is not known to happen.
    pub fn deflate(&mut self, piece: &[u8], fin: Fin) -> Result<Vec<u8>, Refused> {
        let mut output = Vec::new();
        match (piece.is_empty(), fin) {
            (true, Fin::No) => {}
            // §7.2.3.6: an empty block, without the octets that are taken off.
            (true, Fin::Yes) => output.push(0),
            (false, _) => self.flush(piece, &mut output)?,
        }
        if fin == Fin::Yes {
            if output.ends_with(&TAIL) {
                output.truncate(output.len().saturating_sub(TAIL.len()));
            }
            if self.takeover == Takeover::NoContext {
                self.forget();
            }
        }
        Ok(output)
    }

    /// Refers to nothing that was deflated before: the peer may not have got it.
    pub fn forget(&mut self) {
        self.history.clear();
        self.stamp = Stamp::NONE;
    }

    fn flush(&mut self, piece: &[u8], output: &mut Vec<u8>) -> Result<(), Refused> {
        let limit = self.limit();
        let mut state = match self.pool.take_deflate(self.settings, self.stamp) {
            Lent::Known(state) => state,
            Lent::Other(mut state) => {
                state.reset();
                let window = self.history.last(limit);
                if !window.is_empty() {
                    // A state that has just been reset takes a dictionary.
                    let _ = state.set_dictionary(window);
                }
                state
            }
        };
        if run(&mut state, piece, output).is_none() {
            self.forget();
            return Err(Refused(CloseCode::INTERNAL_ERROR));
        }
        self.stamp = self.pool.give_deflate(self.settings, state);
        self.history.append(piece, limit);
        Ok(())
    }

    fn limit(&self) -> usize {
        HISTORY.min(self.settings.window.size())
    }
}

/// Deflates all of `input` up to a boundary between octets.
fn run(state: &mut Deflate, mut input: &[u8], output: &mut Vec<u8>) -> Option<()> {
    loop {
        let start = output.len();
        let (read, written) = (state.total_in(), state.total_out());
        let room = input.len().saturating_add(LEAST_ROOM).min(MOST_ROOM);
        output.resize(start.saturating_add(room), 0);
        state.compress(input, output.get_mut(start..)?, DeflateFlush::SyncFlush).ok()?;
        let read = usize::try_from(state.total_in().wrapping_sub(read)).ok()?;
        let written = usize::try_from(state.total_out().wrapping_sub(written)).ok()?;
        input = input.get(read..)?;
        output.truncate(start.saturating_add(written));
        if written < room {
            return Some(());
        }
    }
}

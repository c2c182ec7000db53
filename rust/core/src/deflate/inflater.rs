//! Inflating the messages of one direction, RFC 7692 §7.2.2.
//!
//! Invariant: pieces and verdict depend on the octets of the message alone, not on how they were cut.

use std::sync::Arc;

use zlib_rs::{Inflate, InflateFlush, Status};

use super::history::History;
use super::pool::{BUFFER, Bench, Lent, Pool, SHORT, Stamp};
use super::{Direction, Takeover, WindowBits};
use crate::error::Violation;
use crate::event::Payload;
use crate::room;

/// What the sender has taken off the end of the message, §7.2.1; behind it an octet that must stay
/// where it is: the state stops at the end of the empty block that the four octets complete, and only
/// there.
const TAIL: [u8; 5] = [0x00, 0x00, 0xFF, 0xFF, 0x00];
const TAIL_LENGTH: u64 = 4;

/// A block without content, and an octet that must stay where it is.
const EMPTY: [u8; 6] = [0x00, 0x00, 0x00, 0xFF, 0xFF, 0x00];
const EMPTY_LENGTH: u64 = 5;

/// Output from this length on, in bytes, goes into a buffer that is used again: memory that is new costs
/// as much as inflating into it.
const LONG: usize = 4096;
/// and up to this length, lest a single message leave a large one behind.
const LONGEST: usize = 256 * 1024;

/// Inflates messages.
#[derive(Debug)]
pub struct Inflater {
    direction: Direction,
    pool: Arc<Pool>,
    /// What was inflated before, as far back as it may be referred to.
    history: History,
    /// For the state that this one gave back last.
    stamp: Stamp,
    /// The message that is under way.
    message: Option<Message>,
}

struct Message {
    work: Box<Bench>,
    /// Bytes of the window before the message.
    window: usize,
    /// Bytes of the payload that are kept in [`Bench::short`], to find out what is wrong with it.
    kept: usize,
    /// A block with BFINAL has ended, and what follows is a stream of its own.
    behind_final: bool,
    /// Whether that stream has begun.
    begun: bool,
    /// A byte that came out when the buffer was full already.
    carried: Option<u8>,
    /// What is wrong behind that byte.
    fault: Option<Violation>,
}

impl core::fmt::Debug for Message {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Message")
    }
}

/// Whether there is more to come out without further input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inflated {
    /// All that the input holds has come out.
    All,
    /// The buffer is full.
    Part,
}

impl Inflater {
    /// An inflater for messages that are sent as agreed in `direction`.
    #[must_use]
    pub const fn new(direction: Direction, pool: Arc<Pool>) -> Self {
        Self { direction, pool, history: History::EMPTY, stamp: Stamp::NONE, message: None }
    }

    /// Inflates payload from the beginning of `input` and appends to `output` until `input` is used or
    /// `output` has `most` bytes.
    ///
    /// # Errors
    /// [`Violation`], if the payload is not DEFLATE; what came before the fault is in `output`.
    pub fn inflate(
        &mut self,
        input: &mut &[u8],
        most: usize,
        output: &mut Vec<u8>,
    ) -> Result<Inflated, Violation> {
        let Some(mut message) = self.take_message(input) else { return Ok(Inflated::All) };
        let mut fresh = output.len();
        output.extend(message.carried.take());
        let result = self.run(&mut message, input, most, output, &mut fresh);
        self.remember(output, &mut fresh);
        self.message = Some(message);
        result
    }

    /// Inflates a whole message and appends it to `output`, if that goes well and it is short. Otherwise
    /// nothing has changed, and the message is to be inflated step by step.
    ///
    /// With its end behind it the payload is inflated in one go; what a message that is cut off would
    /// make of that end is not given out.
    pub(crate) fn inflate_whole(
        &mut self,
        payload: &Payload<'_>,
        most: usize,
        output: &mut Vec<u8>,
    ) -> bool {
        if self.message.is_some() || payload.is_empty() || payload.len() > SHORT {
            return false;
        }
        let mut work = self.take_bench();
        match work.run_whole(payload, most) {
            Some(inflated) => {
                output.extend_from_slice(inflated);
                if self.direction.takeover == Takeover::Context {
                    self.history.append(inflated, WindowBits::MAX.size());
                }
                self.settle(work, true);
                true
            }
            None => {
                self.pool.give_bench(work);
                self.stamp = Stamp::NONE;
                false
            }
        }
    }

    /// A state that knows the window.
    fn take_bench(&self) -> Box<Bench> {
        match self.pool.take_bench(self.stamp) {
            Lent::Known(work) => work,
            Lent::Other(mut work) => {
                restart(&mut work.state, &self.history);
                work
            }
        }
    }

    /// The message under way, or the one that `input` begins.
    fn take_message(&mut self, input: &[u8]) -> Option<Message> {
        if self.message.is_some() || input.is_empty() {
            return self.message.take();
        }
        let work = self.take_bench();
        let window = self.history.len();
        Some(Message {
            work,
            window,
            kept: 0,
            behind_final: false,
            begun: true,
            carried: None,
            fault: None,
        })
    }

    fn run(
        &mut self,
        message: &mut Message,
        input: &mut &[u8],
        most: usize,
        output: &mut Vec<u8>,
        fresh: &mut usize,
    ) -> Result<Inflated, Violation> {
        if let Some(fault) = message.fault {
            return Err(fault);
        }
        while output.len() < most {
            if !message.begun {
                if input.is_empty() {
                    return Ok(Inflated::All);
                }
                self.remember(output, fresh);
                restart(&mut message.work.state, &self.history);
                message.begun = true;
            }
            let room = most.saturating_sub(output.len());
            if message.step(input, output, room, &self.pool)? == Step::Through {
                return Ok(Inflated::All);
            }
        }
        // Whether more comes out shows only where there is room for it.
        if message.begun {
            let mut next = Vec::new();
            let result = message.step(input, &mut next, 1, &self.pool);
            message.carried = next.first().copied();
            match (result, message.carried) {
                (Err(fault), None) => return Err(fault),
                (result, _) => message.fault = result.err(),
            }
        }
        match message.carried {
            None if input.is_empty() => Ok(Inflated::All),
            _ => Ok(Inflated::Part),
        }
    }

    /// Within a message a reference may lie as far back as the largest window reaches.
    ///
    /// // Choice: §7.1.2 lets the sender of a smaller window refer less far. zlib cannot be asked to
    /// check that for every cut alike, so it is checked from message to message only.
    fn remember(&mut self, output: &[u8], fresh: &mut usize) {
        let inflated = output.get(*fresh..).unwrap_or_default();
        self.history.append(inflated, WindowBits::MAX.size());
        *fresh = output.len();
    }

    /// The payload of the message has ended: gives the state back.
    ///
    /// # Errors
    /// [`Violation`], if the payload stops inside a block.
    pub fn finish(&mut self) -> Result<(), Violation> {
        // A message whose payload has no octets is no DEFLATE, §7.2.3.6, but zlib makes it of an empty
        // message that follows another one. // Choice: it is an empty message.
        let Some(mut message) = self.message.take() else { return Ok(()) };
        if message.begun {
            let state = &mut message.work.state;
            let ended = skips(state, &TAIL, TAIL_LENGTH);
            match ended.then(|| stands_between_octets(state)) {
                Some(Some(begun)) => message.begun = begun,
                _ => return Err(message.blame(Violation::DeflateTruncated)),
            }
        }
        self.settle(message.work, message.begun);
        Ok(())
    }

    /// Lets go of the message that is under way, and of what it may refer to.
    pub fn forget(&mut self) {
        if let Some(message) = self.message.take() {
            self.pool.give_bench(message.work);
        }
        self.history.clear();
        self.stamp = Stamp::NONE;
    }

    /// Takes back what [`Inflater::inflate`] has appended to.
    pub fn recycle(&mut self, output: Vec<u8>) {
        if (LONG..=LONGEST).contains(&output.capacity()) {
            self.pool.give_spare(output);
        }
    }

    /// Keeps of the window what the next message may refer to. `begun` tells whether the state stands in
    /// a stream that goes on.
    fn settle(&mut self, work: Box<Bench>, begun: bool) {
        let window = self.direction.max_window;
        let stamp = self.pool.give_bench(work);
        self.stamp = Stamp::NONE;
        if self.direction.takeover == Takeover::NoContext {
            self.history.clear();
        } else if begun && (window == WindowBits::MAX || self.history.len() <= window.size()) {
            // The state's window is what is kept, too.
            self.stamp = stamp;
        } else {
            self.history.trim(window.size());
        }
    }
}

/// How far a single step came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// All input is used, and nothing more comes out.
    Through,
    /// There may be more.
    Halted,
}

impl Bench {
    /// Inflates `payload` as a whole message of at most `most` bytes; `None` if it is not, or longer.
    fn run_whole(&mut self, payload: &Payload<'_>, most: usize) -> Option<&[u8]> {
        let Self { state, buffer, short } = self;
        let end = payload.len().checked_add(TAIL.len())?;
        payload.copy_to(short.get_mut(..payload.len())?);
        short.get_mut(payload.len()..end)?.copy_from_slice(&TAIL);
        let target = buffer.get_mut(..most.min(BUFFER))?;
        let (start, before) = (state.total_in(), state.total_out());
        let (mut read, mut written) = (0, 0);
        let whole = end.checked_sub(1)?;
        // A block at a time: the last one is the empty block that the tail completes.
        while read < whole {
            let (rest, room, last) = (short.get(read..)?, target.get_mut(written..)?, read);
            if room.is_empty()
                || state.decompress(rest, room, InflateFlush::Block) != Ok(Status::Ok)
            {
                return None;
            }
            read = usize::try_from(state.total_in().wrapping_sub(start)).ok()?;
            let all = usize::try_from(state.total_out().wrapping_sub(before)).ok()?;
            // The last block has no content. It begins in the last octet of the payload or behind it: any
            // other block that reaches into the tail is longer, and may end between two octets or not.
            if read >= whole && (all != written || read.saturating_sub(last) > TAIL.len()) {
                return None;
            }
            written = all;
        }
        (read == whole).then_some(target.get(..written)?)
    }
}

impl Message {
    /// Lets the state work once and appends at most `room` bytes to `output`.
    fn step(
        &mut self,
        input: &mut &[u8],
        output: &mut Vec<u8>,
        room: usize,
        pool: &Pool,
    ) -> Result<Step, Violation> {
        let Bench { state, buffer, short } = &mut *self.work;
        let most = output.len().saturating_add(room);
        let room = room.min(buffer.len());
        let target = buffer.get_mut(..room).unwrap_or_default();
        let (read, written) = (state.total_in(), state.total_out());
        let result = state.decompress(input, target, InflateFlush::NoFlush);
        let read = usize::try_from(state.total_in().wrapping_sub(read)).unwrap_or(usize::MAX);
        let written = usize::try_from(state.total_out().wrapping_sub(written)).unwrap_or(room);
        let (used, rest) = input.split_at_checked(read).unwrap_or((input, &[]));
        // A fault lies in what is left, perhaps.
        let used = if result.is_ok() { used } else { *input };
        for (place, byte) in short.iter_mut().take(SHORT).skip(self.kept).zip(used) {
            *place = *byte;
        }
        self.kept = self.kept.saturating_add(used.len()).min(SHORT);
        *input = rest;
        if written >= LONG && output.capacity() == 0 {
            *output = pool.take_spare();
        }
        room::reserve(output, written, most);
        output.extend_from_slice(target.get(..written).unwrap_or_default());
        match result {
            Ok(Status::StreamEnd) => {
                // §7.2.3.4: a final block may stand anywhere, and the window goes on. It may be the one
                // that the tail of the message before has completed: then it is found out only now.
                self.behind_final |= self.kept > 0;
                self.begun = false;
                Ok(Step::Halted)
            }
            Ok(_) if written < room => Ok(Step::Through),
            Ok(_) => Ok(Step::Halted),
            Err(_) => Err(self.blame(self.fault_of_payload())),
        }
    }

    /// What is wrong with the payload.
    ///
    /// zlib-rs forgets it when it runs fast, so the payload is looked at once more, byte by byte. What
    /// stands in the window does not matter to that, only how much. Faults that lie behind what is kept
    /// go by the more general name, however the payload was cut.
    #[cold]
    fn fault_of_payload(&self) -> Violation {
        let mut state = Inflate::new(false, WindowBits::MAX.bits());
        if self.window > 0 {
            let _ = state.set_dictionary(&vec![0; self.window]);
        }
        let mut output = [0; 1024];
        for byte in self.work.short.iter().take(self.kept) {
            let mut input = core::slice::from_ref(byte);
            loop {
                let (read, written) = (state.total_in(), state.total_out());
                match state.decompress(input, &mut output, InflateFlush::NoFlush) {
                    Err(_) if state.error_message() == Some("invalid distance too far back") => {
                        return Violation::DeflateDistance;
                    }
                    Err(_) | Ok(Status::StreamEnd) => return Violation::DeflateInvalid,
                    Ok(_) => {}
                }
                if state.total_in() > read {
                    input = &[];
                }
                // Less than the buffer holds: all of the byte is used.
                if state.total_out().wrapping_sub(written) < output.len() as u64 {
                    break;
                }
            }
        }
        Violation::DeflateInvalid
    }

    const fn blame(&self, fault: Violation) -> Violation {
        if self.behind_final { Violation::DeflateBehindFinal } else { fault }
    }
}

/// Whether the state takes exactly `length` octets of `input` as blocks without content.
fn skips(state: &mut Inflate, input: &[u8], length: u64) -> bool {
    let (read, written) = (state.total_in(), state.total_out());
    let result = state.decompress(input, &mut [0], InflateFlush::Block);
    result == Ok(Status::Ok)
        && state.total_in().wrapping_sub(read) == length
        && state.total_out() == written
}

/// Whether no bits are left of the octet that ended a block, and if so, whether the stream goes on.
///
/// A block that ends inside the tail leaves bits that are all ones. With them in front, an empty block
/// is a final one, one of another length, or none.
fn stands_between_octets(state: &mut Inflate) -> Option<bool> {
    if state.decompress(&[], &mut [0], InflateFlush::NoFlush) == Ok(Status::StreamEnd) {
        return Some(false);
    }
    let skipped = skips(state, &EMPTY, EMPTY_LENGTH);
    let ended = state.decompress(&[], &mut [0], InflateFlush::NoFlush);
    (skipped && ended != Ok(Status::StreamEnd)).then_some(true)
}

/// Begins a new stream of DEFLATE behind what is in `history`.
fn restart(state: &mut Inflate, history: &History) {
    state.reset(false);
    for part in history.parts().into_iter().filter(|part| !part.is_empty()) {
        // Raw DEFLATE takes a dictionary at any time, also in parts.
        let _ = state.set_dictionary(part);
    }
}

//! A connection that is fed in chunks, and what it gave out.

use ws13::{Connection, Event, Violation};
use ws13_ledger::Ledger;

use crate::transcript::{Item, Transcript};

/// How text is taken out of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taking {
    /// As ASCII if it is, decoded otherwise.
    AsciiFirst,
    /// Decoded, whatever it is.
    Decoded,
    /// Not at all.
    Dropped,
}

/// See the module.
#[derive(Debug)]
pub struct End {
    /// The connection.
    pub connection: Connection,
    /// What came out.
    pub seen: Transcript,
    /// What was wrong, in full.
    pub violation: Option<Violation>,
    /// What it has allocated while it received.
    pub ledger: Ledger,
    taking: Taking,
    /// Bytes and chunks that went in, calls that this took.
    fed: usize,
    chunks: usize,
    calls: usize,
    /// Bytes of payload that came out, whether they were taken or not.
    made: usize,
    /// What a binary piece said was still to come of its frame.
    remaining: u64,
}

impl End {
    /// Nothing has come yet.
    #[must_use]
    pub fn new(connection: Connection, taking: Taking) -> Self {
        Self {
            connection,
            seen: Transcript::default(),
            violation: None,
            ledger: Ledger::default(),
            taking,
            fed: 0,
            chunks: 0,
            calls: 0,
            made: 0,
            remaining: 0,
        }
    }

    /// Feeds one chunk and takes all events of it.
    pub fn feed(&mut self, chunk: &[u8]) {
        let mut input = chunk;
        self.fed += chunk.len();
        self.chunks += 1;
        loop {
            self.calls += 1;
            let most = self.chunks + 2 * (self.fed + self.made) + 100;
            assert!(self.calls <= most, "it does not come to an end");
            let before = input.len();
            let held = self.connection.holds_event();
            let mark = self.ledger.open();
            let event = self.connection.receive(&mut input);
            self.ledger.close(mark);
            assert!(input.len() <= before, "input is only taken");
            assert!(before > 0 || held == event.is_some(), "an event is announced, or needs input");
            let Some(event) = event else { break };
            match event {
                Event::Text(mut text) => {
                    self.made += text.len();
                    let (mut buffer, mut scratch) = (vec![0; text.len()], Vec::new());
                    let ascii = match self.taking {
                        Taking::AsciiFirst if self.calls.is_multiple_of(2) => {
                            text.payload().copy_to(buffer.as_mut_slice());
                            text.take_ascii().then_some(text.ends())
                        }
                        Taking::AsciiFirst => text.copy_ascii(buffer.as_mut_slice()),
                        Taking::Decoded => None,
                        Taking::Dropped => {
                            self.seen.text("", text.ends());
                            continue;
                        }
                    };
                    if let Some(ends) = ascii {
                        self.seen.text(str::from_utf8(&buffer).expect("ASCII"), ends);
                    } else if let Some(decoded) = text.decode(&mut scratch) {
                        self.seen.text(decoded.text, decoded.ends);
                    }
                }
                Event::Binary(binary) => {
                    let length = binary.payload.len() as u64;
                    let announced = std::mem::replace(&mut self.remaining, binary.remaining);
                    assert!(announced == 0 || announced == length + binary.remaining);
                    assert!(binary.remaining == 0 || !binary.ends.frame);
                    self.made += binary.payload.len();
                    self.seen.binary(&binary.payload.to_vec(), binary.ends);
                }
                Event::Ping(payload) => self.seen.items.push(Item::Ping(payload.to_vec())),
                Event::Pong(payload) => self.seen.items.push(Item::Pong(payload.to_vec())),
                Event::Close(code, reason) => {
                    self.seen.items.push(Item::Close(code.0, reason.to_owned()));
                    assert!(input.is_empty(), "bytes behind a Close frame are discarded");
                }
                Event::Failed(violation) => {
                    self.seen.items.push(Item::Failed(violation.close_code().0));
                    self.violation = Some(violation);
                    assert!(input.is_empty(), "bytes behind a violation are discarded");
                }
            }
        }
        assert!(input.is_empty(), "all of the input is used before more is asked for");
    }

    /// The stream ends.
    pub fn eof(&mut self) {
        let over = self.seen.is_over();
        let surprised = self.connection.receive_eof();
        assert_eq!(surprised, !over, "the end is a surprise unless something has ended before");
        if surprised {
            self.seen.items.push(Item::Eof);
        }
    }

    /// Fails if it took more calls than the bytes that went in and the pieces that came out are worth.
    /// Only an extension gives out several pieces for one byte.
    pub fn check_steps(&self, piece: usize) {
        let most = self.chunks + 2 * self.fed + 2 * self.made / piece.max(1) + 4;
        assert!(self.calls <= most, "{} calls for {} bytes", self.calls, self.fed);
    }

    /// Feeds bytes and ends the stream, twice: nothing may come of it.
    pub fn check_silence(&mut self) {
        let before = self.seen.clone();
        for late in [[0x81, 0x00].as_slice(), &[0xFF; 20], &[], &[0x88, 0x80, 0, 0, 0, 0]] {
            self.feed(late);
        }
        for _ in 0..2 {
            assert!(!self.connection.receive_eof());
            assert_eq!(self.connection.state(), ws13::State::Closed);
            self.feed(&[0x89, 0x00]);
        }
        assert_eq!(self.seen, before, "nothing comes after the end");
    }
}

//! Two ends joined by a pipe that can cut bytes anywhere.

use ws13::extension::Extension;
use ws13::{Block, CloseCode, Connection, Event, Fin, MaskingKey, Misuse, Role};

use super::transcript::{Item, Transcript};

/// How text is taken out of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taking {
    /// As ASCII if it is, decoded otherwise.
    AsciiFirst,
    /// Decoded, whatever it is.
    Decoded,
    /// Checked and read again, whatever it is.
    InBlocks,
}

/// A connection, everything it has given out, and what that took.
#[derive(Debug)]
pub struct End {
    pub connection: Connection,
    pub seen: Transcript,
    pub taking: Taking,
    /// Events that came out.
    pub events: usize,
    /// Chunks that were fed.
    pub chunks: usize,
    keys: u32,
}

impl End {
    pub fn new(role: Role) -> Self {
        Self::of(Connection::new(role))
    }

    pub fn with_extensions(role: Role, extensions: Vec<Box<dyn Extension>>) -> Self {
        Self::of(Connection::with_extensions(role, extensions))
    }

    pub fn of(connection: Connection) -> Self {
        let seen = Transcript::default();
        Self { connection, seen, taking: Taking::AsciiFirst, events: 0, chunks: 0, keys: 0 }
    }

    pub fn taking(mut self, taking: Taking) -> Self {
        self.taking = taking;
        self
    }

    /// A masking key that no frame had before.
    pub fn key(&mut self) -> MaskingKey {
        self.keys = self.keys.wrapping_add(0x9E37_79B9);
        self.keys.to_be_bytes()
    }

    /// Feeds one chunk and takes all events of it. Whatever comes, the chunk is used up.
    pub fn feed(&mut self, chunk: &[u8]) {
        let mut input = chunk;
        self.chunks += 1;
        while let Some(event) = self.connection.receive(&mut input) {
            self.events += 1;
            match event {
                Event::Text(text) if self.taking == Taking::InBlocks => {
                    let mut scratch: Block = [0; size_of::<Block>()];
                    let (mut first, mut again) = (String::new(), Vec::new());
                    if let Some(checked) = text.check(&mut scratch, |block| first += block) {
                        let ends = checked.ends();
                        checked.read(|block| again.extend_from_slice(block));
                        assert_eq!(first.as_bytes(), again, "what is shown twice is the same");
                        self.seen.text(&first, ends);
                    }
                    assert!(first.len() == again.len(), "nothing is shown of what is not text");
                }
                Event::Text(mut text) => {
                    let mut buffer = vec![0; text.len()];
                    let ascii = match self.taking {
                        Taking::AsciiFirst => text.copy_ascii(buffer.as_mut_slice()),
                        Taking::Decoded | Taking::InBlocks => None,
                    };
                    if let Some(ends) = ascii {
                        self.seen.text(core::str::from_utf8(&buffer).expect("ASCII"), ends);
                    } else if let Some(decoded) = text.decode(&mut buffer) {
                        self.seen.text(decoded.text, decoded.ends);
                    }
                }
                Event::Binary(binary) => self.seen.binary(&binary.payload.to_vec(), binary.ends),
                Event::Ping(payload) => self.seen.items.push(Item::Ping(payload.to_vec())),
                Event::Pong(payload) => self.seen.items.push(Item::Pong(payload.to_vec())),
                Event::Close(code, reason) => {
                    self.seen.items.push(Item::Close(code.0, reason.to_owned()));
                    assert!(input.is_empty(), "bytes behind a Close frame are discarded");
                }
                Event::Failed(violation) => {
                    self.seen.items.push(Item::Failed(violation));
                    assert!(input.is_empty(), "bytes behind a violation are discarded");
                }
            }
        }
        assert!(input.is_empty(), "all of the input is used before more is asked for");
    }

    pub fn feed_all<'c>(&mut self, chunks: impl IntoIterator<Item = &'c [u8]>) {
        chunks.into_iter().for_each(|chunk| self.feed(chunk));
    }

    pub fn eof(&mut self) {
        if self.connection.receive_eof() {
            self.seen.items.push(Item::Eof);
        }
    }

    pub fn text(&mut self, text: &str, fin: Fin) -> Result<Vec<u8>, Misuse> {
        let key = self.key();
        Ok(self.connection.send_text(text, fin, || key)?.to_vec())
    }

    pub fn binary(&mut self, bytes: &[u8], fin: Fin) -> Result<Vec<u8>, Misuse> {
        let key = self.key();
        Ok(self.connection.send_binary(bytes, fin, || key)?.to_vec())
    }

    pub fn ping(&mut self, payload: &[u8]) -> Result<Vec<u8>, Misuse> {
        let key = self.key();
        Ok(self.connection.send_ping(payload, || key)?.to_vec())
    }

    pub fn pong(&mut self, payload: &[u8]) -> Result<Vec<u8>, Misuse> {
        let key = self.key();
        Ok(self.connection.send_pong(payload, || key)?.to_vec())
    }

    pub fn close(&mut self, code: u16, reason: &str) -> Result<Vec<u8>, Misuse> {
        let key = self.key();
        Ok(self.connection.send_close(CloseCode(code), reason, || key)?.to_vec())
    }
}

/// A client and a server, and the pipe between them, which cuts what it carries into pieces.
#[derive(Debug)]
pub struct Pair {
    pub client: End,
    pub server: End,
    sizes: Vec<usize>,
}

impl Pair {
    /// Two open ends; the pipe hands over as many bytes as `sizes` says, in turn.
    pub fn open(sizes: &[usize]) -> Self {
        let (client, server) = (End::new(Role::Client), End::new(Role::Server));
        Self { client, server, sizes: sizes.to_vec() }
    }

    /// The end of this role.
    pub fn end(&mut self, role: Role) -> &mut End {
        match role {
            Role::Client => &mut self.client,
            Role::Server => &mut self.server,
        }
    }

    /// Carries what the end of this role has sent to the other one.
    pub fn carry(&mut self, from: Role, bytes: &[u8]) {
        let sizes = self.sizes.clone();
        self.end(peer(from)).feed_all(cut(bytes, &sizes));
    }
}

/// The role at the other end.
pub fn peer(role: Role) -> Role {
    match role {
        Role::Client => Role::Server,
        Role::Server => Role::Client,
    }
}

/// `bytes` in pieces of these sizes, in turn; whole if there are none. A size of 0 is an empty chunk.
pub fn cut<'b>(bytes: &'b [u8], sizes: &[usize]) -> Vec<&'b [u8]> {
    if sizes.iter().all(|size| *size == 0) {
        return vec![bytes];
    }
    let mut chunks = Vec::new();
    let mut rest = bytes;
    for size in sizes.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (chunk, behind) = rest.split_at((*size).min(rest.len()));
        chunks.push(chunk);
        rest = behind;
    }
    chunks
}

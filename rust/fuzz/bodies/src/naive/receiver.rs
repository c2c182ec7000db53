//! What an end must make of the bytes that its peer sends, RFC 6455 §5 to §8 and RFC 7692: all of them are
//! there, and are read once from the beginning.

use ws13::Role;
use ws13::deflate::{Direction, Takeover};

use super::frame::{bytes, masked};
use super::inflate::Message as Inflate;
use super::is_close_code;
use crate::setup::Setup;
use crate::transcript::{Item, Partial, Transcript};

/// Why it does not go on.
enum Stop {
    /// More bytes are needed.
    Bytes,
    /// The peer's Close frame.
    Close(u16, String),
    /// This close code.
    Fail(u16),
}

const PROTOCOL: Stop = Stop::Fail(1002);
const NOT_UTF8: Stop = Stop::Fail(1007);
const NOT_DEFLATE: Stop = Stop::Fail(1007);
const TOO_BIG: Stop = Stop::Fail(1009);

struct Receiver<'w> {
    wire: &'w [u8],
    role: Role,
    setup: Setup,
    items: Vec<Item>,
    message: Option<Message>,
    /// What compressed messages may refer to.
    window: Vec<u8>,
}

/// A message that is under way.
struct Message {
    is_text: bool,
    /// As it comes out.
    payload: Vec<u8>,
    inflate: Option<Inflate>,
    frames: u64,
    /// Lengths of payloads that stay as they are.
    announced: u64,
}

/// The header of a frame.
struct Header {
    fin: bool,
    rsv1: bool,
    opcode: u8,
    length: u64,
    key: [u8; 4],
}

/// What comes out, and then what is kept of an unfinished message.
#[must_use]
pub fn receive(wire: &[u8], role: Role, setup: &Setup) -> Transcript {
    let (items, window) = (Vec::new(), Vec::new());
    let mut receiver = Receiver { wire, role, setup: *setup, items, message: None, window };
    let stop = loop {
        if let Err(stop) = receiver.frame() {
            break stop;
        }
    };
    let mut items = receiver.items;
    match stop {
        Stop::Bytes if setup.eof => items.push(Item::Eof),
        Stop::Bytes => {}
        Stop::Close(code, reason) => items.push(Item::Close(code, reason)),
        Stop::Fail(code) => items.push(Item::Failed(code)),
    }
    let partial = receiver.message.map(|message| match message.is_text {
        true => Partial::Text(text_of(&message.payload).0),
        false => Partial::Binary(message.payload),
    });
    Transcript { items, partial }.settled()
}

/// The characters at the beginning, and whether something follows that is none.
fn text_of(payload: &[u8]) -> (String, bool) {
    match str::from_utf8(payload) {
        Ok(text) => (text.to_owned(), false),
        Err(error) => {
            let good = &payload[..error.valid_up_to()];
            (String::from_utf8_lossy(good).into_owned(), error.error_len().is_some())
        }
    }
}

impl Receiver<'_> {
    fn frame(&mut self) -> Result<(), Stop> {
        let header = self.header()?;
        if header.opcode >= 8 {
            return self.control(&header);
        }
        self.begin(&header)?;
        let whole = self.wire.len() as u64 >= header.length;
        let length =
            if whole { usize::try_from(header.length).unwrap_or(0) } else { self.wire.len() };
        let payload = masked(&self.wire[..length], header.key);
        self.wire = &self.wire[length..];
        self.data(&payload)?;
        match (whole, header.fin) {
            (false, _) => Err(Stop::Bytes),
            (true, false) => Ok(()),
            (true, true) => self.end(),
        }
    }

    /// §5.2. What a byte shows is judged before the next one.
    fn header(&mut self) -> Result<Header, Stop> {
        let [first] = bytes(&mut self.wire).ok_or(Stop::Bytes)?;
        let (fin, rsv, opcode) = (first & 0x80 != 0, first >> 4 & 7, first & 15);
        let control = opcode >= 8;
        let allowed = if self.setup.deflate.is_some() { 4 } else { 0 };
        if !matches!(opcode, 0..=2 | 8..=10) || (control && !fin) || rsv & !allowed != 0 {
            return Err(PROTOCOL);
        }
        let [second] = bytes(&mut self.wire).ok_or(Stop::Bytes)?;
        let (is_masked, short) = (second & 0x80 != 0, second & 0x7F);
        // §5.1: what a client sends is masked, what a server sends is not.
        if is_masked != (self.role == Role::Server) || (control && short > 125) {
            return Err(PROTOCOL);
        }
        let length = match short {
            126 => {
                let length = u16::from_be_bytes(bytes(&mut self.wire).ok_or(Stop::Bytes)?);
                if length < 126 {
                    return Err(PROTOCOL);
                }
                u64::from(length)
            }
            127 => {
                if self.wire.first().is_some_and(|top| *top >= 128) {
                    return Err(PROTOCOL);
                }
                let length = u64::from_be_bytes(bytes(&mut self.wire).ok_or(Stop::Bytes)?);
                if length < 65536 {
                    return Err(PROTOCOL);
                }
                length
            }
            length => u64::from(length),
        };
        let key = if is_masked { bytes(&mut self.wire).ok_or(Stop::Bytes)? } else { [0; 4] };
        // RFC 7692 §6: on the first frame of a message and nowhere else.
        if rsv != 0 && (control || opcode == 0) {
            return Err(PROTOCOL);
        }
        Ok(Header { fin, rsv1: rsv != 0, opcode, length, key })
    }

    /// §5.5.
    fn control(&mut self, header: &Header) -> Result<(), Stop> {
        let length = usize::try_from(header.length).expect("at most 125");
        let payload = masked(self.wire.get(..length).ok_or(Stop::Bytes)?, header.key);
        self.wire = &self.wire[length..];
        match header.opcode {
            9 => self.items.push(Item::Ping(payload)),
            10 => self.items.push(Item::Pong(payload)),
            _ => return Err(close(&payload)),
        }
        Ok(())
    }

    /// §5.4, and the limits, which the header alone may cross.
    fn begin(&mut self, header: &Header) -> Result<(), Stop> {
        if (header.opcode == 0) != self.message.is_some() {
            return Err(PROTOCOL);
        }
        let window = &self.window;
        let message = self.message.get_or_insert_with(|| Message {
            is_text: header.opcode == 1,
            payload: Vec::new(),
            inflate: header.rsv1.then(|| Inflate::new(window)),
            frames: 0,
            announced: 0,
        });
        message.frames += 1;
        if message.inflate.is_none() {
            message.announced = message.announced.saturating_add(header.length);
        }
        let limits = &self.setup.limits;
        let beyond = |number: u64, limit: Option<u64>| limit.is_some_and(|limit| number > limit);
        if beyond(header.length, limits.frame)
            || beyond(message.frames, limits.fragments)
            || beyond(message.announced, limits.message)
        {
            return Err(TOO_BIG);
        }
        Ok(())
    }

    /// Payload of the message under way.
    fn data(&mut self, payload: &[u8]) -> Result<(), Stop> {
        let message = self.message.as_mut().expect("it has begun");
        let mut verdict = Ok(());
        match &mut message.inflate {
            None => message.payload.extend(payload),
            Some(inflate) => {
                verdict = inflate.push(payload).map_err(|_| NOT_DEFLATE);
                message.payload = inflate.inflated().to_vec();
                let limit = self.setup.limits.message.unwrap_or(u64::MAX);
                if message.payload.len() as u64 > limit {
                    // What is allowed comes out.
                    message.payload.truncate(usize::try_from(limit).expect("it is less"));
                    verdict = Err(TOO_BIG);
                }
            }
        }
        if message.is_text && text_of(&message.payload).1 {
            return Err(NOT_UTF8);
        }
        verdict
    }

    /// The last frame of the message is whole.
    fn end(&mut self) -> Result<(), Stop> {
        let mut message = self.message.take().expect("it has begun");
        if let Some(inflate) = &mut message.inflate {
            if inflate.finish().is_err() {
                self.message = Some(message);
                return Err(NOT_DEFLATE);
            }
            let Direction { takeover, max_window } = self.setup.deflate.expect("it is in use");
            self.window = match takeover {
                Takeover::Context => inflate.window(max_window.size()).to_vec(),
                Takeover::NoContext => Vec::new(),
            };
        }
        if !message.is_text {
            self.items.push(Item::Binary(message.payload));
            return Ok(());
        }
        match String::from_utf8(message.payload) {
            Ok(text) => self.items.push(Item::Text(text)),
            Err(error) => {
                self.message = Some(Message { payload: error.into_bytes(), ..message });
                return Err(NOT_UTF8);
            }
        }
        Ok(())
    }
}

/// §5.5.1 and §7.1.5.
fn close(payload: &[u8]) -> Stop {
    match payload {
        [] => Stop::Close(1005, String::new()),
        [_] => PROTOCOL,
        [high, low, reason @ ..] => {
            let code = u16::from_be_bytes([*high, *low]);
            match String::from_utf8(reason.to_vec()) {
                _ if !is_close_code(code) => PROTOCOL,
                Ok(reason) => Stop::Close(code, reason),
                Err(_) => NOT_UTF8,
            }
        }
    }
}

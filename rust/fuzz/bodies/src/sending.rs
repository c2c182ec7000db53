//! What one end sends, judged by what it puts on the wire: RFC 6455 §5 and RFC 7692 §6.

use ws13::deflate::{Direction, Takeover};
use ws13::{DataKind, Role};

use crate::naive::frame::Frame;
use crate::naive::inflate::Message as Inflate;
use crate::transcript::Item;

/// An end that is listened to.
#[derive(Debug)]
pub struct Sending {
    role: Role,
    /// What was agreed on what it sends.
    deflate: Option<Direction>,
    /// The message that is under way.
    pub message: Option<Outgoing>,
    window: Vec<u8>,
    /// What the peer has to receive.
    pub said: Vec<Item>,
}

/// A message that is being sent.
#[derive(Debug)]
pub struct Outgoing {
    /// What it carries.
    pub kind: DataKind,
    plain: Vec<u8>,
    inflate: Option<Inflate>,
}

impl Sending {
    /// Nothing has been sent.
    #[must_use]
    pub fn new(role: Role, deflate: Option<Direction>) -> Self {
        Self { role, deflate, message: None, window: Vec::new(), said: Vec::new() }
    }

    /// A frame and nothing else: its header is right for this end and its key the one that was given.
    fn frame(&self, wire: &[u8], key: [u8; 4]) -> Frame {
        let mut rest = wire;
        let frame = Frame::take(&mut rest).expect("it is whole");
        assert!(rest.is_empty(), "one frame");
        assert_eq!(frame.key, (self.role == Role::Client).then_some(key));
        assert_eq!(frame.encode(), wire, "it is minimal");
        frame
    }

    /// A piece of a message has gone out as `wire`; whether it was to be compressed, if that is known.
    pub fn data(
        &mut self,
        wire: &[u8],
        key: [u8; 4],
        (kind, plain, fin): (DataKind, &[u8], bool),
        compressed: Option<bool>,
    ) {
        let frame = self.frame(wire, key);
        let first = self.message.is_none();
        assert_eq!(frame.fin, fin);
        assert_eq!(frame.opcode, if first { kind.opcode().bits() } else { 0 });
        assert!(frame.rsv == 0 || (frame.rsv == 4 && first && self.deflate.is_some()));
        if let (Some(compressed), true) = (compressed, first) {
            assert_eq!(frame.rsv == 4, compressed && self.deflate.is_some());
        }
        let window = &self.window;
        let message = self.message.get_or_insert_with(|| Outgoing {
            kind,
            plain: Vec::new(),
            inflate: (frame.rsv == 4).then(|| Inflate::new(window)),
        });
        message.plain.extend(plain);
        match &mut message.inflate {
            None => assert_eq!(frame.payload, plain),
            Some(inflate) => {
                inflate.push(&frame.payload).expect("DEFLATE");
                assert_eq!(inflate.inflated(), message.plain, "all of it can be inflated");
            }
        }
        if fin {
            self.finish();
        }
    }

    fn finish(&mut self) {
        let mut message = self.message.take().expect("it is under way");
        if let (Some(inflate), Some(direction)) = (&mut message.inflate, self.deflate) {
            inflate.finish().expect("it is whole");
            assert!(inflate.farthest <= direction.max_window.size(), "as far as agreed");
            self.window = match direction.takeover {
                Takeover::Context => inflate.window(direction.max_window.size()).to_vec(),
                Takeover::NoContext => Vec::new(),
            };
        }
        self.said.push(match message.kind {
            DataKind::Text => Item::Text(String::from_utf8(message.plain).expect("it was text")),
            DataKind::Binary => Item::Binary(message.plain),
        });
    }

    /// A Ping or a Pong has gone out.
    pub fn control(&mut self, wire: &[u8], key: [u8; 4], opcode: u8, payload: &[u8]) {
        let frame = self.frame(wire, key);
        assert_eq!((frame.fin, frame.rsv, frame.opcode), (true, 0, opcode));
        assert_eq!(frame.payload, payload);
        let payload = payload.to_vec();
        self.said.push(if opcode == 9 { Item::Ping(payload) } else { Item::Pong(payload) });
    }

    /// A Close frame has gone out.
    pub fn close(&mut self, wire: &[u8], key: [u8; 4], code: u16, reason: &str) {
        let frame = self.frame(wire, key);
        assert_eq!((frame.fin, frame.rsv, frame.opcode), (true, 0, 8));
        let (code, body) = match code {
            1005 => (1005, &[] as &[u8]),
            // These must not be sent; a normal closure stands for them.
            1006 | 1015 => (1000, &frame.payload[2..]),
            code => (code, &frame.payload[2..]),
        };
        let told = frame.payload.first_chunk().map_or(1005, |code| u16::from_be_bytes(*code));
        assert_eq!(told, code);
        assert!(reason.as_bytes().starts_with(body) && frame.payload.len() <= 125);
        assert!(body.len() == reason.len() || body.len() > 119, "as much as fits");
        let reason = str::from_utf8(body).expect("it is cut between characters");
        self.said.push(Item::Close(code, reason.to_owned()));
    }
}

//! Any calls in any order on one connection, against a model of RFC 6455 §7.

use std::sync::Arc;

use arbitrary::{Arbitrary, Unstructured};
use ws13::deflate::{Level, Options, Parameters, PerMessageDeflate, Pool};
use ws13::extension::Compression;
use ws13::{CloseCode, Connection, DataKind, Fin, Framing, Limits, MaskingKey, Misuse, Role, Step};

use crate::cuts::{cut, sizes};
use crate::end::{End, Taking};
use crate::naive::frame::Frame;
use crate::naive::lifecycle::Lifecycle;
use crate::naive::{is_close_code, receiver};
use crate::sending::Sending;
use crate::setup::{Setup, direction};
use crate::transcript::Item;

/// How the connection is made.
#[derive(Debug, Arbitrary)]
struct Plan {
    is_client: bool,
    /// What was agreed for either direction, if there is permessage-deflate; level and threshold.
    deflate: Option<([u8; 2], u8, u8)>,
    calls: Vec<Call>,
}

#[derive(Debug, Arbitrary)]
enum Call {
    Text { text: String, times: u8, fin: bool, compression: Option<bool> },
    Binary { bytes: Vec<u8>, times: u8, fin: bool, compression: Option<bool> },
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close { code: Code, reason: String, times: u8 },
    Receive { frame: Received, cuts: [u8; 2] },
    Raw(Vec<u8>),
    GiveUp,
    Release,
    Eof,
}

/// Codes near those where something changes, or any.
#[derive(Debug, Clone, Copy, Arbitrary)]
enum Code {
    Near(u8),
    Any(u16),
}

impl Code {
    fn number(self) -> u16 {
        match self {
            Self::Any(code) => code,
            Self::Near(byte) => {
                [995, 1005, 2995, 4995][usize::from(byte % 4)] + u16::from(byte / 4 % 16)
            }
        }
    }
}

/// A frame of the peer.
#[derive(Debug, Arbitrary)]
enum Received {
    Data { opcode: u8, fin: bool, payload: Vec<u8> },
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<(Code, String)>),
    Any { fin: bool, rsv: u8, opcode: u8, is_masked: bool, payload: Vec<u8> },
}

/// The calls in words.
#[must_use]
pub fn describe(data: &[u8]) -> String {
    format!("{:#?}", Plan::arbitrary_take_rest(Unstructured::new(data)))
}

/// See the README.
pub fn run(data: &[u8]) {
    if let Ok(plan) = Plan::arbitrary_take_rest(Unstructured::new(data)) {
        Session::new(&plan).play(plan.calls);
    }
}

/// The connection and its model.
struct Session {
    role: Role,
    setup: Setup,
    end: End,
    lifecycle: Lifecycle,
    sending: Sending,
    threshold: usize,
    /// All that was received while that counted.
    wire: Vec<u8>,
    /// The connection has failed by our own decision.
    gave_up: bool,
    keys: u32,
}

impl Session {
    fn new(plan: &Plan) -> Self {
        let role = if plan.is_client { Role::Client } else { Role::Server };
        let pool: Arc<Pool> = Arc::default();
        let mut connection = Connection::new(role);
        let agreed = plan.deflate.map(|(agreed, ..)| agreed.map(direction));
        if let (Some((_, level, threshold)), Some([client, server])) = (plan.deflate, agreed) {
            let level = Level::new(1 + level % 9).expect("1 to 9");
            let options = Options { level, threshold: usize::from(threshold) };
            let parameters = Parameters { client, server };
            let deflate = PerMessageDeflate::new(role, &parameters, options, &pool);
            connection = Connection::with_extensions(role, vec![Box::new(deflate)]);
        }
        let directions = agreed.map(|[client, server]| match role {
            Role::Client => (client, server),
            Role::Server => (server, client),
        });
        Self {
            role,
            setup: Setup {
                eof: false,
                closing: false,
                to_be_masked: false,
                deflate: directions.map(|(_, received)| received),
                limits: Limits::DEFAULT,
                cuts: [0, 0],
            },
            end: End::new(connection, Taking::AsciiFirst),
            lifecycle: Lifecycle::default(),
            sending: Sending::new(role, directions.map(|(sent, _)| sent)),
            threshold: plan.deflate.map_or(0, |(.., threshold)| usize::from(threshold)),
            wire: Vec::new(),
            gave_up: false,
            keys: 0,
        }
    }

    fn key(&mut self) -> MaskingKey {
        self.keys = self.keys.wrapping_add(0x9E37_79B9);
        self.keys.to_be_bytes()
    }

    fn play(mut self, calls: Vec<Call>) {
        for call in calls {
            match call {
                Call::Text { text, times, fin, compression } => {
                    let text = text.repeat(usize::from(times) % 40);
                    self.data(DataKind::Text, text.as_bytes(), fin, compression);
                }
                Call::Binary { bytes, times, fin, compression } => {
                    let bytes = bytes.repeat(usize::from(times) * 9);
                    self.data(DataKind::Binary, &bytes, fin, compression);
                }
                Call::Ping(payload) => self.control(9, &payload),
                Call::Pong(payload) => self.control(10, &payload),
                Call::Close { code, reason, times } => {
                    self.close(code.number(), &reason.repeat(usize::from(times % 20)));
                }
                Call::Receive { frame, cuts } => {
                    let bytes = self.encode(frame);
                    self.receive(&bytes, &sizes(cuts));
                }
                Call::Raw(bytes) => self.receive(&bytes, &[]),
                Call::GiveUp => {
                    self.end.connection.give_up();
                    self.gave_up |= self.lifecycle.may_receive();
                    self.lifecycle.failed |= self.gave_up;
                }
                Call::Release => self.end.connection.release(),
                Call::Eof => self.eof(),
            }
            assert_eq!(self.end.connection.state(), self.lifecycle.state());
        }
    }

    fn data(&mut self, kind: DataKind, plain: &[u8], fin: bool, compression: Option<bool>) {
        let compression = match compression {
            None => Compression::Automatic,
            Some(true) => Compression::Always,
            Some(false) => Compression::Never,
        };
        let framing = Framing { fin: if fin { Fin::Yes } else { Fin::No }, compression };
        let key = self.key();
        let connection = &mut self.end.connection;
        let state = connection.state();
        let sent = match kind {
            DataKind::Text => {
                connection.send_text(str::from_utf8(plain).expect("text"), framing, || key)
            }
            DataKind::Binary => connection.send_binary(plain, framing, || key),
        };
        let open = self.sending.message.as_ref().map(|message| message.kind);
        match sent {
            Ok(sent) => {
                assert!(self.lifecycle.may_send() && open.is_none_or(|open| open == kind));
                let compressed = match compression {
                    Compression::Automatic => !fin || plain.len() >= self.threshold,
                    chosen => chosen == Compression::Always,
                };
                let wire = sent.to_vec();
                assert_eq!(wire.len(), sent.len());
                self.sending.data(&wire, key, (kind, plain, fin), Some(compressed));
            }
            Err(misuse) if !self.lifecycle.may_send() => {
                assert_eq!(misuse, Misuse::State(state, Step::SendFrame));
            }
            Err(misuse) => {
                assert_eq!(misuse, Misuse::DataKindChanged);
                assert!(open.is_some_and(|open| open != kind));
            }
        }
    }

    fn control(&mut self, opcode: u8, payload: &[u8]) {
        let key = self.key();
        let connection = &mut self.end.connection;
        let state = connection.state();
        let sent = match opcode {
            9 => connection.send_ping(payload, || key),
            _ => connection.send_pong(payload, || key),
        };
        match sent {
            Ok(sent) => {
                assert!(self.lifecycle.may_send() && payload.len() <= 125);
                self.sending.control(&sent.to_vec(), key, opcode, payload);
            }
            Err(misuse) if !self.lifecycle.may_send() => {
                assert_eq!(misuse, Misuse::State(state, Step::SendFrame));
            }
            Err(misuse) => {
                assert_eq!(misuse, Misuse::ControlPayloadTooLong(payload.len()));
                assert!(payload.len() > 125);
            }
        }
    }

    fn close(&mut self, code: u16, reason: &str) {
        let key = self.key();
        let state = self.end.connection.state();
        let sent = self.end.connection.send_close(CloseCode(code), reason, || key);
        let can_be_sent = match code {
            1005 => reason.is_empty(),
            1006 | 1015 => true,
            code => is_close_code(code),
        };
        match sent {
            Ok(sent) => {
                assert!(self.lifecycle.may_close() && can_be_sent, "{code} {reason}");
                self.sending.close(&sent.to_vec(), key, code, reason);
                self.lifecycle.sent_close = true;
            }
            Err(misuse) if !self.lifecycle.may_close() => {
                assert_eq!(misuse, Misuse::State(state, Step::SendClose));
            }
            Err(misuse) => {
                let expected = match code {
                    1005 => Misuse::CloseReasonWithoutCode,
                    code => Misuse::CloseCode(u64::from(code)),
                };
                assert_eq!(misuse, expected);
                assert!(!can_be_sent);
            }
        }
    }

    fn encode(&mut self, received: Received) -> Vec<u8> {
        let right = self.role == Role::Server;
        let key = self.key();
        let frame = |opcode, fin, payload| Frame {
            fin,
            rsv: 0,
            opcode,
            key: right.then_some(key),
            payload,
        };
        match received {
            Received::Data { opcode, fin, payload } => frame(opcode % 3, fin, payload),
            Received::Ping(payload) => frame(9, true, payload),
            Received::Pong(payload) => frame(10, true, payload),
            Received::Close(None) => frame(8, true, Vec::new()),
            Received::Close(Some((code, reason))) => {
                frame(8, true, [&code.number().to_be_bytes(), reason.as_bytes()].concat())
            }
            Received::Any { fin, rsv, opcode, is_masked, payload } => Frame {
                fin,
                rsv: rsv % 8,
                opcode: opcode % 16,
                key: is_masked.then_some(key),
                payload,
            },
        }
        .encode()
    }

    fn receive(&mut self, bytes: &[u8], sizes: &[usize]) {
        for chunk in cut(bytes, sizes) {
            self.end.feed(chunk);
        }
        if !self.lifecycle.may_receive() {
            // Nothing of it counts.
            assert_eq!(self.judged(), self.end.seen.clone().settled());
            return;
        }
        self.wire.extend(bytes);
        let expected = self.judged();
        self.lifecycle.received_close = matches!(expected.items.last(), Some(Item::Close(..)));
        self.lifecycle.failed = matches!(expected.items.last(), Some(Item::Failed(_)));
        assert_eq!(self.end.seen.clone().settled(), expected);
    }

    fn judged(&self) -> crate::transcript::Transcript {
        let mut expected = receiver::receive(&self.wire, self.role, &self.setup);
        if self.lifecycle.gone && self.end.seen.items.last() == Some(&Item::Eof) {
            expected.items.push(Item::Eof);
        }
        expected
    }

    fn eof(&mut self) {
        let surprised = self.end.connection.receive_eof();
        assert_eq!(
            surprised,
            self.lifecycle.may_receive(),
            "a surprise unless something has ended"
        );
        if surprised {
            self.end.seen.items.push(Item::Eof);
        }
        self.lifecycle.gone = true;
    }
}

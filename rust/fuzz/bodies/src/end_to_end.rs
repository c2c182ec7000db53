//! A client and a server of ours, from the request to the end, with a wire between them that may change
//! what it carries.

use std::sync::Arc;

use arbitrary::{Arbitrary, Unstructured};
use ws13::deflate::{NAME, Options, Parameters, PerMessageDeflate, Pool, accept, finalize, offer};
use ws13::handshake::extensions::parse;
use ws13::handshake::{Accept, ClientHandshake, Request, Response, ServerHandshake};
use ws13::{CloseCode, Connection, DataKind, Fin, Limits, MaskingKey, Role};

use crate::cuts::{cut, sizes};
use crate::end::{End, Taking};
use crate::naive::receiver;
use crate::sending::Sending;
use crate::setup::{Setup, direction};
use crate::transcript::Item;

#[derive(Debug, Arbitrary)]
struct Plan {
    /// What each end wants of either direction, if both want permessage-deflate.
    wishes: Option<[[u8; 2]; 2]>,
    cuts: [u8; 2],
    steps: Vec<Step>,
}

#[derive(Debug, Arbitrary)]
struct Step {
    by_client: bool,
    says: Says,
    change: Option<Change>,
}

#[derive(Debug, Arbitrary)]
enum Says {
    Text {
        text: String,
        fin: bool,
    },
    Binary {
        bytes: Vec<u8>,
        times: u8,
        fin: bool,
    },
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close {
        code: u16,
        reason: String,
    },
    /// The same bytes as the last time.
    Again,
}

/// What happens to the bytes on their way.
#[derive(Debug, Clone, Copy, Arbitrary)]
enum Change {
    Flip { at: u16, bits: u8 },
    Remove { at: u16 },
    Insert { at: u16, byte: u8 },
    Truncate { at: u16 },
}

/// The calls in words.
#[must_use]
pub fn describe(data: &[u8]) -> String {
    format!("{:#?}", Plan::arbitrary_take_rest(Unstructured::new(data)))
}

/// See the README.
pub fn run(data: &[u8]) {
    let Ok(plan) = Plan::arbitrary_take_rest(Unstructured::new(data)) else { return };
    let sizes = sizes(plan.cuts);
    let wishes = plan.wishes.map(|both| both.map(parameters));
    let agreed = opened(wishes, &sizes);
    let pool = Arc::default();
    let mut client = Peer::new(Role::Client, agreed, &pool);
    let mut server = Peer::new(Role::Server, agreed, &pool);
    for Step { by_client, says, change } in plan.steps {
        let (from, to) =
            if by_client { (&mut client, &mut server) } else { (&mut server, &mut client) };
        let again = matches!(says, Says::Again);
        let mut bytes = from.say(says);
        to.changed |= again && !bytes.is_empty();
        if let Some(change) = change {
            to.changed |= change.apply(&mut bytes);
        }
        to.hear(&bytes, &sizes, &from.sending.said);
    }
}

fn parameters([client, server]: [u8; 2]) -> Parameters {
    Parameters { client: direction(client), server: direction(server) }
}

/// The handshake, with either end's wishes: what both have agreed on.
fn opened(wishes: Option<[Parameters; 2]>, sizes: &[usize]) -> Option<Parameters> {
    let mut client = ClientHandshake::default();
    let mut request = Request::new("example.com", "/chat");
    request.subprotocols = vec!["chat".to_owned()];
    request.extensions = wishes.iter().map(|[wanted, _]| offer(wanted)).collect();
    let bytes = client.request(&request, *b"the sample nonce").expect("it is good");

    let mut server = ServerHandshake::default();
    let mut received = None;
    for chunk in cut(&bytes, sizes) {
        received = received.or(server.receive(chunk).expect("it is good"));
    }
    let received = received.expect("it is whole");
    let told = (&received.host, &received.target, &received.subprotocols, &received.extensions);
    let sent = (&request.host, &request.target, &request.subprotocols, &request.extensions);
    assert_eq!(told, sent, "what was asked for has come");
    let answered = wishes.map(|[_, wanted]| {
        let offers = parse(received.extensions[0].as_bytes()).expect("it was read before");
        accept(&offers[0], &wanted).expect("an offer of ours is accepted")
    });
    let answer = Accept {
        subprotocol: Some("chat".to_owned()),
        extensions: answered.iter().map(|(_, text)| text.clone()).collect(),
        ..Accept::default()
    };
    let bytes = [server.accept(&answer).expect("it is good").as_slice(), b"behind"].concat();

    let (mut accepted, mut behind) = (None, Vec::new());
    for chunk in cut(&bytes, sizes) {
        if accepted.is_some() {
            behind.extend(chunk);
        } else if let Some(response) = client.receive(chunk).expect("it is good") {
            let Response::Accept(accept) = response else { panic!("{response:?}") };
            accepted = Some(accept);
            behind = client.take_early_data();
        }
    }
    let accepted = accepted.expect("it is whole");
    assert_eq!(behind, b"behind", "what stands behind the head is kept");
    assert_eq!(
        (&accepted.subprotocol, &accepted.extensions),
        (&answer.subprotocol, &answer.extensions)
    );
    let wanted = wishes.map(|[wanted, _]| wanted)?;
    let answers = parse(accepted.extensions[0].as_bytes()).expect("it was read before");
    assert_eq!(answers[0].name, NAME);
    let agreed = finalize(&answers[0], &wanted).expect("an answer of ours is agreed to");
    assert_eq!(Some(agreed), answered.map(|(agreed, _)| agreed), "both come to the same");
    Some(agreed)
}

/// One end, what it has sent, and what it has got.
struct Peer {
    role: Role,
    end: End,
    sending: Sending,
    setup: Setup,
    wire: Vec<u8>,
    /// What it has got is not what was sent.
    changed: bool,
    last: Vec<u8>,
    keys: u32,
}

impl Peer {
    fn new(role: Role, agreed: Option<Parameters>, pool: &Arc<Pool>) -> Self {
        let mut connection = Connection::new(role);
        if let Some(agreed) = agreed {
            let deflate = PerMessageDeflate::new(role, &agreed, Options::DEFAULT, pool);
            connection = Connection::with_extensions(role, vec![Box::new(deflate)]);
        }
        let setup = Setup {
            eof: false,
            closing: false,
            to_be_masked: false,
            deflate: agreed.map(|agreed| agreed.received_by(role)),
            limits: Limits::DEFAULT,
            cuts: [0, 0],
        };
        Self {
            role,
            end: End::new(connection, Taking::AsciiFirst),
            sending: Sending::new(role, agreed.map(|agreed| agreed.sent_by(role))),
            setup,
            wire: Vec::new(),
            changed: false,
            last: Vec::new(),
            keys: 0,
        }
    }

    /// The bytes that go out, none if it must not be said.
    fn say(&mut self, says: Says) -> Vec<u8> {
        self.keys = self.keys.wrapping_add(0x9E37_79B9);
        let key: MaskingKey = self.keys.to_be_bytes();
        let connection = &mut self.end.connection;
        let fin = |fin: bool| if fin { Fin::Yes } else { Fin::No };
        let sent = match says {
            Says::Text { text, fin: last } => {
                let sent = connection.send_text(&text, fin(last), || key).map(|sent| sent.to_vec());
                sent.inspect(|wire| {
                    let said = (DataKind::Text, text.as_bytes(), last);
                    self.sending.data(wire, key, said, Some(true));
                })
            }
            Says::Binary { bytes, times, fin: last } => {
                let bytes = bytes.repeat(usize::from(times) * 5);
                let sent =
                    connection.send_binary(&bytes, fin(last), || key).map(|sent| sent.to_vec());
                sent.inspect(|wire| {
                    self.sending.data(wire, key, (DataKind::Binary, &bytes, last), Some(true));
                })
            }
            Says::Ping(payload) => {
                let sent = connection.send_ping(&payload, || key).map(|sent| sent.to_vec());
                sent.inspect(|wire| self.sending.control(wire, key, 9, &payload))
            }
            Says::Pong(payload) => {
                let sent = connection.send_pong(&payload, || key).map(|sent| sent.to_vec());
                sent.inspect(|wire| self.sending.control(wire, key, 10, &payload))
            }
            Says::Close { code, reason } => {
                let code = 1000 + code % 20;
                let sent = connection.send_close(CloseCode(code), &reason, || key);
                sent.map(|sent| sent.to_vec())
                    .inspect(|wire| self.sending.close(wire, key, code, &reason))
            }
            Says::Again => return self.last.clone(),
        };
        self.last = sent.unwrap_or_default();
        self.last.clone()
    }

    /// All that has come is judged as the naive receiver judges it; and if nothing was changed it is what
    /// was said.
    fn hear(&mut self, bytes: &[u8], sizes: &[usize], said: &[Item]) {
        for chunk in cut(bytes, sizes) {
            self.end.feed(chunk);
        }
        self.wire.extend(bytes);
        let expected = receiver::receive(&self.wire, self.role, &self.setup);
        assert_eq!(self.end.seen.clone().settled(), expected);
        if !self.changed {
            assert_eq!(expected.items, said, "what was said has come");
        }
    }
}

impl Change {
    /// Whether there was something to be changed.
    fn apply(self, bytes: &mut Vec<u8>) -> bool {
        if bytes.is_empty() {
            return false;
        }
        let (Self::Flip { at, .. }
        | Self::Remove { at }
        | Self::Insert { at, .. }
        | Self::Truncate { at }) = self;
        let at = usize::from(at) % bytes.len();
        match self {
            Self::Flip { bits, .. } => bytes[at] ^= bits,
            Self::Remove { .. } => drop(bytes.remove(at)),
            Self::Insert { byte, .. } => bytes.insert(at, byte),
            Self::Truncate { .. } => bytes.truncate(at),
        }
        true
    }
}

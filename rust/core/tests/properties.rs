//! What holds for all bytes and all cuts: the properties of the design, checked on random input.

#![cfg(test)]
#![expect(clippy::arithmetic_side_effects, reason = "tests count without fear")]

#[expect(dead_code, reason = "each test file uses a part of it")]
mod support;

use proptest::collection::vec;
use proptest::prelude::*;
use support::frames::{Frame, decode};
use support::handshake::{ClientRun, ServerRun, request_bytes};
use support::pipe::{End, Taking, cut, peer};
use support::transcript::{Item, Transcript};
use ws13::handshake::{Accept, ServerHandshake};
use ws13::{Fin, HandshakeLimits, Role, State};

fn config() -> ProptestConfig {
    ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() }
}

fn roles() -> impl Strategy<Value = Role> {
    prop_oneof![Just(Role::Client), Just(Role::Server)]
}

fn takings() -> impl Strategy<Value = Taking> {
    prop_oneof![Just(Taking::AsciiFirst), Just(Taking::Decoded), Just(Taking::InBlocks)]
}

/// Sizes of chunks, small ones above all; some are empty.
fn sizes() -> impl Strategy<Value = Vec<usize>> {
    vec(prop_oneof![4 => 0..4_usize, 1 => 4..80_usize], 1..8)
}

/// Any frame, legal or not: payloads are often text and often close bodies.
fn frames(sender: Role) -> impl Strategy<Value = Frame> {
    let payload = prop_oneof![
        2 => vec(any::<u8>(), 0..20),
        3 => "\\PC{0,8}".prop_map(String::into_bytes),
        1 => (999_u16..1016, "[a-zé]{0,5}")
            .prop_map(|(code, reason)| [&code.to_be_bytes(), reason.as_bytes()].concat()),
        1 => vec(any::<u8>(), 120..130),
    ];
    let opcode = prop_oneof![9 => prop_oneof![0..=2_u8, 8..=10_u8], 1 => 0..16_u8];
    let rsv = prop_oneof![20 => Just(0_u8), 1 => 1..8_u8];
    (prop::bool::weighted(0.7), rsv, opcode, prop::bool::weighted(0.97), payload).prop_map(
        move |(fin, rsv, opcode, right, payload)| {
            let masked = (sender == Role::Client) == right;
            Frame { fin: fin || opcode >= 8, rsv, opcode, masked, payload }
        },
    )
}

/// The stream of a peer that mostly knows the protocol.
fn streams(receiver: Role) -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        12 => frames(peer(receiver)).prop_map(|frame| frame.encode()),
        1 => vec(any::<u8>(), 0..16),
    ];
    vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

fn streams_with_roles() -> impl Strategy<Value = (Role, Vec<u8>)> {
    roles().prop_flat_map(|role| (Just(role), streams(role)))
}

/// What an end says.
#[derive(Debug, Clone)]
enum Say {
    Text(Vec<String>),
    Binary(Vec<Vec<u8>>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
}

fn conversations() -> impl Strategy<Value = Vec<Say>> {
    let control = || vec(any::<u8>(), 0..=125);
    let long = prop_oneof![5 => 0..40_usize, 1 => 120..140_usize, 1 => 65530..65540_usize];
    let say = prop_oneof![
        vec("\\PC{0,20}", 1..4).prop_map(Say::Text),
        vec(vec(any::<u8>(), 0..40), 1..4).prop_map(Say::Binary),
        long.prop_map(|length| Say::Binary(vec![vec![0xA5; length]])),
        control().prop_map(Say::Ping),
        control().prop_map(Say::Pong),
    ];
    vec(say, 0..8)
}

/// Sends all of it; what the other end has to receive.
fn said(end: &mut End, conversation: &[Say]) -> (Vec<u8>, Vec<Item>) {
    let (mut bytes, mut items) = (Vec::new(), Vec::new());
    for say in conversation {
        let fin = |at: usize, all: usize| if at + 1 == all { Fin::Yes } else { Fin::No };
        match say {
            Say::Text(parts) => {
                for (at, part) in parts.iter().enumerate() {
                    bytes.extend(end.text(part, fin(at, parts.len())).unwrap());
                }
                items.push(Item::Text(parts.concat()));
            }
            Say::Binary(parts) => {
                for (at, part) in parts.iter().enumerate() {
                    bytes.extend(end.binary(part, fin(at, parts.len())).unwrap());
                }
                items.push(Item::Binary(parts.concat()));
            }
            Say::Ping(payload) => {
                bytes.extend(end.ping(payload).unwrap());
                items.push(Item::Ping(payload.clone()));
            }
            Say::Pong(payload) => {
                bytes.extend(end.pong(payload).unwrap());
                items.push(Item::Pong(payload.clone()));
            }
        }
    }
    (bytes, items)
}

fn received(role: Role, bytes: &[u8], sizes: &[usize], taking: Taking) -> End {
    let mut end = End::new(role).taking(taking);
    end.feed_all(cut(bytes, sizes));
    end
}

/// An acceptance behind an interim response, and rejections in all framings.
const RESPONSES: [&[u8]; 4] = [
    b"HTTP/1.1 100 \r\n\r\nHTTP/1.1 101 \r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n\x81\x02hi",
    b"HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\nX: y\r\n\r\n\
        3;x=y\r\nabc\r\n0a\r\n0123456789\r\n0\r\nT: u\r\n\r\nbehind",
    b"HTTP/1.1 403 No\r\nContent-Length: 4\r\n\r\nbodybehind",
    b"HTTP/1.1 403 No\r\n\r\nuntil the end",
];

/// A head with a few bytes changed, taken out or put in.
fn damaged(head: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![any::<u8>(), prop::sample::select(b" \t\r\n:,;=\"/x0".as_slice())];
    let change = (any::<prop::sample::Index>(), byte, 0..3_u8);
    vec(change, 0..4).prop_map(move |changes| {
        let mut head = head.clone();
        for (index, byte, what) in changes {
            let at = index.index(head.len());
            match what {
                0 => head[at] = byte,
                1 => drop(head.remove(at)),
                _ => head.insert(at, byte),
            }
        }
        head
    })
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_cut_of_any_bytes_gives_the_same_transcript(
        (role, bytes) in streams_with_roles(), sizes in sizes(), taking in takings()
    ) {
        let whole = received(role, &bytes, &[], Taking::AsciiFirst);
        let parts = received(role, &bytes, &sizes, taking);
        prop_assert_eq!(whole.connection.state(), parts.connection.state());
        prop_assert_eq!(whole.seen.settled(), parts.seen.settled());
    }

    #[test]
    fn each_byte_is_worth_one_event_at_most(
        (role, bytes) in streams_with_roles(), sizes in sizes()
    ) {
        let end = received(role, &bytes, &sizes, Taking::Decoded);
        prop_assert!(end.events <= bytes.len() + 1);
        // Text comes out as it went in; nothing is made up.
        prop_assert!(end.seen.payload_bytes() <= bytes.len());
    }

    #[test]
    fn nothing_comes_after_the_end(
        (role, bytes) in streams_with_roles(), late in vec(any::<u8>(), 0..40)
    ) {
        let mut end = received(role, &bytes, &[], Taking::AsciiFirst);
        if end.seen.end().is_none() {
            end.eof();
        }
        end.seen = Transcript::default();
        end.feed(&late);
        end.feed(&Frame::sent_by(peer(role), 1, b"late").encode());
        end.eof();
        end.eof();
        prop_assert_eq!(&end.seen, &Transcript::default());
        prop_assert_eq!(end.connection.state(), State::Closed);
    }

    #[test]
    fn what_is_kept_between_reads_does_not_grow(
        (role, bytes) in streams_with_roles(), sizes in sizes()
    ) {
        let mut end = End::new(role);
        for chunk in cut(&bytes, &sizes) {
            end.feed(chunk);
            // A control frame and a header, five characters a byte, among the names of the fields.
            let held = format!("{:?}", end.connection).len();
            prop_assert!(held < 1000 + (125 + 14) * 5, "{held} characters");
            if end.seen.end().is_some_and(|item| matches!(item, Item::Failed(_))) {
                let let_go = format!("{:?}", end.connection).contains("control: None");
                prop_assert!(let_go, "a failure keeps nothing");
            }
        }
    }

    #[test]
    fn a_conversation_arrives_as_it_was_said(
        role in roles(), conversation in conversations(), sizes in sizes(), taking in takings()
    ) {
        let (bytes, items) = said(&mut End::new(role), &conversation);
        let end = received(peer(role), &bytes, &sizes, taking);
        prop_assert!(end.seen.items == items && end.seen.partial.is_none());
        prop_assert_eq!(end.connection.state(), State::Open);
    }

    #[test]
    fn what_is_sent_is_what_a_naive_reader_finds(
        role in roles(), conversation in conversations()
    ) {
        let (bytes, _) = said(&mut End::new(role), &conversation);
        for frame in decode(&bytes) {
            prop_assert_eq!((frame.rsv, frame.masked), (0, role == Role::Client));
            prop_assert!(frame.opcode < 3 || frame.fin);
        }
        // Our lengths are minimal: a naive writer makes as many bytes of them.
        let lengths: usize = decode(&bytes).iter().map(|frame| frame.encode().len()).sum();
        prop_assert_eq!(lengths, bytes.len());
    }

    #[test]
    fn any_cut_of_a_damaged_request_gives_the_same_verdict(
        bytes in damaged([request_bytes(&["a", "b"]), b"\x89\x80abcd".to_vec()].concat()),
        sizes in sizes()
    ) {
        let run = |sizes: &[usize]| {
            let mut run = ServerRun::new(Accept::default());
            cut(&bytes, sizes).into_iter().for_each(|chunk| run.feed(chunk));
            run.eof();
            (run.error, run.requests, run.open.map(|end| end.seen.settled()))
        };
        prop_assert_eq!(run(&sizes), run(&[]));
    }

    #[test]
    fn any_cut_of_a_damaged_response_gives_the_same_verdict(
        bytes in prop::sample::select(RESPONSES.as_slice())
            .prop_flat_map(|good| damaged(good.to_vec())),
        sizes in sizes()
    ) {
        let run = |sizes: &[usize]| {
            let mut run = ClientRun::new(Vec::new());
            cut(&bytes, sizes).into_iter().for_each(|chunk| run.feed(chunk));
            run.eof();
            let open = run.open.map(|end| end.seen.settled());
            (run.error, run.accepts, run.rejects, run.body, run.finished, open)
        };
        prop_assert_eq!(run(&sizes), run(&[]));
    }

    #[test]
    fn what_a_handshake_holds_stays_within_its_limits(
        line in "[a-z]{1,30}", sizes in sizes(), lines in 0..200_usize
    ) {
        let limits = HandshakeLimits { head: 600, early_data: 100, ..HandshakeLimits::DEFAULT };
        let mut server = ServerHandshake::new(limits);
        let bytes = format!("GET / HTTP/1.1\r\n{}", format!("{line}: x\r\n").repeat(lines));
        for chunk in cut(bytes.as_bytes(), &sizes) {
            let failed = server.receive(chunk).is_err();
            let held = format!("{server:?}").len();
            prop_assert!(held < 1000 + 600 * 5, "{held} characters");
            prop_assert!(!failed || held < 1000, "{held} characters after a failure");
        }
    }
}

//! permessage-deflate, RFC 7692: two ends that share states with others, what each fault is called, and
//! what happens when a frame does not go out.

#![cfg(test)]
#![expect(clippy::arithmetic_side_effects, reason = "tests count without fear")]

#[expect(dead_code, reason = "each test file uses a part of it")]
mod support;

use std::sync::Arc;

use proptest::prelude::*;
use support::extensions::{POLICY, Refuse};
use support::frames::{Frame, decode};
use support::pipe::End;
use support::transcript::Item;
use ws13::deflate::{
    Direction, Level, Options, Parameters, PerMessageDeflate, Pool, Takeover, WindowBits,
};
use ws13::extension::{Compression, Extension};
use ws13::{Connection, Event, Fin, Framing, Limits, Misuse, Role, State, Violation};

fn end(role: Role, parameters: &Parameters, options: Options, pool: &Arc<Pool>) -> End {
    let deflate = PerMessageDeflate::new(role, parameters, options, pool);
    End::with_extensions(role, vec![Box::new(deflate)])
}

fn plain_end(role: Role) -> End {
    end(role, &Parameters::DEFAULT, Options::DEFAULT, &Arc::default())
}

fn compressed(payload: &[u8]) -> Frame {
    Frame::sent_by(Role::Client, 2, payload).with_rsv(4)
}

fn direction() -> impl Strategy<Value = Direction> {
    let takeover = prop_oneof![Just(Takeover::Context), Just(Takeover::NoContext)];
    (takeover, 8_u8..=15).prop_map(|(takeover, bits)| Direction {
        takeover,
        max_window: WindowBits::new(bits).expect("a window"),
    })
}

fn parameters() -> impl Strategy<Value = Parameters> {
    (direction(), direction()).prop_map(|(client, server)| Parameters { client, server })
}

/// The lowest eight bits.
fn low(number: usize) -> u8 {
    number.to_le_bytes()[0]
}

/// A payload that repeats what was sent before, near and far.
fn payload() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => proptest::collection::vec(prop_oneof![Just(b'a'), Just(b'b'), any::<u8>()], 0..80),
        2 => (1_usize..3000, any::<u8>()).prop_map(|(size, seed)| {
            (0..size).map(|i| low(i * 7 / 3) ^ seed.wrapping_mul(low(i / 256))).collect()
        }),
        1 => (1_usize..60_000).prop_map(|size| b"The quick brown fox. ".iter().copied().cycle()
            .take(size).collect()),
    ]
}

#[derive(Debug, Clone)]
struct Sending {
    /// Which of the connections, and from which end.
    pair: usize,
    from: Role,
    pieces: Vec<Vec<u8>>,
    compression: Compression,
}

fn sending() -> impl Strategy<Value = Sending> {
    let compression = prop_oneof![
        Just(Compression::Automatic),
        Just(Compression::Always),
        Just(Compression::Never)
    ];
    let from = prop_oneof![Just(Role::Client), Just(Role::Server)];
    (0_usize..6, from, proptest::collection::vec(payload(), 1..4), compression)
        .prop_map(|(pair, from, pieces, compression)| Sending { pair, from, pieces, compression })
}

proptest! {
    /// Six connections, more than there are states to send with, so that each of them goes on with its
    /// own state now and starts over from its history then.
    #[test]
    fn what_one_end_sends_is_what_the_other_receives_however_states_are_shared(
        parameters in proptest::collection::vec(parameters(), 6),
        level in 1_u8..=9,
        threshold in 0_usize..200,
        sendings in proptest::collection::vec(sending(), 1..40),
        piece in prop_oneof![Just(1_usize), Just(100), Just(65536)],
    ) {
        let pool = Arc::new(Pool::new());
        let options = Options { level: Level::new(level).expect("a level"), threshold };
        let limits = Limits { piece, ..Limits::DEFAULT };
        let mut pairs: Vec<_> = parameters.iter().map(|parameters| {
            [Role::Client, Role::Server].map(|role| {
                let deflate = PerMessageDeflate::new(role, parameters, options, &pool);
                let connection = Connection::with_extensions(role, vec![Box::new(deflate)]);
                End::of(connection.with_limits(&limits))
            })
        }).collect();
        for Sending { pair, from, pieces, compression } in sendings {
            let [client, server] = &mut pairs[pair];
            let (sender, receiver) = match from {
                Role::Client => (client, server),
                Role::Server => (server, client),
            };
            let last = pieces.len() - 1;
            let mut so_far = Vec::new();
            for (i, piece) in pieces.iter().enumerate() {
                let fin = if i == last { Fin::Yes } else { Fin::No };
                let key = sender.key();
                let framing = Framing { fin, compression };
                let sent = sender.connection.send_binary(piece, framing, || key).unwrap().to_vec();
                receiver.feed(&sent);
                so_far.extend_from_slice(piece);
                // §7.2.1: what was flushed can be inflated as soon as it is there.
                prop_assert_eq!(receiver.seen.payload_bytes(), so_far.len());
            }
            prop_assert_eq!(&receiver.seen.items, &[Item::Binary(so_far)]);
            receiver.seen = Default::default();
        }
    }
}

#[test]
fn each_fault_of_a_compressed_payload_has_its_name_its_code_and_its_section() {
    let final_block = [0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
    for (payload, violation, section) in [
        (&[0x07, 0x00][..], Violation::DeflateInvalid, "RFC 7692 7.2.2"),
        (&[0x00, 0x05, 0x00, 0x00, 0x00], Violation::DeflateInvalid, "RFC 7692 7.2.2"),
        (&[0xf2, 0x00, 0x11, 0x00, 0x00], Violation::DeflateDistance, "RFC 7692 7.1.2"),
        (&[0xf2, 0x48, 0xcd], Violation::DeflateTruncated, "RFC 7692 7.2.2"),
        (
            &[&final_block[..], b"\xff\xff"].concat(),
            Violation::DeflateBehindFinal,
            "RFC 7692 7.2.3.4",
        ),
        (&[&final_block[..], b"\xf2"].concat(), Violation::DeflateBehindFinal, "RFC 7692 7.2.3.4"),
    ] {
        let mut server = plain_end(Role::Server);
        server.feed(&compressed(payload).encode());
        assert_eq!(server.seen.items, [Item::Failed(violation)], "{payload:02x?}");
        assert_eq!(violation.close_code().0, 1007);
        assert_eq!(violation.section(), section);
        assert!(violation.to_string().ends_with(&format!("({section})")), "{violation}");
        assert_eq!(server.connection.state(), State::Failed);
        assert!(!server.connection.holds_event());
    }
}

#[test]
fn a_fault_has_one_name_however_the_payload_is_cut_and_whatever_came_before() {
    // A final block of its own, completed by the four octets that the receiver adds.
    let ends_final = compressed(b"\xf2\x48\xcd\xc9\xc9\x07\x04").encode();
    // A dynamic block whose header reaches into the four octets, and that ends inside the last one.
    let leaves_bits = b"\xec\xc6\x21\x04\0\0\0\0\x20\x80\xff\xff\xff\xb3\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f";
    let far = b"\x4a\x04\x96\x02\x49\x49\x49\x49\x49\x49\x49\x49\x49\x49\0\0";
    for (payload, wanted) in [
        (&b"\xf2\x48\xcd"[..], Some(Violation::DeflateTruncated)),
        (b"\xf2\x48\xcd\xc9\xc9\x07\x00", None),
        (far, Some(Violation::DeflateDistance)),
        (leaves_bits, Some(Violation::DeflateTruncated)),
    ] {
        for before in [&[][..], &ends_final] {
            let frame = compressed(payload).encode();
            let outcome = |size: usize| {
                let mut server = plain_end(Role::Server);
                server.feed(before);
                server.feed_all(frame.chunks(size));
                server.seen.items.last().cloned()
            };
            let whole = outcome(frame.len());
            if let Some(violation) = wanted {
                assert_eq!(whole, Some(Item::Failed(violation)));
            }
            for size in 1..frame.len() {
                assert_eq!(outcome(size), whole, "{payload:02x?} in chunks of {size}");
            }
        }
    }
}

#[test]
fn a_bomb_is_refused_behind_the_last_byte_that_is_allowed() {
    let mut client = plain_end(Role::Client);
    let bomb = client.binary(&vec![0; 10_000_000], Fin::Yes).unwrap();
    assert!(bomb.len() < 20_000);
    let limits = Limits { message: Some(1_000_000), ..Limits::DEFAULT };
    let deflate = PerMessageDeflate::new(
        Role::Server,
        &Parameters::DEFAULT,
        Options::DEFAULT,
        &Arc::default(),
    );
    let mut server =
        Connection::with_extensions(Role::Server, vec![Box::new(deflate)]).with_limits(&limits);
    let (mut input, mut given) = (bomb.as_slice(), 0);
    loop {
        match server.receive(&mut input).expect("an event") {
            Event::Binary(piece) => {
                assert!(piece.payload.len() <= limits.piece && !piece.ends.message);
                given += piece.payload.len();
            }
            Event::Failed(violation) => {
                assert_eq!(violation, Violation::InflatedTooBig(1_000_000));
                assert_eq!(violation.close_code().0, 1009);
                break;
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(given, 1_000_000);
    assert!(server.receive(&mut bomb.as_slice()).is_none());
}

#[test]
fn a_frame_that_does_not_go_out_leaves_nothing_behind_to_refer_to() {
    let deflate = PerMessageDeflate::new(
        Role::Server,
        &Parameters::DEFAULT,
        Options::DEFAULT,
        &Arc::default(),
    );
    // Outwards the chain is passed from last to first: the message is deflated, then refused.
    let chain: Vec<Box<dyn Extension>> = vec![Box::new(Refuse), Box::new(deflate)];
    let mut refusing = Connection::with_extensions(Role::Server, chain);
    let refused = refusing.send_text("Hello", Fin::Yes, || [0; 4]);
    assert_eq!(refused.unwrap_err(), Misuse::Extension(POLICY));

    let mut deflate = PerMessageDeflate::new(
        Role::Server,
        &Parameters::DEFAULT,
        Options::DEFAULT,
        &Arc::default(),
    );
    let mut frames = [b"Hello"; 2].map(|text| {
        let mut frame = ws13::extension::Outbound {
            opcode: ws13::Opcode::Text,
            fin: true,
            rsv: ws13::Rsv::NONE,
            compression: Compression::Automatic,
        };
        let mut payload = text[..].into();
        deflate.outbound(&mut frame, &mut payload).unwrap();
        deflate.outbound_failed();
        payload.into_owned()
    });
    assert_eq!(frames[0], frames[1], "the second one does not know of the first");
    frames[0] = b"\xf2\x48\xcd\xc9\xc9\x07\x00".to_vec();
    assert_eq!(frames[0], frames[1], "RFC 7692 7.2.3.1");
}

#[test]
fn messages_below_the_threshold_and_those_that_must_not_be_are_not_compressed() {
    let options = Options { threshold: 10, ..Options::DEFAULT };
    let mut server = end(Role::Server, &Parameters::DEFAULT, options, &Arc::default());
    let mut rsv = |text: &str, fin, compression| {
        let framing = Framing { fin, compression };
        let sent = server.connection.send_text(text, framing, || [0; 4]).unwrap().to_vec();
        decode(&sent)[0].rsv
    };
    assert_eq!(rsv("123456789", Fin::Yes, Compression::Automatic), 0);
    assert_eq!(rsv("1234567890", Fin::Yes, Compression::Automatic), 4);
    assert_eq!(rsv("1", Fin::Yes, Compression::Always), 4);
    assert_eq!(rsv("1234567890", Fin::Yes, Compression::Never), 0);
    assert_eq!(rsv("1", Fin::No, Compression::Automatic), 4, "nobody knows how long it becomes");
    assert_eq!(rsv("2", Fin::Yes, Compression::Never), 0, "a continuation has no RSV1");
    assert_eq!(rsv("1", Fin::No, Compression::Never), 0);
    assert_eq!(rsv("2", Fin::Yes, Compression::Always), 0, "the first frame has decided");
}

#[test]
fn a_window_smaller_than_agreed_is_kept_to_from_message_to_message() {
    let small = Direction { takeover: Takeover::Context, max_window: WindowBits::new(9).unwrap() };
    let agreed = Parameters { client: small, ..Parameters::DEFAULT };
    let mut server = end(Role::Server, &agreed, Options::DEFAULT, &Arc::default());
    let mut client = plain_end(Role::Client);
    let text: String = (0..300).map(|i| char::from(b'a' + low(i * i % 23))).collect();
    for _ in 0..2 {
        // 600 bytes, then the same again: farther back than 512 bytes.
        let message = client.binary(&[text.as_bytes(), &[b'.'; 300]].concat(), Fin::Yes).unwrap();
        server.feed(&message);
    }
    let [Item::Binary(first), Item::Failed(violation)] = &server.seen.items[..] else {
        panic!("{:?}", server.seen);
    };
    assert_eq!((first.len(), *violation), (600, Violation::DeflateDistance));
}

#[test]
fn a_connection_that_is_over_keeps_no_state() {
    let pool = Arc::new(Pool::new());
    let open = || end(Role::Server, &Parameters::DEFAULT, Options::DEFAULT, &pool);
    let unfinished = compressed(b"\xf2\x48").unfinished().encode();
    let close = Frame::sent_by(Role::Client, 8, b"").encode();
    let ends: [fn(&mut End, &[u8]); 4] = [
        |server, close| {
            server.feed(close);
            server.close(1000, "").unwrap();
        },
        |server, close| {
            server.close(1000, "").unwrap();
            server.feed(close);
        },
        |server, _| server.eof(),
        |server, _| server.feed(&[0xFF]),
    ];
    for finish in ends {
        let mut server = open();
        server.feed(&unfinished);
        assert!(Arc::strong_count(&pool) > 1);
        finish(&mut server, &close);
        assert_eq!(Arc::strong_count(&pool), 1);
    }
}

//! RFC 6455 §5, frames: the examples of the RFC, lengths, masking, and what a connection holds of
//! what it receives.

#![cfg(test)]

#[expect(dead_code, reason = "each test file uses a part of it")]
mod support;

use support::frames::{Frame, decode};
use support::pipe::{End, Pair, cut, peer};
use support::transcript::Item;
use ws13::{Connection, Event, Fin, Header, Opcode, Role, Rsv, Violation, parse_header};

const ROLES: [Role; 2] = [Role::Client, Role::Server];

fn received(role: Role, bytes: &[u8]) -> Vec<Item> {
    let mut end = End::new(role);
    end.feed(bytes);
    end.seen.items
}

#[test]
fn the_examples_of_section_5_7_are_read_as_the_rfc_says() {
    let hello = || vec![Item::Text("Hello".to_owned())];
    assert_eq!(received(Role::Client, b"\x81\x05Hello"), hello());
    assert_eq!(received(Role::Server, b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"), hello());
    assert_eq!(received(Role::Client, b"\x01\x03Hel\x80\x02lo"), hello());
    assert_eq!(received(Role::Client, b"\x89\x05Hello"), [Item::Ping(b"Hello".to_vec())]);
    let pong = received(Role::Server, b"\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58");
    assert_eq!(pong, [Item::Pong(b"Hello".to_vec())]);
    for (start, length) in
        [(&b"\x82\x7e\x01\x00"[..], 256), (b"\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00", 65536)]
    {
        let payload = vec![0; length];
        assert_eq!(received(Role::Client, &[start, &payload].concat()), [Item::Binary(payload)]);
    }
}

#[test]
fn the_examples_of_section_5_7_are_written_as_the_rfc_says() {
    let key = || [0x37, 0xfa, 0x21, 0x3d];
    let mut server = Connection::new(Role::Server);
    let hello = server.send_text("Hello", Fin::Yes, key).unwrap().to_vec();
    assert_eq!(hello, b"\x81\x05Hello");
    let mut client = Connection::new(Role::Client);
    let hello = client.send_text("Hello", Fin::Yes, key).unwrap().to_vec();
    assert_eq!(hello, b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58");
}

#[test]
fn payloads_of_every_kind_of_length_go_from_end_to_end() {
    for role in ROLES {
        for length in [0, 1, 3, 124, 125, 126, 127, 128, 65534, 65535, 65536, 65537] {
            let payload: Vec<u8> = (0..=255).cycle().take(length).collect();
            let mut pair = Pair::open(&[3, 1, 4, 1000]);
            let bytes = pair.end(role).binary(&payload, Fin::Yes).unwrap();
            assert!(decode(&bytes) == [Frame::sent_by(role, 2, &payload)], "{length}");
            pair.carry(role, &bytes);
            assert!(pair.end(peer(role)).seen.items == [Item::Binary(payload)], "{length}");
        }
    }
}

#[test]
fn a_client_asks_for_a_key_once_a_frame_and_a_server_never() {
    let mut keys = 0;
    let mut key = || {
        keys += 1;
        [1, 2, 3, 4]
    };
    let mut server = Connection::new(Role::Server);
    server.send_text("x", Fin::No, &mut key).unwrap();
    server.send_ping(b"", &mut key).unwrap();
    let mut client = Connection::new(Role::Client);
    client.send_binary(b"", Fin::Yes, &mut key).unwrap();
    client.send_pong(b"", &mut key).unwrap();
    client.send_close(ws13::CloseCode::NORMAL_CLOSURE, "", &mut key).unwrap();
    // Nor is one wasted on what is not sent.
    client.send_ping(b"", &mut key).unwrap_err();
    assert_eq!(keys, 3);
}

#[test]
fn a_sent_frame_is_as_long_as_it_says_wherever_it_is_written() {
    for role in ROLES {
        for length in [0, 125, 126, 65536] {
            let payload = vec![7; length];
            let mut connection = Connection::new(role);
            let sent = connection.send_binary(&payload, Fin::Yes, || [9, 8, 7, 6]).unwrap();
            let mut written = vec![0_u8; sent.len()];
            sent.copy_to(&mut written);
            assert!(written == sent.to_vec());
        }
    }
}

#[test]
fn a_declared_length_is_believed_only_as_far_as_bytes_come() {
    for role in ROLES {
        let masked = u8::from(role == Role::Server) << 7;
        for length in [1 << 31, u64::from(u32::MAX) + 1, 1 << 62, (1 << 63) - 1_u64] {
            let mut bytes = [&[0x82, masked | 127][..], &length.to_be_bytes()].concat();
            bytes.resize(bytes.len() + if masked == 0 { 0 } else { 4 }, 0);
            bytes.extend(b"abc");
            let mut end = End::new(role);
            end.feed_all(cut(&bytes, &[1]));
            assert_eq!(end.seen.payload_bytes(), 3);
            assert!(end.seen.items.is_empty());
        }
        let mut end = End::new(role);
        end.feed(&[0x82, masked | 127, 0x80]);
        let violation = Violation::LengthOutOfRange(1 << 63);
        assert_eq!(end.seen.items, [Item::Failed(violation)], "on the byte with the bit");
    }
}

#[test]
fn every_header_of_two_bytes_has_the_verdict_that_the_connection_has() {
    for role in ROLES {
        for [first, second] in (0..=u16::MAX).map(u16::to_be_bytes) {
            let bytes = [first, second];
            let parsed = parse_header(&bytes, role, Rsv::NONE);
            let mut end = End::new(role);
            end.feed_all([&bytes[..1], &bytes[1..]]);
            let failed = match end.seen.items.as_slice() {
                [Item::Failed(violation)] => Some(*violation),
                _ => None,
            };
            match parsed {
                Err(violation) => assert_eq!(failed, Some(violation), "{bytes:x?}"),
                // Where a continuation may stand, the header alone does not know.
                Ok(Some((header, 2))) if header.opcode == Opcode::Continuation => {
                    assert_eq!(failed, Some(Violation::UnexpectedContinuation));
                }
                Ok(_) => assert_eq!(failed, None, "{bytes:x?}"),
            }
        }
    }
}

#[test]
fn a_header_that_is_written_is_read_back_with_its_length() {
    for role in ROLES {
        for payload_length in [0, 125, 126, 65535, 65536, (1 << 63) - 1] {
            for (rsv, fin) in [(Rsv::NONE, true), (Rsv::ALL, false)] {
                let masking_key = (role == Role::Server).then_some([5, 6, 7, 8]);
                let opcode = Opcode::Binary;
                let header = Header { fin, rsv, opcode, masking_key, payload_length };
                let bytes = header.encode();
                let bytes = bytes.as_bytes();
                assert_eq!(parse_header(bytes, role, Rsv::ALL), Ok(Some((header, bytes.len()))));
                for cut in 0..bytes.len() {
                    assert_eq!(parse_header(&bytes[..cut], role, Rsv::ALL), Ok(None));
                }
            }
        }
    }
}

#[test]
fn control_frames_inside_a_message_come_out_at_their_place() {
    for role in ROLES {
        let mut pair = Pair::open(&[1]);
        let end = pair.end(role);
        let bytes = [
            end.text("a", Fin::No).unwrap(),
            end.ping(b"1").unwrap(),
            end.text("b", Fin::No).unwrap(),
            end.pong(&[b'2'; 125]).unwrap(),
            end.text("c", Fin::Yes).unwrap(),
            end.binary(b"d", Fin::Yes).unwrap(),
        ];
        pair.carry(role, &bytes.concat());
        let items = [
            Item::Ping(b"1".to_vec()),
            Item::Pong(vec![b'2'; 125]),
            Item::Text("abc".to_owned()),
            Item::Binary(b"d".to_vec()),
        ];
        assert_eq!(pair.end(peer(role)).seen.items, items);
    }
}

#[test]
fn a_text_event_that_nobody_takes_is_validated_all_the_same() {
    let mut client = Connection::new(Role::Client);
    for (mut input, fails) in [(&b"\x01\x04ab\xe2\x82"[..], false), (&b"\x80\x01x"[..], true)] {
        assert!(matches!(client.receive(&mut input), Some(Event::Text(_))));
        let next = client.receive(&mut input);
        assert_eq!(matches!(next, Some(Event::Failed(Violation::TextNotUtf8(_)))), fails);
    }
}

#[test]
fn the_pieces_of_a_message_say_which_ends_they_reach() {
    let mut client = Connection::new(Role::Client);
    let mut ends = |mut input: &[u8]| match client.receive(&mut input) {
        Some(Event::Binary(binary)) => (binary.ends.frame, binary.ends.message),
        other => panic!("{other:?}"),
    };
    assert_eq!(ends(b"\x02\x02a"), (false, false));
    assert_eq!(ends(b"b"), (true, false));
    assert_eq!(ends(b"\x00\x00"), (true, false));
    assert_eq!(ends(b"\x80\x02c"), (false, false));
    assert_eq!(ends(b"d"), (true, true));
}

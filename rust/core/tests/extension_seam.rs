//! The seam where extensions meet frames, RFC 6455 §9: reserved bits, payloads that change and grow,
//! refusals, chains, and the way out.

#![cfg(test)]
#![expect(clippy::arithmetic_side_effects, reason = "tests count without fear")]

#[expect(dead_code, reason = "each test file uses a part of it")]
mod support;

use std::borrow::Cow;

use support::extensions::{POLICY, Refuse, Repeat, Sign, Upper};
use support::frames::{Frame, decode};
use support::pipe::{End, Taking, cut};
use support::transcript::{Item, Transcript};
use ws13::extension::{Extension, Flow, INTAKE, Outbound, PIECE, Part, Refused};
use ws13::{CloseCode, Connection, Event, Fin, Misuse, Role, Rsv, State, Violation};

fn server(extensions: Vec<Box<dyn Extension>>) -> End {
    End::with_extensions(Role::Server, extensions)
}

fn frame(opcode: u8, payload: &[u8]) -> Frame {
    Frame::sent_by(Role::Client, opcode, payload)
}

/// The transcript of `bytes`, which must be the same for all cuts.
fn received(make: impl Fn() -> Vec<Box<dyn Extension>>, bytes: &[u8]) -> Transcript {
    let mut first = None;
    for sizes in [&[][..], &[1], &[2], &[7, 0, 3], &[1460], &[PIECE + 1]] {
        if sizes.first().is_some_and(|size| bytes.len() > size * 5000) {
            continue;
        }
        for taking in [Taking::AsciiFirst, Taking::Decoded, Taking::InBlocks] {
            let mut end = server(make()).taking(taking);
            end.feed_all(cut(bytes, sizes));
            let seen = end.seen.settled();
            assert_eq!(*first.get_or_insert_with(|| seen.clone()), seen, "{sizes:?}");
        }
    }
    first.expect("there is a cut")
}

#[test]
fn an_extension_turns_the_payloads_of_all_frames_into_others() {
    let bytes = [
        frame(1, b"ab").unfinished().encode(),
        frame(9, b"ping").encode(),
        frame(0, b"c").unfinished().encode(),
        frame(0, b"").encode(),
        frame(2, b"\xffx").encode(),
        frame(1, "für".as_bytes()).encode(),
        frame(8, b"\x03\xe8bye").encode(),
    ];
    let seen = received(|| vec![Box::new(Upper)], &bytes.concat());
    let items = [
        Item::Ping(b"PING".to_vec()),
        Item::Text("ABC".to_owned()),
        Item::Binary(b"\xffX".to_vec()),
        Item::Text("FüR".to_owned()),
        Item::Close(1000, "BYE".to_owned()),
    ];
    assert_eq!(seen.items, items);
}

#[test]
fn a_control_frame_that_an_extension_makes_too_long_is_refused_both_ways() {
    let bytes = frame(9, b"x").encode();
    let mut connection = Connection::with_extensions(Role::Server, vec![Box::new(Longer)]);
    let mut input = bytes.as_slice();
    let event = connection.receive(&mut input);
    assert!(matches!(event, Some(Event::Failed(Violation::ControlFrameTooLong))), "{event:?}");

    let mut connection = Connection::with_extensions(Role::Server, vec![Box::new(Longer)]);
    let refused = connection.send_close(CloseCode::NORMAL_CLOSURE, "", || [0; 4]);
    assert_eq!(refused.unwrap_err(), Misuse::ControlPayloadTooLong(202));
    assert_eq!(connection.state(), State::Open);
}

/// Adds 200 bytes to every payload.
struct Longer;

impl Extension for Longer {
    fn claims(&self) -> Rsv {
        Rsv::NONE
    }

    fn inbound_header(&mut self, _: &ws13::Header) -> Result<Rsv, Violation> {
        Ok(Rsv::NONE)
    }

    fn inbound(
        &mut self,
        input: &mut &[u8],
        _: Part,
        _: usize,
        output: &mut Vec<u8>,
    ) -> Result<Flow, Violation> {
        output.extend_from_slice(std::mem::take(input));
        output.extend_from_slice(&[0; 200]);
        Ok(Flow::Done)
    }

    fn outbound(&mut self, _: &mut Outbound, payload: &mut Cow<'_, [u8]>) -> Result<(), Refused> {
        payload.to_mut().extend_from_slice(&[0; 200]);
        Ok(())
    }
}

#[test]
fn a_payload_that_grows_comes_in_pieces_that_stay_small() {
    let payload: Vec<u8> = (0..=255).cycle().take(INTAKE + INTAKE / 2).collect();
    let bytes = frame(2, &payload).with_rsv(4).encode();
    let mut connection =
        Connection::with_extensions(Role::Server, vec![Repeat::boxed(Rsv::RSV1, 5)]);
    let (mut input, mut pieces, mut ended) = (bytes.as_slice(), Vec::new(), false);
    while let Some(event) = connection.receive(&mut input) {
        let Event::Binary(binary) = event else { panic!("{event:?}") };
        assert!(!ended && binary.payload.len() <= PIECE);
        ended = binary.ends.message;
        assert_eq!(binary.ends.frame, ended);
        pieces.push(binary.payload.to_vec());
    }
    assert!(ended && input.is_empty());
    assert_eq!(pieces.len(), 2 + 1, "two pieces of a full input, then one of the half one");
    let wanted = [payload[..INTAKE].repeat(5), payload[INTAKE..].repeat(5)].concat();
    assert!(pieces.concat() == wanted);
}

#[test]
fn text_that_grows_may_be_cut_inside_a_code_point() {
    for taking in [Taking::AsciiFirst, Taking::Decoded, Taking::InBlocks] {
        let mut end = server(vec![Repeat::boxed(Rsv::RSV1, PIECE)]).taking(taking);
        end.feed(&frame(1, "€".as_bytes()).with_rsv(4).encode());
        assert_ne!(PIECE % "€".len(), 0, "the first piece ends inside a code point");
        assert_eq!(end.events, 3);
        assert!(end.seen.items == [Item::Text("€".repeat(PIECE))]);
    }
}

#[test]
fn a_reserved_bit_fails_unless_an_extension_claims_it_and_understands_it_here() {
    let claims = || vec![Repeat::boxed(Rsv::RSV1, 2), Repeat::boxed(Rsv::RSV2, 3)];
    for bits in 0..8 {
        let seen = received(claims, &frame(2, b"x").with_rsv(bits).encode());
        let times = [1, 2].map(|bit: usize| [bit + 1, 1][usize::from(bits & [4, 2][bit - 1] == 0)]);
        let wanted = match bits & 1 {
            0 => Item::Binary(b"x".repeat(times[0] * times[1])),
            _ => Item::Failed(Violation::ReservedBits(bits << 4)),
        };
        assert_eq!(seen.items, [wanted], "{bits:03b}");
    }
    for opcode in [0, 8, 9, 10] {
        let start = frame(1, b"a").unfinished().encode();
        let bytes = [start, frame(opcode, b"").with_rsv(6).encode()].concat();
        let seen = received(claims, &bytes);
        assert_eq!(seen.items, [Item::Failed(Violation::ReservedBits(0x60))], "{opcode}");
    }
}

#[test]
fn a_bit_that_nobody_claims_fails_on_the_first_byte() {
    let mut end = server(vec![Repeat::boxed(Rsv::RSV1, 2)]);
    end.feed(&[0xA1]);
    assert_eq!(end.seen.items, [Item::Failed(Violation::ReservedBits(0x20))]);
}

#[test]
fn a_refused_frame_fails_the_connection_with_the_code_of_the_extension() {
    for (bytes, code) in
        [(frame(2, b"").encode(), POLICY), (frame(1, b"no!").encode(), CloseCode::MESSAGE_TOO_BIG)]
    {
        let behind = [bytes, frame(1, b"more").encode()].concat();
        let mut end = server(vec![Box::new(Upper), Box::new(Refuse)]);
        end.feed(&behind);
        assert_eq!(end.seen.items, [Item::Failed(Violation::Extension(code))]);
        assert_eq!(end.connection.state(), State::Failed);
        end.feed(&frame(1, b"more").encode());
        assert_eq!(end.seen.items.len(), 1);
    }
}

#[test]
fn a_chain_is_passed_first_to_last_inwards_and_last_to_first_outwards() {
    let make = || -> Vec<Box<dyn Extension>> { vec![Box::new(Sign(b'a')), Box::new(Sign(b'b'))] };
    let bytes = [frame(1, b"xy").unfinished().encode(), frame(0, b"z").encode()].concat();
    assert_eq!(received(make, &bytes).items, [Item::Text("xyzab".to_owned())]);
    let sent = decode(&server(make()).text("x", Fin::Yes).unwrap());
    assert_eq!(sent[0].payload, b"xba");
}

#[test]
fn links_that_both_grow_a_payload_take_turns_and_lose_nothing() {
    let make = || {
        vec![Repeat::boxed(Rsv::RSV1, 3), Repeat::boxed(Rsv::RSV2, 2), Box::new(Upper) as Box<_>]
    };
    let frame = frame(2, &b"abcd".repeat(PIECE / 4)).with_rsv(6).encode();
    let mut end = server(make());
    // The beginning of the frame alone; then, without new bytes, nothing is left to give.
    end.feed(&frame);
    end.feed(&[]);
    assert_eq!(end.seen.items, [Item::Binary(b"ABCD".repeat(PIECE / 4 * 6))]);
    assert_eq!(end.events, PIECE / INTAKE * 2);
}

#[test]
fn an_idle_chain_hands_over_the_end_of_an_empty_last_fragment() {
    let bytes = [frame(1, b"a").unfinished().encode(), frame(0, b"").encode()].concat();
    let seen = received(|| vec![Box::new(Sign(b'.'))], &bytes);
    assert_eq!(seen.items, [Item::Text("a.".to_owned())]);
}

#[test]
fn text_that_an_extension_makes_is_validated() {
    let bytes = frame(1, b"\xc3").with_rsv(4).encode();
    let seen = received(|| vec![Repeat::boxed(Rsv::RSV1, 2)], &bytes);
    let [Item::Failed(violation)] = seen.items.as_slice() else { panic!("{seen:?}") };
    assert_eq!(violation.close_code(), CloseCode::INVALID_FRAME_PAYLOAD_DATA);
}

#[test]
fn an_extension_changes_the_header_and_the_payload_of_what_is_sent() {
    for role in [Role::Client, Role::Server] {
        let mut end = End::with_extensions(role, vec![Repeat::boxed(Rsv::RSV3, 200)]);
        let sent = [end.binary(b"x", Fin::No).unwrap(), end.ping(b"x").unwrap()].concat();
        let start = Frame::sent_by(role, 2, &[b'x'; 200]).unfinished().with_rsv(1);
        assert_eq!(decode(&sent), [start, Frame::sent_by(role, 9, b"x")]);
    }
}

#[test]
fn a_frame_that_an_extension_does_not_let_out_changes_nothing() {
    let refused = Err(Misuse::Extension(POLICY));
    let mut end = server(vec![Box::new(Refuse)]);
    assert_eq!(end.text("a", Fin::No), refused);
    assert_eq!(end.binary(b"a", Fin::Yes), refused, "no text message was begun");
    assert_eq!(end.close(1000, ""), refused);
    assert_eq!(end.connection.state(), State::Open);
}

//! The bytes of a peer on an open connection: what frames_server and frames_client share.

use std::sync::Arc;

use ws13::deflate::Pool;
use ws13::{Role, Rsv, State, parse_header};

use crate::cuts::{cut, sizes};
use crate::end::{End, Taking};
use crate::naive::{frame, receiver};
use crate::setup::Setup;
use crate::transcript::Item;

/// What may be allocated beside twice the bytes that have come.
const FIXED: usize = 64 * 1024;
/// And if there is DEFLATE: the window, and pieces as they grow, some of which are kept for use again.
const FIXED_FOR_DEFLATE: usize = 320 * 1024;
/// And what a pool keeps of each message, a state and its memory, up to so many. One that cannot be
/// inflated at once takes two.
const STATE: usize = 80 * 1024;
const STATES: usize = 16;
/// What an idle connection keeps, and one that has ended.
const IDLE: isize = 1024;

/// Byte by byte up to this length.
const SHORT: usize = 600;

/// Feeds `data` to an end in this role.
pub fn run(data: &[u8], role: Role) {
    let mut rest = data;
    let setup = Setup::take(&mut rest);
    let wire = match (role, setup.to_be_masked) {
        (Role::Server, true) => frame::all_masked(rest),
        _ => rest.to_vec(),
    };
    let expected = receiver::receive(&wire, role, &setup);
    let pool = Arc::default();
    let first = played(&setup, role, &pool, &[&wire], Taking::AsciiFirst);
    assert_eq!(first.seen.clone().settled(), expected, "against the naive receiver");

    let chunks = cut(&wire, &sizes(setup.cuts));
    let mut others = vec![(chunks.clone(), Taking::Decoded), (chunks, Taking::Dropped)];
    if wire.len() <= SHORT {
        others.push((cut(&wire, &[1]), Taking::AsciiFirst));
    }
    for (chunks, taking) in others {
        let other = played(&setup, role, &pool, &chunks, taking);
        let (one, two) = (first.seen.clone(), other.seen.clone());
        match taking {
            Taking::Dropped => assert_eq!(one.without_text(), two.without_text()),
            _ => assert_eq!(one.settled(), two.settled(), "however it is cut"),
        }
        assert_eq!(first.violation, other.violation, "however it is cut");
    }
    headers_are_written_as_they_were_read(&wire, role);
}

fn played(setup: &Setup, role: Role, pool: &Arc<Pool>, chunks: &[&[u8]], taking: Taking) -> End {
    let mut end = End::new(setup.connection(role, pool), taking);
    let mut fed = 0;
    let deflates = setup.deflate.is_some();
    for chunk in chunks {
        end.feed(chunk);
        fed += chunk.len();
        assert!(deflates || end.ledger.kept <= IDLE, "{} bytes are kept", end.ledger.kept);
    }
    let states = STATES.min(2 * (1 + end.seen.items.len()));
    let for_deflate = if deflates { FIXED_FOR_DEFLATE + states * STATE } else { 0 };
    end.ledger.check(FIXED + for_deflate, fed);
    end.check_steps(if deflates { setup.limits.piece } else { usize::MAX });
    assert_eq!(end.connection.state(), state(setup, end.seen.items.last()));
    if setup.eof {
        end.eof();
    }
    if end.seen.is_over() {
        end.check_silence();
        let kept = end.ledger.kept;
        assert!(deflates || kept <= IDLE, "{kept} bytes are kept after the end");
    }
    end
}

/// RFC 6455 §7.1: where the connection stands when this came last.
fn state(setup: &Setup, last: Option<&Item>) -> State {
    match (last, setup.closing) {
        (Some(Item::Close(..)), true) => State::Closed,
        (Some(Item::Close(..)), false) => State::RemoteClosing,
        (Some(Item::Failed(_)), true) => State::FailedClosing,
        (Some(Item::Failed(_)), false) => State::Failed,
        (_, true) => State::LocalClosing,
        (_, false) => State::Open,
    }
}

/// A header that is legal is minimal, so there is one way to write it.
fn headers_are_written_as_they_were_read(wire: &[u8], role: Role) {
    let mut rest = wire;
    while let Ok(Some((header, length))) = parse_header(rest, role, Rsv::ALL) {
        assert_eq!(header.encode().as_bytes(), &rest[..length]);
        let mut naive = rest;
        if let Some(frame) = frame::Frame::take(&mut naive) {
            let read = (header.fin, header.opcode.bits(), header.rsv.bits() >> 4);
            assert_eq!(read, (frame.fin, frame.opcode, frame.rsv));
            assert_eq!(header.payload_length, frame.payload.len() as u64);
            assert_eq!(header.masking_key, frame.key);
        }
        let behind = usize::try_from(header.payload_length).ok();
        let Some(next) = behind.and_then(|payload| rest.get(length + payload..)) else { break };
        rest = next;
    }
}

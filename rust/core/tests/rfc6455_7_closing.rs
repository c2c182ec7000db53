//! RFC 6455 §7, closing: every state and every step against [`ws13::RULES`], and the stories that the
//! vectors do not tell.

#![cfg(test)]

#[expect(dead_code, reason = "each test file uses a part of it")]
mod support;

use std::collections::BTreeSet;

use support::frames::{Frame, decode};
use support::handshake::{NONCE, request_bytes};
use support::pipe::{End, Pair, peer};
use support::transcript::Item;
use ws13::handshake::{Accept, ClientHandshake, Reject, Request, ServerHandshake};
use ws13::{Fin, Misuse, RULES, Role, State, Step, Violation};

const ROLES: [Role; 2] = [Role::Client, Role::Server];
/// The states of a connection whose opening handshake is done.
const OPEN_STATES: [State; 6] = [
    State::Open,
    State::RemoteClosing,
    State::LocalClosing,
    State::Failed,
    State::FailedClosing,
    State::Closed,
];
const OPEN_STEPS: [Step; 6] = [
    Step::SendFrame,
    Step::ReceiveFrame,
    Step::SendClose,
    Step::ReceiveClose,
    Step::Fail,
    Step::ReceiveEof,
];

fn rule(from: State, step: Step) -> Option<State> {
    RULES.iter().find(|rule| (rule.from, rule.step) == (from, step)).map(|rule| rule.to)
}

fn frame(role: Role, opcode: u8, payload: &[u8]) -> Vec<u8> {
    Frame::sent_by(peer(role), opcode, payload).encode()
}

/// A connection that came to `state` the way connections do.
fn reached(role: Role, state: State) -> End {
    let mut end = End::new(role);
    match state {
        State::Open => {}
        State::RemoteClosing => end.feed(&frame(role, 8, &[])),
        State::LocalClosing => drop(end.close(1000, "")),
        State::Failed => end.feed(&frame(role, 3, &[])),
        State::FailedClosing => {
            end.feed(&frame(role, 3, &[]));
            drop(end.close(1002, ""));
        }
        State::Closed => end.eof(),
        other => panic!("{other} belongs to the opening handshake"),
    }
    assert_eq!(end.connection.state(), state);
    end.seen = Default::default();
    end
}

/// Takes a step on an open connection: the result of a call, and whether anything came out.
fn step(end: &mut End, step: Step) -> (Option<Misuse>, bool) {
    let role = end.connection.role();
    let result = match step {
        Step::SendFrame => end.ping(b"x"),
        Step::SendClose => end.close(1000, "bye"),
        other => {
            match other {
                Step::ReceiveFrame => end.feed(&frame(role, 9, b"x")),
                Step::ReceiveClose => end.feed(&frame(role, 8, &[3, 232])),
                Step::Fail => end.feed(&frame(role, 3, b"")),
                _ => end.eof(),
            }
            Ok(Vec::new())
        }
    };
    (result.err(), !end.seen.items.is_empty())
}

#[test]
fn every_step_in_every_state_of_a_connection_does_what_the_rules_say() {
    for role in ROLES {
        for from in OPEN_STATES {
            for taken in OPEN_STEPS {
                let mut end = reached(role, from);
                let (misuse, came_out) = step(&mut end, taken);
                let (to, name) = (rule(from, taken), format!("{role:?}: {from} {taken}"));
                assert_eq!(end.connection.state(), to.unwrap_or(from), "{name}");
                let of_caller = matches!(taken, Step::SendFrame | Step::SendClose);
                let refused = of_caller && to.is_none();
                assert_eq!(misuse, refused.then_some(Misuse::State(from, taken)), "{name}");
                // The end of the stream is news only where no Close frame and no fault came first.
                let news = match taken {
                    Step::ReceiveEof => matches!(from, State::Open | State::LocalClosing),
                    _ => !of_caller && to.is_some(),
                };
                assert_eq!(came_out, news, "{name}");
            }
        }
    }
}

#[test]
fn nothing_is_sent_or_received_during_the_opening_handshake() {
    for role in ROLES {
        for from in [State::Connecting, State::Rejecting] {
            for taken in OPEN_STEPS.into_iter().filter(|taken| *taken != Step::Fail) {
                let mut end = End::new(role);
                end.connection.set_state(from);
                let (misuse, _) = step(&mut end, taken);
                assert_eq!(rule(from, taken), None);
                assert_eq!(end.connection.state(), from, "{role:?}: {from} {taken}");
                let of_caller = matches!(taken, Step::SendFrame | Step::SendClose);
                assert_eq!(misuse, of_caller.then_some(Misuse::State(from, taken)));
            }
        }
    }
}

const ACCEPTANCE: &[u8] = b"HTTP/1.1 101 \r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
const REJECTION: &[u8] = b"HTTP/1.1 403 \r\nTransfer-Encoding: chunked\r\n\r\n";

fn client_in(state: State, asked: bool) -> ClientHandshake {
    let mut client = ClientHandshake::default();
    if asked || state != State::Connecting {
        client.request(&Request::new("example.com", "/"), NONCE).unwrap();
    }
    match state {
        State::Open => drop(client.receive(ACCEPTANCE).unwrap()),
        State::Rejecting => drop(client.receive(REJECTION).unwrap()),
        State::Closed => client.fail(),
        _ => {}
    }
    assert_eq!(client.state(), state);
    client
}

fn server_in(state: State) -> ServerHandshake {
    let mut server = ServerHandshake::default();
    server.receive(&request_bytes(&[])).unwrap().expect("the head is complete");
    let reject = |has_body| Reject { status: 403, fields: Vec::new(), has_body };
    match state {
        State::Open => drop(server.accept(&Accept::default()).unwrap()),
        State::Rejecting => drop(server.reject(&reject(true)).unwrap()),
        State::Closed => drop(server.reject(&reject(false)).unwrap()),
        _ => {}
    }
    assert_eq!(server.state(), state);
    server
}

/// What a peer's bytes mean depends on the state: behind a rejection they are its body, and before a
/// response nothing can be the end of one.
fn is_expressible(from: State, taken: Step) -> bool {
    match taken {
        Step::ReceiveAccept | Step::ReceiveReject => from != State::Rejecting,
        Step::ReceiveRejectEnd => from != State::Connecting,
        _ => true,
    }
}

#[test]
fn every_step_of_the_opening_handshake_does_what_the_rules_say() {
    for from in [State::Connecting, State::Rejecting, State::Open, State::Closed] {
        for taken in [
            Step::SendRequest,
            Step::ReceiveAccept,
            Step::ReceiveReject,
            Step::ReceiveRejectEnd,
            Step::Fail,
        ] {
            if !is_expressible(from, taken) || (from, taken) == (State::Open, Step::Fail) {
                continue;
            }
            let mut client = client_in(from, taken != Step::SendRequest);
            let request = Request::new("example.com", "/");
            let misuse = match taken {
                Step::SendRequest => client.request(&request, NONCE).err(),
                other => {
                    let bytes = match other {
                        Step::ReceiveAccept => ACCEPTANCE,
                        Step::ReceiveReject => REJECTION,
                        Step::ReceiveRejectEnd => b"0\r\n\r\n",
                        _ => b"\x16\x03\x01\r\n",
                    };
                    let fails = client.receive(bytes).is_err();
                    assert_eq!(fails, taken == Step::Fail && from != State::Closed);
                    None
                }
            };
            let to = rule(from, taken);
            assert_eq!(client.state(), to.unwrap_or(from), "client: {from} {taken}");
            let refused = taken == Step::SendRequest && to.is_none();
            assert_eq!(misuse, refused.then_some(Misuse::State(from, taken)));
        }
        for taken in [Step::SendAccept, Step::SendReject, Step::SendRejectEnd] {
            let mut server = server_in(from);
            let reject = Reject { status: 403, fields: Vec::new(), has_body: true };
            let misuse = match taken {
                Step::SendAccept => server.accept(&Accept::default()).err(),
                Step::SendReject => server.reject(&reject).err(),
                _ => server.reject_data(b"", true).err(),
            };
            let to = rule(from, taken);
            assert_eq!(server.state(), to.unwrap_or(from), "server: {from} {taken}");
            assert_eq!(misuse, to.is_none().then_some(Misuse::State(from, taken)));
        }
    }
}

#[test]
fn a_server_receives_its_request_while_it_is_connecting_and_then_no_more() {
    let mut server = ServerHandshake::default();
    assert!(server.receive(&request_bytes(&[])).unwrap().is_some());
    assert_eq!(rule(State::Connecting, Step::ReceiveRequest), Some(server.state()));
    for from in [State::Rejecting, State::Open, State::Closed] {
        let mut server = server_in(from);
        assert_eq!(rule(from, Step::ReceiveRequest), None);
        assert_eq!(server.receive(&request_bytes(&[])), Ok(None));
        let refused = server.receive_parsed("/", Vec::new());
        assert_eq!(refused, Err(Misuse::State(from, Step::ReceiveRequest)));
        assert_eq!(server.state(), from);
    }
}

#[test]
fn the_tests_above_reach_every_rule() {
    let pair = |from: State, step: Step| (from as u8, step as u8);
    let mut reached: BTreeSet<(u8, u8)> =
        OPEN_STATES.iter().flat_map(|s| OPEN_STEPS.map(|step| pair(*s, step))).collect();
    for from in [State::Connecting, State::Rejecting] {
        for step in Step::SendRequest as u8..=Step::SendFrame as u8 {
            reached.insert((from as u8, step));
        }
        reached.insert(pair(from, Step::Fail));
    }
    for rule in RULES {
        assert!(reached.contains(&pair(rule.from, rule.step)), "{} {}", rule.from, rule.step);
    }
}

#[test]
fn both_ends_are_closed_when_each_has_sent_and_received_a_close_frame() {
    for first in ROLES {
        let mut pair = Pair::open(&[1]);
        let close = pair.end(first).close(1001, "going away").unwrap();
        pair.carry(first, &close);
        let second = pair.end(peer(first));
        assert_eq!(second.seen.items, [Item::Close(1001, "going away".to_owned())]);
        let answer = second.close(1001, "").unwrap();
        pair.carry(peer(first), &answer);
        for role in ROLES {
            assert_eq!(pair.end(role).connection.state(), State::Closed);
        }
    }
}

#[test]
fn close_frames_that_cross_each_other_close_both_ends() {
    let mut pair = Pair::open(&[3]);
    let from_client = pair.client.close(1000, "").unwrap();
    let from_server = pair.server.close(1001, "").unwrap();
    pair.carry(Role::Client, &from_client);
    pair.carry(Role::Server, &from_server);
    for role in ROLES {
        assert_eq!(pair.end(role).connection.state(), State::Closed);
        pair.end(role).eof();
        assert_eq!(pair.end(role).seen.items.len(), 1, "the end of the stream is no news");
    }
}

#[test]
fn what_the_peer_sent_before_it_saw_our_close_frame_is_delivered() {
    let mut pair = Pair::open(&[2, 5]);
    let text = pair.server.text("late", Fin::Yes).unwrap();
    pair.client.close(1000, "").unwrap();
    pair.carry(Role::Server, &text);
    assert_eq!(pair.client.seen.items, [Item::Text("late".to_owned())]);
    assert_eq!(pair.client.connection.state(), State::LocalClosing);
}

#[test]
fn every_close_event_can_be_answered_with_itself() {
    for code in 0..=u16::MAX {
        let mut end = End::new(Role::Client);
        let body = if code == 1005 { Vec::new() } else { code.to_be_bytes().to_vec() };
        end.feed(&frame(Role::Client, 8, &body));
        if let Some(Item::Close(received, reason)) = end.seen.items.pop() {
            let sent = decode(&end.close(received, &reason).expect("it can be answered"));
            assert_eq!((sent[0].opcode, &sent[0].payload), (8, &body));
        } else {
            assert_eq!(end.connection.state(), State::Failed, "{code}");
        }
    }
}

#[test]
fn a_failed_connection_sends_one_close_frame_and_nothing_else() {
    for role in ROLES {
        let mut end = reached(role, State::Open);
        end.text("unfinished", Fin::No).unwrap();
        end.feed(&frame(role, 0xB, b""));
        assert_eq!(end.seen.items, [Item::Failed(Violation::ReservedOpcode(0xB))]);
        assert!(end.text("more", Fin::Yes).is_err());
        assert!(end.pong(b"").is_err());
        assert_eq!(decode(&end.close(1002, "").unwrap())[0].payload, [3, 234]);
        assert!(end.close(1002, "").is_err());
    }
}

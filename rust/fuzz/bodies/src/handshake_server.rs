//! The bytes of a client reach a server that has not accepted anything yet, RFC 6455 §4.2.

use ws13::handshake::{Accept, Field, MAX_LIST, Reject, Request, ServerHandshake, accept_token};
use ws13::{HandshakeError, HandshakeLimits, State};
use ws13_ledger::Ledger;

use crate::cuts::{cut, sizes, take};
use crate::limits;
use crate::naive::head::{Head, Verdict};

/// What may be allocated whatever comes.
const FIXED: usize = 64 * 1024;
/// What is kept after a refusal or an answer.
const IDLE: isize = 256;

/// What came of it. Where the head ends does not depend on how it was cut, nor what stands behind.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    request: Option<Request>,
    error: Option<HandshakeError>,
    answer: Vec<u8>,
    behind: Vec<u8>,
}

/// See the README.
pub fn run(data: &[u8]) {
    let mut rest = data;
    let limits = limits::handshake(take(&mut rest));
    let [flags, one, two] = take(&mut rest);
    let first = played(&[rest], &limits, flags);
    for sizes in [sizes([one, two]).as_slice(), &[1]] {
        assert_eq!(played(&cut(rest, sizes), &limits, flags), first, "however it is cut");
    }
    as_the_rfc_has_it(rest, &limits, &first);
    if flags & 4 != 0 {
        early_data(rest, &limits, &first);
    }
}

fn played(chunks: &[&[u8]], limits: &HandshakeLimits, flags: u8) -> Outcome {
    let mut server = ServerHandshake::new(*limits);
    let (mut request, mut error, mut behind) = (None, None, Vec::new());
    let (mut answer, mut fed, mut ledger) = (Vec::new(), 0, Ledger::default());
    for chunk in chunks {
        if !answer.is_empty() {
            behind.extend_from_slice(chunk);
            continue;
        }
        fed += chunk.len();
        let mark = ledger.open();
        let result = server.receive(chunk);
        ledger.close(mark);
        ledger.check(FIXED, fed);
        match ledger.hand_over(result) {
            Ok(None) => assert!(
                ledger.kept <= kept_at_most(limits, &error),
                "{} bytes are kept",
                ledger.kept
            ),
            Ok(Some(received)) => {
                let accepted = Accept {
                    subprotocol: received.subprotocols.last().cloned(),
                    ..Accept::default()
                };
                server.check_accept(&accepted).expect("it was offered");
                answer = server.accept(&accepted).expect("it was offered");
                behind = server.take_early_data();
                assert_eq!(server.state(), State::Open);
                assert!(request.replace(received).is_none(), "one request");
            }
            Err(broken) => {
                assert!(error.replace(broken).is_none(), "one error");
                assert!(server.take_early_data().is_empty(), "what was refused is dropped");
            }
        }
    }
    if flags & 1 != 0 {
        let result = server.receive_eof();
        let over = error.is_some() || request.is_some();
        assert_eq!(result, if over { Ok(()) } else { Err(HandshakeError::UnexpectedEof) });
        error = error.or(result.err());
        assert_eq!(server.receive_eof(), Ok(()), "the end comes once");
        assert_eq!(server.receive(b"GET / HTTP/1.1\r\n\r\n"), Ok(None), "nothing comes after it");
    }
    if let Some(error) = &error {
        refused(&mut server, error);
    }
    Outcome { request, error, answer, behind }
}

/// What is kept is at most as long as a head may be.
fn kept_at_most(limits: &HandshakeLimits, error: &Option<HandshakeError>) -> isize {
    match error {
        Some(_) => IDLE,
        None => isize::try_from(limits.head).expect("it is small") + IDLE,
    }
}

/// A refusal can be answered with the status that it names, once.
fn refused(server: &mut ServerHandshake, error: &HandshakeError) {
    assert!((400..600).contains(&error.status()), "{error:?}");
    assert_eq!(server.receive(b"GET"), Ok(None), "nothing comes after a refusal");
    let reject = Reject { status: error.status(), fields: Vec::new(), has_body: false };
    let head = server.reject(&reject).expect("it can be answered");
    let head = Head::take(&head).expect("it is whole");
    assert_eq!(head.start, format!("HTTP/1.1 {} ", error.status()));
    assert_eq!(server.state(), State::Closed);
    assert!(server.reject(&reject).is_err(), "once");
}

fn as_the_rfc_has_it(bytes: &[u8], limits: &HandshakeLimits, outcome: &Outcome) {
    let Some(head) = Head::take(bytes) else {
        assert_eq!(outcome.request, None, "nothing comes before the end of the head");
        return;
    };
    let verdict = head.as_request(limits);
    let Some(request) = &outcome.request else {
        assert!(outcome.error.is_some(), "a head that is complete has a verdict");
        assert_ne!(verdict, Verdict::Accept, "{:?} for {}", outcome.error, bytes.escape_ascii());
        return;
    };
    assert_ne!(verdict, Verdict::Refuse, "{}", bytes.escape_ascii());
    assert_eq!(outcome.behind, bytes[head.end..], "what stands behind the head is kept");
    assert_eq!([request.host.as_str()], head.all("host").as_slice());
    assert_eq!(head.start.split(' ').nth(1), Some(request.target.as_str()));
    let mut subprotocols = head.elements("sec-websocket-protocol");
    subprotocols.truncate(MAX_LIST);
    assert_eq!(request.subprotocols, subprotocols);
    assert!(request.extensions.len() <= MAX_LIST);
    let lower = |field: &Field| field.name.iter().all(|byte| !byte.is_ascii_uppercase());
    assert!(request.fields.iter().all(lower));
    let answer = Head::take(&outcome.answer).expect("it is whole");
    let key = head.all("sec-websocket-key")[0];
    assert!(answer.start.starts_with("HTTP/1.1 101 "));
    assert_eq!(answer.all("sec-websocket-accept"), [accept_token(key.as_bytes())]);
    let chosen: Vec<&str> = request.subprotocols.last().map(String::as_str).into_iter().collect();
    assert_eq!(answer.all("sec-websocket-protocol"), chosen);
    assert_eq!(answer.end, outcome.answer.len(), "nothing stands behind the answer");
}

/// Bytes that come before the answer: as many as the limit, and not one more.
fn early_data(bytes: &[u8], limits: &HandshakeLimits, first: &Outcome) {
    if first.request.is_none() {
        return;
    }
    let mut server = ServerHandshake::new(*limits);
    server.receive(bytes).expect("it was good").expect("it was whole");
    let most = vec![0x81; limits.early_data];
    for half in most.chunks(1 + most.len() / 2) {
        assert_eq!(server.receive(half), Ok(None));
    }
    let one_more = server.receive(&[0]);
    assert_eq!(one_more, Err(HandshakeError::TooMuchEarlyData(limits.early_data)));
    assert!(server.take_early_data().is_empty(), "what was refused is dropped");
}

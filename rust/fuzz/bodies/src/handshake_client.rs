//! The bytes of a server reach a client that has sent its request, RFC 6455 §4.1.

use ws13::handshake::{Accept, ClientHandshake, Reject, Request, Response};
use ws13::{HandshakeError, HandshakeLimits, State};
use ws13_ledger::Ledger;

use crate::cuts::{cut, sizes, take};
use crate::limits;
use crate::naive::head::{Head, Verdict};

const NONCE: [u8; 16] = *b"the sample nonce";
/// The token that answers it, RFC 6455 §1.3.
const TOKEN: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
const SUBPROTOCOLS: [&str; 2] = ["chat", "superchat"];
const EXTENSIONS: [&str; 2] = ["permessage-deflate; client_max_window_bits", "x-test; a=\"b,c\""];
const NAMES: [&str; 2] = ["permessage-deflate", "x-test"];

/// What may be allocated whatever comes.
const FIXED: usize = 64 * 1024;
/// What is kept after a failure: what was asked for.
const IDLE: isize = 512;

/// What came of it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Outcome {
    accept: Option<Accept>,
    reject: Option<Reject>,
    body: Vec<u8>,
    finished: bool,
    error: Option<HandshakeError>,
    behind: Vec<u8>,
}

/// See the README.
pub fn run(data: &[u8]) {
    let mut rest = data;
    let limits = limits::handshake(take(&mut rest));
    let [flags, one, two] = take(&mut rest);
    let eof = flags & 1 != 0;
    let first = played(&[rest], &limits, eof);
    for sizes in [sizes([one, two]).as_slice(), &[1]] {
        assert_eq!(played(&cut(rest, sizes), &limits, eof), first, "however it is cut");
    }
    as_the_rfc_has_it(rest, &limits, eof, &first);
}

fn asked(limits: &HandshakeLimits) -> ClientHandshake {
    let mut client = ClientHandshake::new(*limits);
    let mut request = Request::new("example.com", "/chat");
    request.subprotocols = SUBPROTOCOLS.map(str::to_owned).to_vec();
    request.extensions = EXTENSIONS.map(str::to_owned).to_vec();
    client.request(&request, NONCE).expect("it is good");
    client
}

fn played(chunks: &[&[u8]], limits: &HandshakeLimits, eof: bool) -> Outcome {
    let mut client = asked(limits);
    let (mut seen, mut fed, mut ledger) = (Outcome::default(), 0, Ledger::default());
    let mut steps = 0;
    for chunk in chunks {
        if seen.accept.is_some() {
            seen.behind.extend_from_slice(chunk);
            continue;
        }
        fed += chunk.len();
        let mut data = *chunk;
        loop {
            let mark = ledger.open();
            let result = client.receive(std::mem::take(&mut data));
            ledger.close(mark);
            ledger.check(FIXED, fed);
            steps += 1;
            match ledger.hand_over(result) {
                Ok(None) => break,
                Ok(Some(response)) => {
                    took(response, &mut client, &mut seen);
                    if seen.accept.is_some() {
                        break;
                    }
                }
                Err(broken) => {
                    assert!(seen.error.replace(broken).is_none(), "one error");
                    assert_eq!(client.state(), State::Closed);
                    assert!(client.take_early_data().is_empty(), "what was refused is dropped");
                    break;
                }
            }
        }
    }
    assert!(steps <= chunks.len() + fed + 2, "{steps} steps for {fed} bytes");
    if eof {
        ended(&mut client, &mut seen, &mut ledger);
    }
    if seen.error.is_some() {
        assert!(client.receive(b"HTTP/1.1 200 OK\r\n\r\n").is_ok_and(|none| none.is_none()));
        assert!(ledger.kept <= IDLE, "{} bytes are kept after a failure", ledger.kept);
    }
    seen
}

fn took(response: Response, client: &mut ClientHandshake, seen: &mut Outcome) {
    let over = seen.accept.is_some() || seen.finished || seen.error.is_some();
    assert!(!over, "nothing comes after the end");
    match response {
        Response::Accept(accept) => {
            seen.accept = Some(accept);
            seen.behind = client.take_early_data();
            assert_eq!(client.state(), State::Open);
        }
        Response::Reject(reject) => {
            seen.finished = !reject.has_body;
            assert!(seen.reject.replace(reject).is_none(), "one response");
        }
        Response::Body(piece) => {
            assert!(seen.reject.is_some() && !piece.is_empty(), "a piece of a body");
            seen.body.extend(piece);
        }
        Response::BodyEnd => seen.finished = true,
    }
}

/// The stream ends, twice.
fn ended(client: &mut ClientHandshake, seen: &mut Outcome, ledger: &mut Ledger) {
    let mark = ledger.open();
    let result = client.receive_eof();
    ledger.close(mark);
    match ledger.hand_over(result) {
        Ok(Some(response)) => took(response, client, seen),
        Ok(None) => assert!(seen.accept.is_some() || seen.finished || seen.error.is_some()),
        Err(broken) => {
            assert!(seen.error.replace(broken).is_none(), "one error");
        }
    }
    assert_eq!(client.receive_eof(), Ok(None), "the end comes once");
}

fn as_the_rfc_has_it(bytes: &[u8], limits: &HandshakeLimits, eof: bool, seen: &Outcome) {
    let mut at = 0;
    let mut interim = 0;
    let head = loop {
        let Some(head) = Head::take(&bytes[at..]) else {
            assert!(seen.accept.is_none() && seen.reject.is_none(), "nothing comes before a head");
            return;
        };
        let status = head.start.get(9..12).and_then(|status| status.parse::<u16>().ok());
        // RFC 9110 §15.2: but for 101, and for one that names a protocol, they are only announcements.
        let upgrades = !head.all("upgrade").is_empty();
        at += head.end;
        match status {
            Some(100..200) if status != Some(101) && !upgrades => interim += 1,
            _ => break head,
        }
        if interim > limits.interim_responses {
            assert!(seen.accept.is_none() && seen.reject.is_none() && seen.error.is_some());
            return;
        }
    };
    // What came before it may have been refused.
    let alone = interim == 0;
    match head.as_acceptance(limits, TOKEN, &SUBPROTOCOLS, &NAMES) {
        Verdict::Accept if alone => assert!(seen.accept.is_some(), "{:?}", seen.error),
        Verdict::Refuse => assert_eq!(seen.accept, None, "{}", bytes.escape_ascii()),
        _ => {}
    }
    if let Some(accept) = &seen.accept {
        assert_eq!(seen.behind, bytes[at..], "what stands behind the head is kept");
        let protocol = accept.subprotocol.as_deref().into_iter().collect::<Vec<_>>();
        assert_eq!(head.all("sec-websocket-protocol"), protocol);
    }
    match head.plain_status(limits) {
        Some(status @ 200..) if alone => rejected(&head, status, &bytes[at..], limits, eof, seen),
        _ => {}
    }
}

fn rejected(
    head: &Head,
    status: u16,
    rest: &[u8],
    limits: &HandshakeLimits,
    eof: bool,
    seen: &Outcome,
) {
    let Some((body, finished)) = head.body(status, rest, eof) else { return };
    let told = seen.reject.as_ref().map(|reject| reject.status);
    assert_eq!(told, Some(status), "{:?}", seen.error);
    let most = usize::try_from(limits.rejection_body).expect("it is small");
    if body.len() > most {
        assert_eq!(seen.body, body[..most], "as much as the limit allows");
        assert_eq!(seen.error, Some(HandshakeError::RejectionBodyTooLong(limits.rejection_body)));
    } else {
        let crossed = matches!(seen.error, Some(HandshakeError::RejectionBodyTooLong(_)));
        assert!(crossed || (&seen.body, seen.finished) == (&body, finished), "{seen:?}");
    }
}

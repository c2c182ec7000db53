//! What an opening handshake keeps, and what its calls allocate at most, whatever a stranger sends.

#![cfg(test)]
#![expect(clippy::arithmetic_side_effects, reason = "tests count without fear")]

#[expect(dead_code, reason = "each test file uses a part of it")]
mod support;

use support::handshake::{KEY, NONCE, request_bytes};
use support::pipe::cut;
use ws13::HandshakeLimits;
use ws13::handshake::{
    Accept, ClientHandshake, Reject, Request, Response, ServerHandshake, accept_token,
};
use ws13_ledger::Ledger;

const KIB: isize = 1024;
/// What is kept while a head is under way, and of it behind its end; and what is taken for it at any time.
const WAITING: isize = 24 * KIB;
/// What is taken while a head is read: its text, its fields, and the lists in them.
const READING: isize = 64 * KIB;
/// What is kept when nothing can come any more.
const OVER: isize = KIB;

const CUTS: [&[usize]; 6] = [&[], &[1], &[7], &[1000], &[4000], &[9001]];

/// Names of one to three characters, as many as have room in `length` bytes with a comma behind each.
fn names(length: usize) -> String {
    let mut list = String::new();
    for number in 0.. {
        let name = format!("{number:x},");
        if list.len() + name.len() > length {
            return list;
        }
        list += &name;
    }
    list
}

/// `text` as often as it has room in `length` bytes.
fn filled(text: &str, length: usize) -> String {
    text.repeat(length / text.len())
}

/// Lines that take as much memory as any that somebody has thought of, `length` bytes with the ends.
fn lines(length: usize) -> Vec<(&'static str, String)> {
    let field = |name: &str, value: &dyn Fn(usize) -> String| {
        format!("{name}: {}\r\n", value(length - name.len() - 4))
    };
    let (extensions, protocols) = ("Sec-WebSocket-Extensions", "Sec-WebSocket-Protocol");
    let rest = |start: &str, fill: &str, end: &str, room: usize| {
        format!("{start}{}{end}", filled(fill, room - start.len() - end.len()))
    };
    vec![
        ("a long field", field("X", &|room| filled("x", room))),
        ("many fields", filled("X: y\r\n", (120 * 6).min(length))),
        ("many long fields", filled(&format!("X: {}\r\n", "y".repeat(130)), length)),
        ("many extensions", field(extensions, &|room| filled("a,", room))),
        ("many names of extensions", field(extensions, &names)),
        ("many parameters", field(extensions, &|room| rest("a", ";b", "", room))),
        ("many values", field(extensions, &|room| rest("a", ";b=c", "", room))),
        ("a long quoted value", field(extensions, &|room| rest("a;b=\"", ",", "\"", room))),
        ("a long escaped value", field(extensions, &|room| rest("a;b=\"", "\\,", "\"", room))),
        ("a value that does not end", field(extensions, &|room| rest("a;b=\"", "\\,", "", room))),
        ("commas", field(extensions, &|room| filled(",", room))),
        ("many subprotocols", field(protocols, &names)),
        ("one subprotocol again and again", field(protocols, &|room| filled("a,", room))),
        ("a subprotocol that is none", field(protocols, &|room| filled("\u{1F600}", room))),
    ]
}

fn head_of(first: &[u8], lines: &str) -> Vec<u8> {
    let open = first.strip_suffix(b"\r\n").expect("a head ends with an empty line");
    [open, lines.as_bytes(), b"\r\n"].concat()
}

/// What a client asks for, and the beginning of the answer, without the end of its head.
fn asked() -> (ClientHandshake, Ledger, Vec<u8>) {
    let mut client = ClientHandshake::default();
    let mut request = Request::new("example.com", "/chat");
    request.subprotocols = vec!["chat".to_owned()];
    request.extensions = vec!["a".to_owned()];
    let mut ledger = Ledger::default();
    let mark = ledger.open();
    let bytes = client.request(&request, NONCE).expect("it is good");
    ledger.close(mark);
    ledger.hand_over(bytes);
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {}\r\n\r\n",
        accept_token(KEY.as_bytes())
    );
    (client, ledger, answer.into_bytes())
}

#[test]
fn a_server_that_waits_for_the_end_of_a_head_keeps_24_kib_at_most() {
    let start = request_bytes(&[]);
    let limit = HandshakeLimits::DEFAULT.head;
    for (name, lines) in lines(limit - start.len()) {
        let head = head_of(&start, &lines);
        for sizes in CUTS {
            let (mut server, mut ledger) = (ServerHandshake::default(), Ledger::default());
            for chunk in cut(&head[..head.len() - 1], sizes) {
                let mark = ledger.open();
                let result = server.receive(chunk);
                ledger.close(mark);
                assert_eq!(result, Ok(None), "{name}");
                assert!(ledger.most <= WAITING, "{} bytes for {name}", ledger.most);
            }
        }
    }
}

#[test]
fn a_client_that_waits_for_the_end_of_a_head_keeps_24_kib_at_most() {
    let limit = HandshakeLimits::DEFAULT.head;
    let (_, _, start) = asked();
    for (name, lines) in lines(limit - start.len()) {
        let head = head_of(&start, &lines);
        for sizes in CUTS {
            let (mut client, mut ledger, _) = asked();
            for chunk in cut(&head[..head.len() - 1], sizes) {
                let mark = ledger.open();
                let result = client.receive(chunk);
                ledger.close(mark);
                assert_eq!(result, Ok(None), "{name}");
                assert!(ledger.most <= WAITING, "{} bytes for {name}", ledger.most);
            }
        }
    }
}

#[test]
fn a_server_reads_a_head_in_64_kib_and_keeps_what_the_answer_needs() {
    let start = request_bytes(&[]);
    let limit = HandshakeLimits::DEFAULT.head;
    for (name, lines) in lines(limit - start.len()) {
        let head = head_of(&start, &lines);
        for sizes in CUTS {
            let (mut server, mut ledger) = (ServerHandshake::default(), Ledger::default());
            let mut results = Vec::new();
            for chunk in cut(&head, sizes) {
                let mark = ledger.open();
                let result = server.receive(chunk);
                ledger.close(mark);
                results.extend(ledger.hand_over(result).transpose());
            }
            assert!(ledger.most <= READING, "{} bytes for {name}", ledger.most);
            match results.pop().expect("the head is whole") {
                Ok(request) => {
                    assert!(ledger.kept <= WAITING, "{} bytes kept of {name}", ledger.kept);
                    let mark = ledger.open();
                    let accept = Accept {
                        subprotocol: request.subprotocols.last().cloned(),
                        ..Accept::default()
                    };
                    drop(server.accept(&accept).expect("it was offered"));
                    drop(server.take_early_data());
                    drop(accept);
                    ledger.close(mark);
                }
                Err(error) => {
                    assert!(ledger.kept <= OVER, "{} bytes kept of {name}", ledger.kept);
                    let reject = Reject { status: error.status(), fields: vec![], has_body: false };
                    drop(server.reject(&reject).expect("it can be answered"));
                }
            }
            assert!(ledger.kept <= OVER, "{} bytes behind {name}", ledger.kept);
        }
    }
}

#[test]
fn a_client_reads_a_head_in_64_kib_and_keeps_nothing_of_it() {
    let limit = HandshakeLimits::DEFAULT.head;
    let (_, _, start) = asked();
    let rejection = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n".to_vec();
    for start in [start, rejection] {
        for (name, lines) in lines(limit - start.len()) {
            let head = head_of(&start, &lines);
            for sizes in CUTS {
                let (mut client, mut ledger, _) = asked();
                for chunk in cut(&head, sizes) {
                    let mark = ledger.open();
                    let result = client.receive(chunk);
                    ledger.close(mark);
                    let _ = ledger.hand_over(result);
                }
                assert!(ledger.most <= READING, "{} bytes for {name}", ledger.most);
                let mark = ledger.open();
                while let Ok(Some(_)) = client.receive(&[]) {}
                drop(client.take_early_data());
                ledger.close(mark);
                assert!(ledger.kept <= OVER, "{} bytes behind {name}", ledger.kept);
            }
        }
    }
}

#[test]
fn the_body_of_a_rejection_goes_through_a_client_piece_by_piece() {
    let size = 1_000_000;
    let chunks = "5\r\nhello\r\n".repeat(size / 5) + "0\r\n\r\n";
    for (line, body) in [
        (format!("Content-Length: {size}"), "x".repeat(size)),
        ("Transfer-Encoding: chunked".to_owned(), chunks),
        ("X: until the end".to_owned(), "x".repeat(size)),
    ] {
        for most in [1000, 16_384] {
            let (mut client, mut ledger, _) = asked();
            let response = format!("HTTP/1.1 403 Forbidden\r\n{line}\r\n\r\n{body}");
            let mut given = 0;
            for chunk in cut(response.as_bytes(), &[most]) {
                let mut data = chunk;
                loop {
                    let mark = ledger.open();
                    let result = client.receive(std::mem::take(&mut data));
                    ledger.close(mark);
                    match ledger.hand_over(result).expect("a good response") {
                        Some(Response::Body(piece)) => given += piece.len(),
                        Some(_) => {}
                        None => break,
                    }
                }
            }
            assert_eq!(given, size);
            assert!(ledger.most <= READING, "{} bytes for {line}", ledger.most);
            assert!(ledger.kept <= WAITING, "{} bytes are kept of {line}", ledger.kept);
        }
    }
}

#[test]
fn interim_responses_do_not_add_up() {
    let limits = HandshakeLimits { interim_responses: 1000, ..HandshakeLimits::DEFAULT };
    let mut client = ClientHandshake::new(limits);
    client.request(&Request::new("example.com", "/"), NONCE).expect("it is good");
    let interim = format!("HTTP/1.1 103 Early Hints\r\nLink: {}\r\n\r\n", "x".repeat(10_000));
    let mut ledger = Ledger::default();
    for _ in 0..1000 {
        for chunk in cut(interim.as_bytes(), &[4000]) {
            let mark = ledger.open();
            let result = client.receive(chunk);
            ledger.close(mark);
            assert_eq!(result, Ok(None));
        }
    }
    assert!(ledger.most <= READING, "{} bytes", ledger.most);
    assert!(ledger.kept <= WAITING, "{} bytes are kept", ledger.kept);
}

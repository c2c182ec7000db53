//! RFC 6455 §4, the opening handshake: both ends together, bytes behind heads, rejections and their
//! bodies, and limits at their edges.

#![cfg(test)]
#![expect(clippy::arithmetic_side_effects, reason = "tests count without fear")]

#[expect(dead_code, reason = "each test file uses a part of it")]
mod support;

use support::handshake::{ClientRun, KEY, NONCE, request_bytes};
use support::http::Head;
use support::pipe::cut;
use ws13::handshake::{
    Accept, ClientHandshake, Field, MAX_LIST, Reject, Request, Response, ServerHandshake,
    accept_token,
};
use ws13::{HandshakeError, HandshakeLimits, Misuse, State};

const SIZES: [&[usize]; 4] = [&[], &[1], &[2, 0, 5], &[37]];

fn accepted() -> Vec<u8> {
    let mut server = ServerHandshake::default();
    server.receive(&request_bytes(&[])).unwrap().expect("it is whole");
    server.accept(&Accept::default()).unwrap()
}

/// What a client makes of a response, in all cuts.
fn answered(response: &[u8], ends: bool) -> ClientRun {
    let run = |sizes: &[usize]| {
        let mut run = ClientRun::new(Vec::new());
        cut(response, sizes).into_iter().for_each(|chunk| run.feed(chunk));
        if ends {
            run.eof();
        }
        assert!(run.calls <= 2 * response.len() + 2, "each call uses a byte or gives something");
        run
    };
    let verdict = |run: &ClientRun| {
        (
            run.error.clone(),
            run.accepts.clone(),
            run.rejects.clone(),
            run.finished,
            run.body.clone(),
        )
    };
    let whole = run(&[]);
    for sizes in SIZES {
        assert_eq!(verdict(&run(sizes)), verdict(&whole), "{sizes:?}");
    }
    whole
}

#[test]
fn what_one_end_asks_and_answers_is_what_the_other_receives() {
    let request = Request {
        subprotocols: vec!["chat".to_owned(), "superchat".to_owned()],
        extensions: vec!["foo; a=\"1\"; b".to_owned(), "bar".to_owned()],
        fields: vec![Field::new("Origin", "http://x"), Field::new("X-A", b"\xff".as_slice())],
        ..Request::new("[::1]:8080", "/chat?x=1")
    };
    let accept = Accept {
        subprotocol: Some("superchat".to_owned()),
        extensions: vec!["foo; a=1".to_owned()],
        fields: vec![Field::new("Set-Cookie", "a=b"), Field::new("Set-Cookie", "c=d")],
    };
    for sizes in SIZES {
        let (mut client, mut server) = (ClientHandshake::default(), ServerHandshake::default());
        let sent = client.request(&request, NONCE).unwrap();
        let chunks = cut(&sent, sizes);
        let received: Vec<_> = chunks.iter().filter_map(|c| server.receive(c).unwrap()).collect();
        let [seen] = received.as_slice() else { panic!("{received:?}") };
        assert_eq!((&seen.host, &seen.target), (&request.host, &request.target));
        assert_eq!(seen.subprotocols, request.subprotocols);
        assert_eq!(seen.extensions, request.extensions);
        let names: Vec<_> = seen.fields.iter().map(|field| field.name.escape_ascii()).collect();
        let names: Vec<_> = names.iter().map(ToString::to_string).collect();
        let set = ["upgrade", "connection", "sec-websocket-key", "sec-websocket-version"];
        assert_eq!(names, [set.as_slice(), &["origin", "x-a"]].concat());

        let answer = server.accept(&accept).unwrap();
        assert_eq!(server.state(), State::Open);
        let chunks = cut(&answer, sizes);
        let received: Vec<_> = chunks.iter().filter_map(|c| client.receive(c).unwrap()).collect();
        let lowered = accept.fields.iter().map(|field| Field::new("set-cookie", &*field.value));
        let wanted = Accept { fields: lowered.collect(), ..accept.clone() };
        assert_eq!(received, [Response::Accept(wanted)]);
        assert_eq!(client.state(), State::Open);
    }
}

#[test]
fn the_token_of_the_example_in_section_1_3_answers_its_key() {
    assert_eq!(accept_token(KEY.as_bytes()), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    assert_eq!(
        Head::parse(&accepted()).all("sec-websocket-accept"),
        [accept_token(KEY.as_bytes())]
    );
}

#[test]
fn bytes_behind_a_request_are_kept_up_to_the_limit_until_it_is_answered() {
    let limits = HandshakeLimits { early_data: 10, ..HandshakeLimits::DEFAULT };
    for sizes in SIZES {
        let mut server = ServerHandshake::new(limits);
        let bytes = [request_bytes(&[]), b"0123456789".to_vec()].concat();
        for chunk in cut(&bytes, sizes) {
            server.receive(chunk).unwrap();
        }
        server.accept(&Accept::default()).unwrap();
        assert_eq!(server.take_early_data(), b"0123456789");
        assert_eq!(server.take_early_data(), b"");

        let mut server = ServerHandshake::new(limits);
        for chunk in cut(&request_bytes(&[]), sizes) {
            server.receive(chunk).unwrap();
        }
        assert_eq!(server.receive(b"0123456789"), Ok(None));
        let error = HandshakeError::TooMuchEarlyData(10);
        assert_eq!(server.receive(b"x"), Err(error.clone()));
        assert_eq!(server.receive(b"x"), Ok(None));
        assert_eq!(error.status(), 413);
        assert_eq!(server.accept(&Accept::default()), Err(Misuse::NoRequest));
        assert_eq!(server.take_early_data(), b"");
    }
}

#[test]
fn bytes_behind_an_acceptance_are_the_first_input_of_the_connection() {
    let behind = answered(&[accepted(), b"\x81\x02hi\x89\x01".to_vec()].concat(), false);
    let seen = &behind.open.expect("it is open").seen;
    assert_eq!(seen.items, [support::transcript::Item::Text("hi".to_owned())]);
}

#[test]
fn a_request_that_was_parsed_elsewhere_is_held_to_the_same_rules() {
    let head = Head::parse(&request_bytes(&["chat"]));
    let fields = |leave_out: &str| -> Vec<Field> {
        let kept = head.fields.iter().filter(|(name, _)| name != leave_out);
        kept.map(|(name, value)| Field::new(name.to_ascii_uppercase(), value.as_bytes())).collect()
    };
    let mut server = ServerHandshake::default();
    let parsed = server.receive_parsed("/chat", fields("")).unwrap();
    let received = ServerHandshake::default().receive(&request_bytes(&["chat"]));
    assert_eq!(parsed.clone().map(Some), received);
    assert!(server.receive_parsed("/chat", fields("")).is_err(), "there was a request before");
    assert!(server.accept(&Accept::default()).is_ok());

    let refusal = |target: &str, fields: Vec<Field>| {
        ServerHandshake::default().receive_parsed(target, fields).unwrap().unwrap_err()
    };
    assert_eq!(refusal("/chat", fields("host")), HandshakeError::MissingHost);
    assert_eq!(refusal("/chat", fields("sec-websocket-key")), HandshakeError::MissingKey);
    assert_eq!(refusal("/#", fields("")), HandshakeError::Target);
    let smuggled = [fields(""), vec![Field::new("X", "a\r\nY: b")]].concat();
    assert_eq!(refusal("/chat", smuggled), HandshakeError::MalformedHead);

    let mut begun = ServerHandshake::default();
    begun.receive(b"G").unwrap();
    assert!(begun.receive_parsed("/chat", fields("")).is_err());
}

fn rejecting(status: u16, fields: &[(&str, &str)], has_body: bool) -> (ServerHandshake, Vec<u8>) {
    let mut server = ServerHandshake::default();
    server.receive(&request_bytes(&[])).unwrap().expect("it is whole");
    let fields = fields.iter().map(|(name, value)| Field::new(*name, *value)).collect();
    let head = server.reject(&Reject { status, fields, has_body }).expect("it is a rejection");
    (server, head)
}

#[test]
fn the_body_of_a_rejection_arrives_however_it_is_framed() {
    let length = [("Content-Length", "5")];
    let chunked = [("Transfer-Encoding", "chunked")];
    for fields in [&[][..], &length, &chunked] {
        let (mut server, mut bytes) = rejecting(403, fields, true);
        bytes.extend(server.reject_data(b"ab", false).unwrap());
        bytes.extend(server.reject_data(b"", false).unwrap());
        bytes.extend(server.reject_data(b"cde", true).unwrap());
        assert_eq!(server.state(), State::Closed);
        let run = answered(&[bytes, b"behind it".to_vec()].concat(), true);
        assert_eq!((run.error, run.rejects[0].status), (None, 403));
        assert_eq!((run.body.as_slice(), run.finished), (&b"abcde"[..], true));
    }
}

#[test]
fn a_rejection_without_a_body_says_so() {
    for (status, has_body) in [(403, false), (204, false), (304, false)] {
        let (server, bytes) = rejecting(status, &[], has_body);
        assert_eq!(server.state(), State::Closed);
        let run = answered(&bytes, false);
        assert!(run.finished && run.body.is_empty() && run.error.is_none(), "{status}");
    }
}

#[test]
fn a_body_that_contradicts_its_length_is_refused_and_the_right_one_still_goes_out() {
    let (mut server, _) = rejecting(403, &[("Content-Length", "3")], true);
    assert_eq!(server.reject_data(b"abcd", false), Err(Misuse::BodyLength));
    assert_eq!(server.reject_data(b"ab", true), Err(Misuse::BodyLength));
    assert_eq!(server.reject_data(b"ab", false).unwrap(), b"ab");
    assert_eq!(server.reject_data(b"cd", true), Err(Misuse::BodyLength));
    assert_eq!(server.reject_data(b"c", true).unwrap(), b"c");
    assert_eq!(server.state(), State::Closed);
}

#[test]
fn the_limit_of_a_rejection_s_body_is_given_out_before_it_is_crossed() {
    let limits = HandshakeLimits { rejection_body: 4, ..HandshakeLimits::DEFAULT };
    let framings: [(&[u8], &[u8], &[u8]); 3] = [
        (b"\r\n", b"abcd", b"e"),
        (b"Content-Length: 5\r\n\r\n", b"abcd", b"e"),
        (b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n4\r\nbcd", b"e"),
    ];
    for (fields, within, beyond) in framings {
        let bytes = [b"HTTP/1.1 403 \r\n", fields, within, beyond].concat();
        for sizes in SIZES {
            let mut client = ClientHandshake::new(limits);
            client.request(&Request::new("example.com", "/"), NONCE).unwrap();
            let (mut body, mut error) = (Vec::new(), None);
            for mut chunk in cut(&bytes, sizes) {
                while error.is_none() {
                    match client.receive(core::mem::take(&mut chunk)) {
                        Ok(Some(Response::Body(piece))) => body.extend(piece),
                        Ok(Some(_)) => {}
                        Ok(None) => break,
                        Err(found) => error = Some(found),
                    }
                }
            }
            assert_eq!(body, b"abcd");
            assert_eq!(error, Some(HandshakeError::RejectionBodyTooLong(4)));
            assert_eq!(client.state(), State::Closed);
        }
    }
}

#[test]
fn a_body_in_thousands_of_tiny_chunks_is_read_piece_by_piece() {
    let head = b"HTTP/1.1 403 \r\nTransfer-Encoding: chunked\r\n\r\n";
    let bytes = [head.as_slice(), &b"1\r\nx\r\n".repeat(20_000), b"0\r\n\r\n"].concat();
    let mut run = ClientRun::new(Vec::new());
    run.feed(&bytes);
    assert_eq!((run.body.len(), run.finished, run.error), (20_000, true, None));
}

#[test]
fn each_limit_holds_exactly() {
    let limits =
        HandshakeLimits { interim_responses: 2, fields: 7, head: 200, ..HandshakeLimits::DEFAULT };
    let receive = |bytes: &[u8]| {
        let mut client = ClientHandshake::new(limits);
        client.request(&Request::new("example.com", "/"), NONCE).unwrap();
        client.receive(bytes).map(|response| response.is_some())
    };
    let interim = b"HTTP/1.1 103 \r\n\r\n";
    assert_eq!(receive(&[&interim.repeat(2), accepted().as_slice()].concat()), Ok(true));
    let error = Err(HandshakeError::TooManyInterimResponses(2));
    assert_eq!(receive(&[&interim.repeat(3), accepted().as_slice()].concat()), error);
    let head =
        |fields: usize| [b"HTTP/1.1 403 \r\n", b"a: b\r\n".repeat(fields).as_slice()].concat();
    assert_eq!(receive(&[head(7), b"\r\n".to_vec()].concat()), Ok(true));
    assert_eq!(receive(&head(8)), Err(HandshakeError::TooManyFields(7)));
    let long = |length: usize| [b"HTTP/1.1 403 \r\na: ", vec![b'x'; length].as_slice()].concat();
    assert_eq!(receive(&[long(200 - 18 - 4), b"\r\n\r\n".to_vec()].concat()), Ok(true));
    let too_long = Err(HandshakeError::HeadTooLong(200));
    assert_eq!(receive(&[long(200 - 18 - 3), b"\r\n\r\n".to_vec()].concat()), too_long);
    assert_eq!(receive(&long(200 - 18)), Ok(false));
    assert_eq!(receive(&long(200 - 18 + 1)), too_long);
}

#[test]
fn an_answer_chooses_each_extension_once_and_only_among_those_offered() {
    for (offered, chosen, good) in [
        (&["a", "b"][..], &["b; x=1", "a"][..], true),
        (&["a"], &[], true),
        (&["a"], &["b"], false),
        (&[], &["a"], false),
        (&["a", "b"], &["a", "a"], false),
        (&["a"], &["A"], false),
    ] {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let (mut client, mut server) = (ClientHandshake::default(), ServerHandshake::default());
        let request = Request { extensions: owned(offered), ..Request::new("h", "/") };
        server.receive(&client.request(&request, NONCE).unwrap()).unwrap();
        let accept = Accept { extensions: owned(chosen), ..Accept::default() };
        let answer = client.receive(&server.accept(&accept).unwrap());
        assert_eq!(answer.is_ok(), good, "{offered:?} {chosen:?}");
        assert_eq!(client.state(), if good { State::Open } else { State::Closed });
    }
}

#[test]
fn of_a_long_list_of_subprotocols_the_first_are_offered_and_the_others_only_have_to_be_tokens() {
    let name = |number: usize| format!("{number:x}");
    let all: Vec<String> = (0..2000).map(name).collect();
    for count in [MAX_LIST - 1, MAX_LIST, MAX_LIST + 1, 2000] {
        let names: Vec<&str> = all.iter().take(count).map(String::as_str).collect();
        let mut server = ServerHandshake::default();
        let request = server.receive(&request_bytes(&names)).unwrap().expect("it is whole");
        assert_eq!(request.subprotocols, names[..count.min(MAX_LIST)]);
        let last = request.subprotocols.last().cloned();
        for name in [name(MAX_LIST), ",".to_owned(), String::new(), format!("0,{}", name(1))] {
            let accept = Accept { subprotocol: Some(name.clone()), ..Accept::default() };
            let misuse = Misuse::SubprotocolNotOffered(name);
            assert_eq!(server.check_accept(&accept), Err(misuse));
        }
        server.accept(&Accept { subprotocol: last, ..Accept::default() }).unwrap();
    }
    for (list, good) in [
        (all[..MAX_LIST].join(",") + "," + &name(3), true),
        (all[..MAX_LIST].join(",") + ",a b", false),
        (all[..MAX_LIST - 1].join(",") + "," + &name(3), false),
    ] {
        let head = [&request_bytes(&[])[..], b"Sec-WebSocket-Protocol: "].concat();
        let head = String::from_utf8(head).unwrap().replacen("\r\n\r\n", "\r\n", 1);
        let result = ServerHandshake::default().receive(format!("{head}{list}\r\n\r\n").as_bytes());
        let refused = Err(HandshakeError::MalformedSubprotocol);
        assert_eq!(result.map(|request| request.is_some()), if good { Ok(true) } else { refused });
    }
}

#[test]
fn a_name_that_was_not_offered_is_shown_as_far_as_it_helps() {
    let long = "x".repeat(10_000);
    let accepting = String::from_utf8(accepted()).unwrap();
    for (field, name) in [("Protocol", "y"), ("Extensions", "y"), ("Protocol", &long)] {
        let line = format!("\r\nSec-WebSocket-{field}: {name}\r\n\r\n");
        let run = answered(accepting.replace("\r\n\r\n", &line).as_bytes(), false);
        let text = run.error.expect("it was not offered").to_string();
        assert!(text.ends_with(if name == "y" { " y" } else { "xxx..." }), "{text}");
        assert!(text.len() < 200, "{text}");
    }
}

#[test]
fn nothing_is_looked_at_after_a_failure() {
    let mut server = ServerHandshake::default();
    server.receive(b"POST / HTTP/1.1\r\n\r\n").unwrap_err();
    assert_eq!(server.receive(&request_bytes(&[])), Ok(None));
    assert_eq!(server.receive_eof(), Ok(()));
    let mut client = ClientHandshake::default();
    client.request(&Request::new("example.com", "/"), NONCE).unwrap();
    client.receive(b"SSH-2.0-x\r\n").unwrap_err();
    assert_eq!(client.receive(&accepted()), Ok(None));
    assert_eq!(client.receive_eof(), Ok(None));
    assert_eq!(client.take_early_data(), b"");
}

#[test]
fn a_response_before_the_request_is_a_failure() {
    let mut client = ClientHandshake::default();
    assert_eq!(client.receive(b""), Ok(None));
    assert_eq!(client.receive(b"H"), Err(HandshakeError::MalformedHead));
    assert_eq!(client.state(), State::Closed);
}

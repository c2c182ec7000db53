//! Text against the standard library, RFC 6455 §8.1.

use ws13::{CloseCode, Connection, Event, Fin, Role, State, Utf8FaultKind, Violation};

use crate::cuts::{cut, sizes, take};
use crate::end::{End, Taking};
use crate::naive::frame::Frame;
use crate::transcript::{Item, Partial};

/// See the README.
pub fn run(data: &[u8]) {
    let mut rest = data;
    let [one, two, three, four] = take(&mut rest);
    let fragments = cut(rest, &sizes([three, four]));
    let wire = message(&fragments);
    for (chunks, taking) in [
        (vec![wire.as_slice()], Taking::AsciiFirst),
        (cut(&wire, &sizes([one, two])), Taking::Decoded),
        (cut(&wire, &sizes([two, one])), Taking::AsciiFirst),
        (cut(&wire, &[1]), Taking::AsciiFirst),
    ] {
        let mut end = End::new(Connection::new(Role::Client), taking);
        chunks.iter().for_each(|chunk| end.feed(chunk));
        as_the_standard_library_has_it(rest, &end);
    }
    let whole = message(&[rest]);
    let mut end = End::new(Connection::new(Role::Client), Taking::AsciiFirst);
    end.feed(&whole);
    as_the_standard_library_has_it(rest, &end);
    reasons(rest);
}

/// A text message of these fragments, as a server sends it.
fn message(fragments: &[&[u8]]) -> Vec<u8> {
    let last = fragments.len().saturating_sub(1);
    let frame = |(at, payload): (usize, &&[u8])| Frame {
        fin: at == last,
        rsv: 0,
        opcode: u8::from(at == 0),
        key: None,
        payload: payload.to_vec(),
    };
    if fragments.is_empty() {
        return vec![0x81, 0];
    }
    fragments.iter().enumerate().map(frame).flat_map(|frame| frame.encode()).collect()
}

fn as_the_standard_library_has_it(bytes: &[u8], end: &End) {
    let error = match str::from_utf8(bytes) {
        Ok(text) => {
            assert_eq!(end.seen.items, [Item::Text(text.to_owned())]);
            return;
        }
        Err(error) => error,
    };
    assert_eq!(end.seen.items, [Item::Failed(1007)]);
    assert_eq!(end.connection.state(), State::Failed);
    let Some(Violation::TextNotUtf8(fault)) = end.violation else { panic!("{:?}", end.violation) };
    let (good, bad) = bytes.split_at(error.valid_up_to());
    let partial = match &end.seen.partial {
        Some(Partial::Text(text)) => text.as_bytes(),
        _ => &[],
    };
    assert_eq!(partial, good, "what is text comes out");
    assert_eq!((fault.position, fault.byte), (good.len() as u64, bad[0]));
    let length = error.error_len().unwrap_or(bad.len());
    assert_eq!(usize::from(fault.length), length);
    let starts = matches!(bad[0], 0xC2..=0xF4);
    assert_eq!(
        fault.kind,
        match error.error_len() {
            None => Utf8FaultKind::UnexpectedEnd,
            Some(_) if starts => Utf8FaultKind::InvalidContinuationByte,
            Some(_) => Utf8FaultKind::InvalidStartByte,
        }
    );
}

/// A reason is text too. One that is sent is cut between characters, at most 123 bytes long.
fn reasons(bytes: &[u8]) {
    let short = &bytes[..bytes.len().min(123)];
    let payload = [&1000_u16.to_be_bytes(), short].concat();
    let frame = Frame { fin: true, rsv: 0, opcode: 8, key: None, payload };
    let mut connection = Connection::new(Role::Client);
    let encoded = frame.encode();
    match connection.receive(&mut encoded.as_slice()) {
        Some(Event::Close(CloseCode(1000), reason)) => {
            assert_eq!(Ok(reason), str::from_utf8(short))
        }
        Some(Event::Failed(Violation::CloseReasonNotUtf8(_))) => {
            assert!(str::from_utf8(short).is_err());
        }
        other => panic!("{other:?}"),
    }
    let text = String::from_utf8_lossy(bytes);
    let mut connection = Connection::new(Role::Server);
    let sent = connection.send_close(CloseCode(1000), &text, || [0; 4]).expect("it is open");
    let frame = Frame::take(&mut sent.to_vec().as_slice()).expect("it is whole");
    let longest = (0..=123.min(text.len())).rev().find(|cut| text.is_char_boundary(*cut));
    assert_eq!(frame.payload[2..], text.as_bytes()[..longest.unwrap_or(0)]);
    let mut connection = Connection::new(Role::Server);
    assert!(connection.send_text(&text, Fin::Yes, || [0; 4]).is_ok());
}

//! Misuse of the local API never reaches the wire: `tests/vectors/misuse.json`.
//!
//! Frames before the end of the opening handshake are sent on a connection in the handshake's state.
//! What the types rule out, such as a close code of -1, cannot be expressed and is counted, as are
//! international hosts.

#![cfg(test)]

#[expect(dead_code, reason = "each test file uses a part of it")]
mod support;

use serde_json::{Value, json};
use support::frames::{Frame, decode};
use support::handshake::{NONCE, fields, request_bytes, strings};
use support::http::{Head, latin1};
use support::pipe::End;
use support::vectors::{Report, alternatives, identity, input, load, payload_bytes, payload_text};
use ws13::handshake::{Accept, ClientHandshake, Reject, Request, ServerHandshake};
use ws13::{Connection, Fin, Misuse, Role, State};

/// Where the event of a case is sent.
enum Place {
    Open(End),
    Client(ClientHandshake),
    Server(ServerHandshake),
}

/// Why an event did not go out.
enum Refusal {
    Misuse(Misuse),
    /// The types have no such event.
    Inexpressible,
}

impl From<Misuse> for Refusal {
    fn from(misuse: Misuse) -> Self {
        Self::Misuse(misuse)
    }
}

impl Place {
    fn of(case: &Value, role: Role, name: &str) -> Self {
        let place = case["place"].as_str().unwrap();
        if place == "open" {
            let mut end = End::new(role);
            if !case["received"].is_null() {
                end.feed(&input(&case["received"][name]).0);
            }
            let mut open = Self::Open(end);
            for event in case["sent"].as_array().into_iter().flatten() {
                assert!(open.send(event).is_ok(), "{event}");
            }
            return open;
        }
        if role == Role::Client {
            let mut client = ClientHandshake::default();
            if place == "requested" {
                client.request(&Request::new("example.com", "/"), NONCE).unwrap();
            }
            return Self::Client(client);
        }
        let mut server = ServerHandshake::default();
        let offered = strings(&case["offered"]);
        let request = request_bytes(&offered.iter().map(String::as_str).collect::<Vec<_>>());
        match place {
            "fresh" => {}
            "half_request" => assert!(server.receive(&request[..60]).unwrap().is_none()),
            _ => assert!(server.receive(&request).unwrap().is_some()),
        }
        if place == "accepted" {
            server.accept(&Accept::default()).unwrap();
        }
        Self::Server(server)
    }

    fn state(&self) -> State {
        match self {
            Self::Open(end) => end.connection.state(),
            Self::Client(client) => client.state(),
            Self::Server(server) => server.state(),
        }
    }

    fn send(&mut self, event: &Value) -> Result<Vec<u8>, Refusal> {
        let kind = event["type"].as_str().unwrap();
        match (self, kind) {
            (Self::Client(client), "Request") => {
                let host = event["host"].as_str().unwrap();
                let request = Request {
                    subprotocols: strings(&event["subprotocols"]),
                    fields: fields(&event["extra_headers"]),
                    ..Request::new(host, event["target"].as_str().unwrap())
                };
                Ok(client.request(&request, NONCE)?)
            }
            (Self::Server(server), "AcceptConnection") => {
                let accept = Accept {
                    subprotocol: event["subprotocol"].as_str().map(str::to_owned),
                    fields: fields(&event["extra_headers"]),
                    ..Accept::default()
                };
                Ok(server.accept(&accept)?)
            }
            (Self::Server(server), "RejectConnection") => {
                let status = number(&event["status_code"])?;
                let fields = fields(&event["headers"]);
                Ok(server.reject(&Reject { status, fields, has_body: false })?)
            }
            (Self::Server(server), "RejectData") => {
                Ok(server.reject_data(&payload_bytes(&event["data"]), true)?)
            }
            (_, "Request" | "AcceptConnection" | "RejectConnection" | "RejectData") => {
                Err(Refusal::Inexpressible)
            }
            (Self::Open(end), _) => send_frame(end, event),
            (place, _) => {
                let mut connection = Connection::new(Role::Server);
                connection.set_state(place.state());
                send_frame(&mut End::of(connection), event)
            }
        }
    }
}

fn number(value: &Value) -> Result<u16, Refusal> {
    let number = value.as_u64().and_then(|number| u16::try_from(number).ok());
    number.ok_or(Refusal::Inexpressible)
}

fn send_frame(end: &mut End, event: &Value) -> Result<Vec<u8>, Refusal> {
    let fin = if event["message_finished"] == false { Fin::No } else { Fin::Yes };
    let sent = match event["type"].as_str().unwrap() {
        "TextMessage" => end.text(&payload_text(&event["data"]), fin),
        "BytesMessage" => end.binary(&payload_bytes(&event["data"]), fin),
        "Ping" => end.ping(&payload_bytes(&event["payload"])),
        "Pong" => end.pong(&payload_bytes(&event["payload"])),
        "CloseConnection" => {
            end.close(number(&event["code"])?, event["reason"].as_str().unwrap_or(""))
        }
        other => panic!("unknown event {other}"),
    };
    Ok(sent?)
}

fn frames_difference(sent: &[u8], wanted: &Value, role: Role) -> Option<String> {
    let frame = |frame: &Value| Frame {
        fin: frame["fin"] == true,
        opcode: u8::try_from(frame["opcode"].as_u64().unwrap()).unwrap(),
        ..Frame::sent_by(role, 0, &payload_bytes(&frame["payload"]))
    };
    let wanted: Vec<Frame> = wanted.as_array().unwrap().iter().map(frame).collect();
    let sent = decode(sent);
    (sent != wanted).then(|| format!("sent {sent:?}, expected {wanted:?}"))
}

fn head_difference(sent: &[u8], wanted: &Value) -> Option<String> {
    let head = Head::parse(sent);
    let field =
        |field: &Value| head.all(field[0].as_str().unwrap()) == [field[1].as_str().unwrap()];
    let good = head.start.starts_with(wanted["start"].as_str().unwrap())
        && wanted["fields"].as_array().unwrap().iter().all(field)
        && head.rest.is_empty();
    (!good).then(|| format!("sent {head:?}"))
}

/// The right event still goes out, and nothing else was written: the one that the case names, or
/// behind a refusal the next one that is due.
fn life_difference(case: &Value, mut place: Place, role: Role) -> Option<String> {
    let then = &case["then"];
    if !then.is_null() {
        return match place.send(&then["event"]) {
            Ok(sent) => frames_difference(&sent, &then["frames"], role),
            Err(_) => Some(format!("{then} does not go out")),
        };
    }
    let name = case["place"].as_str().unwrap();
    let sent = match &mut place {
        Place::Open(end) if end.connection.state() == State::Open => {
            let sent = end.binary(b"after", Fin::Yes).expect("it may be sent");
            let frames = json!([{"opcode": 2, "fin": true, "payload": "6166746572"}]);
            return frames_difference(&sent, &frames, role);
        }
        Place::Server(server) if name == "answer" => server.accept(&Accept::default()),
        Place::Server(server) if name != "accepted" => {
            let behind = if name == "half_request" { 60 } else { 0 };
            let request = server.receive(&request_bytes(&[])[behind..]);
            return request.ok().flatten().is_none().then(|| "the request was lost".to_owned());
        }
        Place::Client(client) if name != "requested" => {
            client.request(&Request::new("example.com", "/"), NONCE)
        }
        _ => return None,
    };
    sent.err().map(|misuse| format!("nothing goes out any more: {misuse}"))
}

/// What differs from one of the outcomes that a case allows; `Err` if the types rule the event out.
fn difference(case: &Value, role: Role, name: &str, expect: &Value) -> Result<Option<String>, ()> {
    // International names are put into their ASCII form by whoever takes them from a user.
    if expect != "refused" && case["event"]["host"].as_str().is_some_and(|host| !host.is_ascii()) {
        return Err(());
    }
    let mut place = Place::of(case, role, name);
    let before = place.state();
    let sent = match place.send(&case["event"]) {
        Err(Refusal::Inexpressible) => return Err(()),
        Err(Refusal::Misuse(misuse)) if expect != "refused" => {
            return Ok(Some(format!("refused: {misuse}")));
        }
        Err(Refusal::Misuse(_)) if place.state() != before => {
            return Ok(Some(format!("{before} became {}", place.state())));
        }
        Err(Refusal::Misuse(_)) => return Ok(life_difference(case, place, role)),
        Ok(sent) => sent,
    };
    if expect == "refused" {
        return Ok(Some(format!("sent {}", sent.escape_ascii())));
    }
    if expect["head"].is_object() {
        return Ok(head_difference(&sent, &expect["head"]));
    }
    let difference = frames_difference(&sent, &expect["frames"], role);
    let goes_on = difference.is_none() && !case["then"].is_null();
    Ok(if goes_on { life_difference(case, place, role) } else { difference })
}

fn roles(case: &Value) -> Vec<(Role, String)> {
    let names = match case["place"].as_str().unwrap() {
        "open" | "fresh" => strings(&case["roles"]),
        "request" | "requested" => vec!["client".to_owned()],
        _ => vec!["server".to_owned()],
    };
    let role = |name: &str| if name == "client" { Role::Client } else { Role::Server };
    names.into_iter().map(|name| (role(&name), name)).collect()
}

#[test]
fn the_event_goes_out_as_expected_or_is_refused_without_a_trace() {
    let mut report = Report::default();
    let mut inexpressible = Vec::new();
    for case in load("misuse") {
        for (role, name) in roles(&case) {
            let identity = format!("{name} {}", identity(&case));
            let allowed = alternatives(&case["expect"]);
            let differences: Result<Vec<_>, ()> =
                allowed.iter().map(|one| difference(&case, role, &name, one)).collect();
            match differences {
                Err(()) => inexpressible.push(identity),
                Ok(all) if all.contains(&None) => report.add(&identity, None),
                Ok(all) => report.add(&identity, Some(format!("{all:?}"))),
            }
        }
    }
    assert_eq!(inexpressible.len(), 28, "{inexpressible:#?}");
    report.finish(383);
}

#[test]
fn strings_of_the_vectors_are_one_character_a_byte() {
    assert_eq!(latin1("a\u{ff}"), b"a\xff");
}

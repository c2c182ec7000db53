//! Makes a vector of the input of a fuzz target: a line for one of tests/vectors/*.json, whose expectation
//! is what ws13 does today. Whether that is right is for a human to say.
//!
//!     cargo run --example vector -- TARGET FILE NAME

use std::error::Error;
use std::sync::Arc;

use serde_json::{Map, Value, json};
use ws13::deflate::{Direction, Takeover, WindowBits, accept};
use ws13::handshake::{ClientHandshake, Request, Response, ServerHandshake, extensions};
use ws13::{Limits, Role};
use ws13_fuzz_bodies::cuts::take;
use ws13_fuzz_bodies::end::{End, Taking};
use ws13_fuzz_bodies::naive::frame::{Frame, all_masked};
use ws13_fuzz_bodies::setup::{Setup, direction};
use ws13_fuzz_bodies::transcript::{Item, Partial};
use ws13_fuzz_bodies::{api_sequence, end_to_end};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [target, file, name] = arguments.as_slice() else {
        return Err("usage: vector TARGET FILE NAME".into());
    };
    let data = std::fs::read(file)?;
    let (vectors, case) = match target.as_str() {
        "frames_server" => open_connection(&data, Role::Server)?,
        "frames_client" => open_connection(&data, Role::Client)?,
        "utf8" => text(&data),
        "inflate" => deflate(&data)?,
        "handshake_server" => ("server_handshake", request(&data)),
        "handshake_client" => ("client_handshake", response(&data)),
        "extension_header" => ("negotiation_server", offers(&data)),
        "api_sequence" => return calls(&api_sequence::describe(&data)),
        "end_to_end" => return calls(&end_to_end::describe(&data)),
        "mask" => return calls("a key, three offsets, and the payload"),
        other => return Err(format!("no target: {other}").into()),
    };
    let mut line = json!({"row": "fuzz", "name": name, "section": "RFC 6455"});
    line.as_object_mut().ok_or("an object")?.extend(case);
    eprintln!("for tests/vectors/{vectors}.json; check the expectation and the section:");
    println!(" {line}");
    Ok(())
}

/// What no vector can say.
fn calls(description: &str) -> Result<(), Box<dyn Error>> {
    eprintln!("calls are no vector; this is what a test has to do:");
    println!("{description}");
    Ok(())
}

type Case = Map<String, Value>;

fn case(entries: impl IntoIterator<Item = (&'static str, Value)>) -> Case {
    let entries = entries.into_iter().filter(|(_, value)| !value.is_null());
    entries.map(|(key, value)| (key.to_owned(), value)).collect()
}

fn hex(bytes: &[u8]) -> Value {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into()
}

fn latin1(bytes: &[u8]) -> Value {
    bytes.iter().copied().map(char::from).collect::<String>().into()
}

fn role_name(role: Role) -> &'static str {
    match role {
        Role::Server => "server",
        Role::Client => "client",
    }
}

/// The answer that agrees on what the peer of this role sends.
fn agreed(direction: Direction, role: Role) -> String {
    let peer = if role == Role::Server { "client" } else { "server" };
    let mut text = "permessage-deflate".to_owned();
    if direction.takeover == Takeover::NoContext {
        text += &format!("; {peer}_no_context_takeover");
    }
    if direction.max_window < WindowBits::MAX {
        text += &format!("; {peer}_max_window_bits={}", direction.max_window.bits());
    }
    text
}

fn open_connection(data: &[u8], role: Role) -> Result<(&'static str, Case), Box<dyn Error>> {
    let mut rest = data;
    let setup = Setup::take(&mut rest);
    let wire = match (role, setup.to_be_masked) {
        (Role::Server, true) => all_masked(rest),
        _ => rest.to_vec(),
    };
    let vectors = match setup {
        Setup { deflate: Some(_), .. } => "deflate",
        Setup { limits: Limits::DEFAULT, .. } => "frames",
        _ => "limits",
    };
    Ok((vectors, stream(&setup, role, &wire)))
}

fn stream(setup: &Setup, role: Role, wire: &[u8]) -> Case {
    let mut end = End::new(setup.connection(role, &Arc::default()), Taking::AsciiFirst);
    end.feed(wire);
    if setup.eof {
        end.eof();
    }
    let limits = setup.limits;
    let config = json!({
        "max_message_size": limits.message, "max_frame_size": limits.frame,
        "max_fragments": limits.fragments, "piece_size": limits.piece,
    });
    let mut items = vec![hex(wire)];
    items.extend(setup.eof.then(|| json!({"eof": true})));
    case([
        (role_name(role), items.into()),
        ("after_our_close", if setup.closing { true.into() } else { Value::Null }),
        ("extension", setup.deflate.map_or(Value::Null, |one| agreed(one, role).into())),
        ("config", if limits == Limits::DEFAULT { Value::Null } else { config }),
        ("expect", expectation(end)),
    ])
}

fn expectation(end: End) -> Value {
    let seen = end.seen.settled();
    let items = seen.items.iter().map(|item| match item {
        Item::Text(text) => json!(["text", text]),
        Item::Binary(bytes) => json!(["binary", hex(bytes)]),
        Item::Ping(bytes) => json!(["ping", hex(bytes)]),
        Item::Pong(bytes) => json!(["pong", hex(bytes)]),
        Item::Close(code, reason) => json!(["close", code, reason]),
        Item::Failed(code) => json!(["fail", code]),
        Item::Eof => json!(["eof"]),
    });
    let partial = seen.partial.iter().map(|partial| match partial {
        Partial::Text(text) => json!(["partial", "text", text]),
        Partial::Binary(bytes) => json!(["partial", "binary", hex(bytes)]),
    });
    items.chain(partial).collect()
}

/// Without deflate and limits.
const PLAIN: Setup = Setup {
    eof: false,
    closing: false,
    to_be_masked: false,
    deflate: None,
    limits: Limits::DEFAULT,
    cuts: [0, 0],
};

fn text(data: &[u8]) -> (&'static str, Case) {
    let payload = data.get(4..).unwrap_or_default().to_vec();
    let wire = Frame { fin: true, rsv: 0, opcode: 1, key: None, payload }.encode();
    ("text", stream(&PLAIN, Role::Client, &wire))
}

fn deflate(data: &[u8]) -> Result<(&'static str, Case), Box<dyn Error>> {
    let mut rest = data;
    let [flags, window, ..] = take::<5>(&mut rest);
    if flags & 1 != 0 {
        return Err("this input is deflated, not inflated: write a test with its messages".into());
    }
    let mut wire = Vec::new();
    while !rest.is_empty() {
        let length = usize::from(u16::from_be_bytes(take(&mut rest)));
        let (payload, behind) = rest.split_at(length.min(rest.len()));
        let payload = payload.to_vec();
        wire.extend(Frame { fin: true, rsv: 4, opcode: 2, key: None, payload }.encode());
        rest = behind;
    }
    let setup = Setup { deflate: Some(direction(window)), ..PLAIN };
    Ok(("deflate", stream(&setup, Role::Client, &wire)))
}

fn request(data: &[u8]) -> Case {
    let bytes = data.get(8..).unwrap_or_default();
    let expect = match ServerHandshake::default().receive(bytes) {
        Ok(Some(request)) => json!({"request": {
            "target": request.target, "host": request.host, "subprotocols": request.subprotocols,
        }}),
        Ok(None) => json!({"refused": []}),
        Err(error) => json!({"refused": [error.status()]}),
    };
    case([("raw", latin1(bytes)), ("eof", true.into()), ("expect", expect)])
}

fn response(data: &[u8]) -> Case {
    let bytes = data.get(8..).unwrap_or_default();
    let subprotocols = ["chat", "superchat"].map(str::to_owned).to_vec();
    let mut client = ClientHandshake::default();
    let asked = Request { subprotocols, ..Request::new("example.com", "/chat") };
    client.request(&asked, *b"the sample nonce").expect("it is good");
    let (mut input, mut expect) = (bytes, json!({}));
    let (mut body, mut finished) = (Vec::new(), false);
    let result = loop {
        match client.receive(std::mem::take(&mut input)) {
            Ok(Some(Response::Accept(accept))) => {
                expect["accept"] = json!({"subprotocol": accept.subprotocol});
                break Ok(None);
            }
            Ok(Some(Response::Reject(reject))) => {
                expect["reject"] = json!({"status": reject.status});
                finished = !reject.has_body;
            }
            Ok(Some(Response::Body(piece))) => body.extend(piece),
            Ok(Some(Response::BodyEnd)) => finished = true,
            Ok(None) => break client.receive_eof(),
            Err(error) => break Err(error),
        }
    };
    if expect["reject"].is_object() {
        expect["reject"]["finished"] = (finished || matches!(result, Ok(Some(_)))).into();
        expect["reject"]["body"] = hex(&body);
    }
    if result.is_err() {
        expect["fail"] = true.into();
    }
    let request = json!({"subprotocols": asked.subprotocols});
    case([("raw", latin1(bytes)), ("eof", true.into()), ("request", request), ("expect", expect)])
}

fn offers(data: &[u8]) -> Case {
    let mut rest = data;
    let [client, server, ..] = take::<4>(&mut rest).map(direction);
    let wanted = ws13::deflate::Parameters { client, server };
    let expect = match extensions::parse(rest) {
        Err(error) => json!({"refused": [error.status()]}),
        Ok(offers) => {
            let mut deflate = offers.iter().filter(|offer| offer.name == "permessage-deflate");
            let answer = deflate.find_map(|offer| accept(offer, &wanted).ok());
            json!({"answer": answer.map(|(_, answer)| answer)})
        }
    };
    let flag = |one: Direction| one.takeover == Takeover::NoContext;
    let own = json!({
        "client_no_context_takeover": flag(client), "server_no_context_takeover": flag(server),
        "client_max_window_bits": client.max_window.bits(),
        "server_max_window_bits": server.max_window.bits(),
    });
    case([("offers", json!([latin1(rest)])), ("own", own), ("expect", expect)])
}

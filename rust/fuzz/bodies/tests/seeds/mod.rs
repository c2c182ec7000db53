//! What a fuzz target begins with: the vectors, the recordings of the Autobahn test suite, and the examples
//! that stand in both. Tests replay it, and an example writes it down for libFuzzer.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use ws13::Limits;
use ws13::deflate::{Direction, Takeover, WindowBits};
use ws13_fuzz_bodies::naive::frame::{Frame, masked};
use ws13_fuzz_bodies::setup::Setup;

/// Longer ones teach a mutator nothing that shorter ones do not.
const LONGEST: usize = 1500;
const ROLES: [&str; 2] = ["server", "client"];

/// The inputs of each target.
pub fn all() -> HashMap<&'static str, Vec<Vec<u8>>> {
    let mut seeds = Seeds(HashMap::new());
    for file in ["frames", "text", "close", "deflate", "limits"] {
        vectors(file).iter().for_each(|case| open_connection(case, &mut seeds));
    }
    autobahn().for_each(|entry| recording(&entry, &mut seeds));
    for (file, target, part) in [
        ("server_handshake", "handshake_server", "request"),
        ("client_handshake", "handshake_client", "response"),
    ] {
        vectors(file).iter().for_each(|case| handshake(case, target, part, &mut seeds));
    }
    for (file, part) in [("negotiation_server", "offers"), ("negotiation_client", "response")] {
        for case in vectors(file) {
            let lines = case[part].as_array().expect("lines").iter().filter_map(Value::as_str);
            let line = lines.collect::<Vec<_>>().join(", ");
            seeds.add("extension_header", &[&[0; 4], line.as_bytes()]);
        }
    }
    seeds.0
}

struct Seeds(HashMap<&'static str, Vec<Vec<u8>>>);

impl Seeds {
    fn add(&mut self, target: &'static str, parts: &[&[u8]]) {
        let seed = parts.concat();
        if seed.len() <= LONGEST {
            self.0.entry(target).or_default().push(seed);
        }
    }
}

/// The cases of tests/vectors/NAME.json.
fn vectors(name: &str) -> Vec<Value> {
    let text = fs::read_to_string(path(&format!("{name}.json"))).expect("the vectors");
    serde_json::from_str(&text).expect("JSON")
}

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/vectors").join(name)
}

fn piece(piece: &Value) -> Vec<u8> {
    let times = piece["times"].as_u64().and_then(|times| usize::try_from(times).ok()).unwrap_or(1);
    if times > LONGEST {
        // Too long for a seed in any case.
        return vec![0; LONGEST + 1];
    }
    if let Some(text) = piece["text"].as_str() {
        return text.repeat(times).into_bytes();
    }
    let hex = piece.as_str().or(piece["hex"].as_str()).unwrap_or_default().as_bytes();
    let byte =
        |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).expect("hex"), 16).expect("hex");
    hex.chunks(2).map(byte).collect::<Vec<_>>().repeat(times)
}

fn pieces(pieces: &Value) -> Vec<u8> {
    match pieces {
        Value::Array(pieces) => pieces.iter().flat_map(piece).collect(),
        one => piece(one),
    }
}

/// What the peer of this role sends compressed, out of the text of an answer.
fn agreed(text: &str, role: &str) -> Direction {
    let peer = if role == "server" { "client" } else { "server" };
    let bits = text
        .split_once(&format!("{peer}_max_window_bits="))
        .map(|(_, bits)| bits.chars().take_while(char::is_ascii_digit).collect::<String>());
    let bits = bits.and_then(|bits| bits.parse().ok()).and_then(WindowBits::new);
    let no_context = text.contains(&format!("{peer}_no_context_takeover"));
    Direction {
        takeover: if no_context { Takeover::NoContext } else { Takeover::Context },
        max_window: bits.unwrap_or(WindowBits::MAX),
    }
}

fn open_connection(case: &Value, seeds: &mut Seeds) {
    let config = &case["config"];
    let piece = config["piece_size"].as_u64().and_then(|size| usize::try_from(size).ok());
    let limits = Limits {
        message: config["max_message_size"].as_u64(),
        frame: config["max_frame_size"].as_u64(),
        fragments: config["max_fragments"].as_u64(),
        piece: piece.unwrap_or(Limits::DEFAULT.piece),
    };
    for (role, target) in ROLES.into_iter().zip(["frames_server", "frames_client"]) {
        let Some(items) = case[role].as_array() else { continue };
        let extension = case["extension"].as_str().or(case["extension"][role].as_str());
        let setup = Setup {
            eof: items.last().is_some_and(|item| item["eof"] == true),
            closing: case["after_our_close"] == true,
            to_be_masked: false,
            deflate: extension.map(|text| agreed(text, role)),
            limits,
            cuts: [0x13, 0x21],
        };
        let wire: Vec<u8> = items.iter().flat_map(self::piece).collect();
        stream(&setup, role, target, &wire, seeds);
        if role == "server" {
            // The same once more for a mutator that cannot mask.
            let plain = case["client"].as_array();
            let plain: Vec<u8> = plain.into_iter().flatten().flat_map(self::piece).collect();
            stream(&Setup { to_be_masked: true, ..setup }, role, target, &plain, seeds);
        }
    }
}

/// A stream of frames, and for other targets what is in it.
fn stream(setup: &Setup, role: &str, target: &'static str, wire: &[u8], seeds: &mut Seeds) {
    if let Some(prefix) = setup.to_bytes() {
        seeds.add(target, &[&prefix, wire]);
    }
    seeds.add("api_sequence", &[wire]);
    seeds.add("end_to_end", &[wire]);
    if role == "server" {
        return;
    }
    let (mut rest, mut messages) = (wire, Vec::new());
    let (mut text, mut message) = (Vec::new(), Vec::new());
    while let Some(frame) = Frame::take(&mut rest) {
        match (frame.opcode, frame.rsv) {
            (0..=2, 0 | 4) => message.extend(&frame.payload),
            _ => continue,
        }
        if frame.opcode == 1 && frame.rsv == 0 {
            text.extend(&frame.payload);
        }
        if frame.fin {
            let length = u16::try_from(message.len()).unwrap_or(u16::MAX);
            messages.extend(length.to_be_bytes());
            messages.append(&mut message);
        }
    }
    seeds.add("utf8", &[&[0x21, 0x13, 0x43, 0x12], &text]);
    seeds.add("mask", &[&[0x37, 0xfa, 0x21, 0x3d, 3, 9, 40], &text]);
    if let Some(direction) = setup.deflate {
        let context = if direction.takeover == Takeover::Context { 0 } else { 8 };
        let agreed = direction.max_window.bits() - 8 + context;
        seeds.add("inflate", &[&[0, agreed, 0, 0x13, 0x21], &messages]);
        seeds.add("inflate", &[&[9, agreed, 0, 0x13, 0x21], &messages]);
    }
}

/// The lines of tests/vectors/autobahn.jsonl.xz.
fn autobahn() -> impl Iterator<Item = Value> {
    let packed = fs::read(path("autobahn.jsonl.xz")).expect("the recordings");
    let mut text = Vec::new();
    lzma_rs::xz_decompress(&mut packed.as_slice(), &mut text).expect("xz");
    let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| serde_json::from_slice(line).expect("JSON")).collect::<Vec<_>>().into_iter()
}

fn recording(entry: &Value, seeds: &mut Seeds) {
    let role = entry["role"].as_str().expect("a role");
    let target = if role == "server" { "frames_server" } else { "frames_client" };
    let key = [0x37, 0xfa, 0x21, 0x3d];
    let mut wire = Vec::new();
    for frame in entry["frames"].as_array().expect("frames") {
        let (header, payload) = (piece(&frame[0]), pieces(&frame[1]));
        let is_masked = header.get(1).is_some_and(|second| second & 0x80 != 0);
        let one = match is_masked {
            true => [header.as_slice(), &key, &masked(&payload, key)].concat(),
            false => [header, payload].concat(),
        };
        // Of the long ones the beginning.
        if wire.len() + one.len() > LONGEST - 8 {
            break;
        }
        wire.extend(one);
    }
    let setup = Setup {
        eof: true,
        closing: false,
        to_be_masked: false,
        deflate: entry["accepted"].as_str().map(|text| agreed(text, role)),
        limits: Limits::DEFAULT,
        cuts: [0x57, 0x3F],
    };
    stream(&setup, role, target, &wire, seeds);
}

fn handshake(case: &Value, target: &'static str, part: &str, seeds: &mut Seeds) {
    let mut text = case["raw"].as_str().unwrap_or_default().to_owned();
    if case["raw"].is_null() {
        for line in case[part].as_array().expect("lines") {
            let Some(line) = line.as_str() else { return };
            text.extend([line, "\r\n"]);
        }
        text.push_str("\r\n");
    }
    let text = text
        .replace("{accept}", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
        .replace("{accept:swapcase}", "S3PplmbItXAq9KygZZHzrBk+XoO=")
        .replace("{accept:cut}", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo")
        .replace("{key}", "dGhlIHNhbXBsZSBub25jZQ==");
    let bytes: Vec<u8> = text.chars().filter_map(|c| u8::try_from(u32::from(c)).ok()).collect();
    let flags = u8::from(case["eof"] == true) | 4;
    let prefix = [0, 0, 0, 0, 0, flags, 0x57, 0x3F];
    seeds.add(target, &[&prefix, &bytes, &pieces(&case["tail"])]);
}

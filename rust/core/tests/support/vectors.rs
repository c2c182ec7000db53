//! Reads `tests/vectors/*.json` (the format is in the README there) and cuts bytes into chunks.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;
use ws13::Role;

use super::http::latin1;
use super::pipe::cut;

/// The cases of a file.
pub fn load(name: &str) -> Vec<Value> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors");
    let text = std::fs::read_to_string(directory.join(name).with_extension("json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// The row of the protocol matrix and the name of a case.
pub fn identity(case: &Value) -> String {
    format!("{} {}", case["row"].as_str().unwrap(), case["name"].as_str().unwrap())
}

/// The roles of open connections, as the vectors call them.
pub const ROLES: [(Role, &str); 2] = [(Role::Server, "server"), (Role::Client, "client")];

fn times(piece: &Value) -> usize {
    piece["times"].as_u64().map_or(1, |times| usize::try_from(times).unwrap())
}

fn piece_bytes(piece: &Value) -> Vec<u8> {
    if let Some(text) = piece["text"].as_str() {
        return text.as_bytes().repeat(times(piece));
    }
    let hex = piece.as_str().or(piece["hex"].as_str()).expect("a piece");
    let (pairs, odd) = hex.as_bytes().as_chunks::<2>();
    assert!(odd.is_empty(), "half a byte in {hex}");
    let byte =
        |pair: &[u8; 2]| u8::from_str_radix(core::str::from_utf8(pair).unwrap(), 16).unwrap();
    pairs.iter().map(byte).collect::<Vec<u8>>().repeat(times(piece))
}

/// A piece or a list of pieces; nothing if it is absent.
pub fn payload_bytes(payload: &Value) -> Vec<u8> {
    match payload {
        Value::Null => Vec::new(),
        Value::Array(pieces) => pieces.iter().flat_map(piece_bytes).collect(),
        piece => piece_bytes(piece),
    }
}

/// A text payload: a string, `{"text": .., "times": n}` or a list of these.
pub fn payload_text(payload: &Value) -> String {
    match payload {
        Value::String(text) => text.clone(),
        Value::Array(pieces) => pieces.iter().map(payload_text).collect(),
        piece => piece["text"].as_str().expect("a text").repeat(times(piece)),
    }
}

/// The bytes of a list of input items, and whether the end of the stream follows them.
pub fn input(items: &Value) -> (Vec<u8>, bool) {
    let items = items.as_array().expect("a list of input items");
    let ends = items.last().is_some_and(|item| item["eof"] == true);
    let pieces = if ends { &items[..items.len() - 1] } else { items };
    (pieces.iter().flat_map(piece_bytes).collect(), ends)
}

/// The head of a handshake case, `raw` or in `lines`, and its tail.
pub fn handshake_bytes(case: &Value, lines: &str) -> Vec<u8> {
    let mut bytes = match case["raw"].as_str() {
        Some(raw) => latin1(raw),
        None => head_bytes(case[lines].as_array().expect("the lines of a head")),
    };
    bytes.extend(payload_bytes(&case["tail"]));
    bytes
}

fn head_bytes(lines: &[Value]) -> Vec<u8> {
    let mut out = String::new();
    for line in lines {
        match (line.as_str(), line["line"].as_str(), line["fill"].as_str()) {
            (Some(line), _, _) => out.extend([line, "\r\n"]),
            (_, Some(text), _) => out += &format!("{text}\r\n").repeat(times(line)),
            (_, _, Some(fill)) => {
                let [start, end] = ["start", "end"].map(|part| line[part].as_str().unwrap_or(""));
                out.extend([start, &fill.repeat(times(line)), end, "\r\n"]);
            }
            _ => panic!("no line: {line}"),
        }
    }
    latin1(&(out + "\r\n"))
}

/// What a case may come to.
pub fn alternatives(expect: &Value) -> Vec<Value> {
    expect["either"].as_array().cloned().unwrap_or_else(|| vec![expect.clone()])
}

/// Whole; byte by byte; with empty chunks; in two, everywhere when short; in equal parts.
pub fn cuts(bytes: &[u8]) -> Vec<(String, Vec<&[u8]>)> {
    let size = bytes.len();
    let mut all = vec![("whole".to_owned(), vec![bytes])];
    if size < 2 {
        return all;
    }
    if size <= 4096 {
        all.push(("byte by byte".to_owned(), cut(bytes, &[1])));
    } else {
        let (start, rest) = bytes.split_at(20);
        let chunks = [cut(start, &[1]), cut(rest, &[1009])].concat();
        all.push(("20 single bytes, then 1009".to_owned(), chunks));
    }
    all.push(("with empty chunks".to_owned(), cut(bytes, &[0, 1, 0, size - 1, 0])));
    let places: BTreeSet<usize> = match size {
        0..=64 => (1..size).collect(),
        65..=4096 => (1..15).chain((15..size).step_by(size / 8)).chain(size - 6..size).collect(),
        _ => [1, 2, 6, 14, size / 3, size - 6, size - 1].into(),
    };
    for place in places {
        all.push((format!("split at {place}"), cut(bytes, &[place, size - place])));
    }
    for length in [2, 3, 7, 61, 1460, 65536] {
        if length < size && size <= length * 400 {
            all.push((format!("chunks of {length}"), cut(bytes, &[length])));
        }
    }
    all
}

/// Counts the cases that ran and collects what failed, so that all of it is shown at once.
#[derive(Debug, Default)]
pub struct Report {
    pub ran: usize,
    failures: Vec<String>,
}

impl Report {
    pub fn add(&mut self, name: &str, difference: Option<String>) {
        self.ran += 1;
        self.failures.extend(difference.map(|words| format!("{name}\n    {words}")));
    }

    /// Fails if a case failed, or if not exactly `expected` of them ran.
    pub fn finish(self, expected: usize) {
        let Self { ran, failures } = self;
        assert!(
            failures.is_empty(),
            "{} of {ran} cases failed:\n{}",
            failures.len(),
            failures.join("\n")
        );
        assert_eq!(ran, expected, "cases that ran");
    }
}

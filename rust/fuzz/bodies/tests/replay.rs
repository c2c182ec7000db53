//! The corpus once more: what fuzzing has reached stays as it was.

#![cfg(test)]

use std::fs;
use std::path::Path;

use ws13_fuzz_bodies::TARGETS;

mod seeds;

fn replay(target: &str) {
    let (_, body) = TARGETS.iter().find(|(name, _)| *name == target).expect("a target");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus").join(target);
    let mut files: Vec<_> = fs::read_dir(&folder)
        .expect("a corpus")
        .map(|entry| entry.expect("a file").path())
        .collect();
    files.sort();
    assert!(files.len() >= 20, "{} files in {}", files.len(), folder.display());
    for file in files {
        let data = fs::read(&file).expect("it can be read");
        // Shown when the body panics: which one it was.
        println!("{}", file.display());
        body(&data);
    }
}

macro_rules! replayed {
    ($($target:ident)*) => { $(
        #[test]
        fn $target() {
            replay(stringify!($target));
        }
    )* };
}

replayed! {
    handshake_server handshake_client extension_header frames_server frames_client
    inflate utf8 mask api_sequence end_to_end
}

#[test]
fn every_body_takes_nothing_and_zeros() {
    for (_, body) in TARGETS {
        for length in 0..64 {
            body(&vec![0; length]);
            body(&vec![0xFF; length]);
        }
    }
}

/// Minimised for coverage, a corpus loses what covers nothing new and finds something all the same.
#[test]
fn what_the_corpus_began_with_holds_too() {
    let seeds = seeds::all();
    for (target, body) in TARGETS {
        let seeds = &seeds[target];
        assert!(seeds.len() > 100, "{} seeds of {target}", seeds.len());
        seeds.iter().for_each(|seed| body(seed));
    }
}

/// A length that is announced is not taken on trust, whatever else the header says and however little of
/// the payload comes: compressed or not, behind a fragment or not.
#[test]
fn every_announced_length_is_judged_by_its_header() {
    let edges = [125, 126, 0xFFFF, 0x1_0000, 1 << 26, 1 << 31, 1 << 32, 1 << 62, 1 << 63, u64::MAX];
    let lengths = edges.iter().flat_map(|edge: &u64| [edge - 1, *edge, edge.wrapping_add(1)]);
    for length in lengths {
        for (first, flags) in [(0x82, 0), (0x02, 0), (0xC2, 8), (0x42, 8), (0x89, 0), (0x80, 0)] {
            for before in [[].as_slice(), &[0x02, 0x01, b'x']] {
                for payload in [[].as_slice(), b"\0", b"\xf2\x48\xcd"] {
                    let header = [&[first, 127], length.to_be_bytes().as_slice()].concat();
                    let setup = [flags, 0, 0, 0, 0, 0, 0x13, 0x21];
                    let client = [&setup, before, &header, payload].concat();
                    ws13_fuzz_bodies::frames_client::run(&client);
                    let masked =
                        |frame: &[u8]| [&[frame[0], frame[1] | 0x80], &frame[2..]].concat();
                    let before =
                        if before.is_empty() { vec![] } else { vec![2, 0x81, 0, 0, 0, 0, 9] };
                    let server = [&setup, &before[..], &masked(&header), &[0; 4], payload].concat();
                    ws13_fuzz_bodies::frames_server::run(&server);
                }
            }
        }
    }
}

/// As many bytes and fields as the limits say, and not one more.
#[test]
fn a_request_is_as_long_as_its_limits_let_it_be() {
    let fields = "Host: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    for (path, more) in (0..9).flat_map(|path| (0..9).map(move |more| (path, more))) {
        let head =
            format!("GET /{} HTTP/1.1\r\n{fields}", "x".repeat(path)) + &"a: b\r\n".repeat(more);
        let head = head + "\r\n";
        for units in head.len() / 4 - 2..=head.len() / 4 + 2 {
            for count in [0, 4 + more, 5 + more, 6 + more] {
                let [units, count] =
                    [units, count].map(|limit| u8::try_from(limit).expect("small"));
                let setup = [units, count, 0, 0, 0, 0, 0x57, 0x3F];
                let input = [setup.as_slice(), head.as_bytes(), b"behind"].concat();
                ws13_fuzz_bodies::handshake_server::run(&input);
            }
        }
    }
}

//! Frames, text, close, deflate and limits: `tests/vectors/{frames,text,close,deflate,limits}.json` on
//! open connections, both roles, however the bytes are cut.

#![cfg(test)]

#[expect(dead_code, reason = "each test file uses a part of it")]
mod support;

use std::sync::{Arc, LazyLock};

use serde_json::Value;
use support::deflate::{agreed, limits};
use support::frames::{Frame, KEY};
use support::pipe::{End, Taking, peer};
use support::transcript::{Transcript, brief};
use support::vectors::{ROLES, Report, cuts, identity, input, load};
use ws13::deflate::{Options, PerMessageDeflate, Pool};
use ws13::{Connection, Role, State};

fn opened(case: &Value, role: Role) -> End {
    let mut connection = Connection::new(role);
    if let Some(parameters) = agreed(&case["extension"], role) {
        // One for all: what a connection leaves in a state must not matter to the next.
        static POOL: LazyLock<Arc<Pool>> = LazyLock::new(Arc::default);
        let deflate = PerMessageDeflate::new(role, &parameters, Options::DEFAULT, &POOL);
        connection = Connection::with_extensions(role, vec![Box::new(deflate)]);
    }
    let mut end = End::of(connection.with_limits(&limits(&case["config"])));
    if case["after_our_close"] == true {
        end.close(1000, "").expect("a Close frame may be sent");
    }
    end
}

fn run(case: &Value, role: Role, chunks: &[&[u8]], ends: bool, taking: Taking) -> End {
    let mut end = opened(case, role).taking(taking);
    end.feed_all(chunks.iter().copied());
    if ends {
        end.eof();
    }
    end
}

fn allowed(case: &Value) -> Vec<&Value> {
    [&case["expect"], &case["or"]].into_iter().filter(|expect| !expect.is_null()).collect()
}

/// What is wrong with a case in one role, in words.
fn difference(case: &Value, role: Role, items: &Value) -> Option<String> {
    let (bytes, ends) = input(items);
    let outcome = |chunks: &[&[u8]], taking| {
        let end = run(case, role, chunks, ends, taking);
        (end.seen.settled(), end.connection.state())
    };
    let first = outcome(&[&bytes], Taking::AsciiFirst);
    let differences: Vec<_> =
        allowed(case).iter().map(|expect| first.0.difference(expect, first.1)).collect();
    if !differences.contains(&None) {
        return Some(format!("{differences:?}"));
    }
    let short = [Taking::AsciiFirst, Taking::Decoded, Taking::InBlocks];
    let takings = if bytes.len() <= 1000 { short.as_slice() } else { &short[..1] };
    for (label, chunks) in cuts(&bytes) {
        for taking in takings.iter().copied() {
            let seen = outcome(&chunks, taking);
            if seen != first {
                return Some(brief(format!("{label}, {taking:?}: {seen:?}, but whole: {first:?}")));
            }
        }
    }
    None
}

/// The cases in each of their roles.
fn runs() -> Vec<(String, Value, Role, Value)> {
    let cases = ["frames", "text", "close", "deflate", "limits"].iter().flat_map(|name| load(name));
    let mut runs = Vec::new();
    for case in cases {
        for (role, name) in ROLES.iter().filter(|(_, name)| !case[name].is_null()) {
            let items = case[name].clone();
            runs.push((format!("{name} {}", identity(&case)), case.clone(), *role, items));
        }
    }
    runs
}

#[test]
fn every_cut_of_the_bytes_has_the_expected_outcome() {
    let mut report = Report::default();
    for (name, case, role, items) in runs() {
        report.add(&name, difference(&case, role, &items));
    }
    report.finish(3538);
}

#[test]
fn nothing_comes_out_after_the_end() {
    let mut report = Report::default();
    for (name, case, role, items) in runs() {
        let (bytes, ends) = input(&items);
        let mut end = run(&case, role, &[&bytes], ends, Taking::AsciiFirst);
        if end.seen.end().is_none() {
            continue;
        }
        end.seen = Transcript::default();
        for opcode in [1, 9, 8] {
            end.feed(&Frame::sent_by(peer(role), opcode, b"late").encode());
        }
        end.feed_all([[0xFF; 20].as_slice(), &[]]);
        end.eof();
        end.eof();
        let silent = end.seen == Transcript::default() && end.connection.state() == State::Closed;
        report.add(&name, (!silent).then(|| format!("{:?}", end.seen)));
    }
    report.finish(2335);
}

#[test]
fn names_of_cases_are_unique() {
    for file in [
        "frames",
        "text",
        "close",
        "deflate",
        "limits",
        "server_handshake",
        "client_handshake",
        "negotiation_server",
        "negotiation_client",
        "misuse",
    ] {
        let mut names: Vec<String> = load(file).iter().map(identity).collect();
        let all = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), all, "{file}");
    }
    assert_eq!(
        Frame::sent_by(Role::Client, 1, b"").encode(),
        [[0x81, 0x80].as_slice(), &KEY].concat()
    );
}

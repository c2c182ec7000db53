//! Opening handshakes: `tests/vectors/{server,client}_handshake.json`, however the bytes are cut.

#![cfg(test)]

#[expect(dead_code, reason = "each test file uses a part of it")]
mod support;

use serde_json::Value;
use support::handshake::{ClientRun, ServerRun, filled, refusal_fields, strings};
use support::http::Head;
use support::transcript::brief;
use support::vectors::{Report, alternatives, cuts, handshake_bytes, identity, load};
use ws13::handshake::{Accept, Reject};

fn server(case: &Value, chunks: &[&[u8]]) -> ServerRun {
    let subprotocol = case["accept"]["subprotocol"].as_str().map(str::to_owned);
    let mut run = ServerRun::new(Accept { subprotocol, ..Accept::default() });
    chunks.iter().for_each(|chunk| run.feed(chunk));
    if case["eof"] == true {
        run.eof();
    }
    run
}

fn client(case: &Value, chunks: &[&[u8]]) -> ClientRun {
    let mut run = ClientRun::new(strings(&case["request"]["subprotocols"]));
    chunks.iter().for_each(|chunk| run.feed(chunk));
    if case["eof"] == true {
        run.eof();
    }
    run
}

/// Every cut has the same one of the allowed outcomes, and the same error with the same words.
fn difference<R, T: PartialEq + core::fmt::Debug>(
    case: &Value,
    bytes: &[u8],
    run: impl Fn(&[&[u8]]) -> R,
    compare: impl Fn(&R, &Value) -> Option<String>,
    verdict: impl Fn(&R) -> T,
) -> Option<String> {
    let mut allowed = alternatives(&case["expect"]);
    let mut first = None;
    for (label, chunks) in cuts(bytes) {
        let seen = run(&chunks);
        let differences: Vec<_> = allowed.iter().map(|one| compare(&seen, one)).collect();
        let Some(met) = differences.iter().position(Option::is_none) else {
            return Some(format!("{label}: {differences:?}"));
        };
        allowed = vec![allowed.swap_remove(met)];
        let verdict = verdict(&seen);
        match &first {
            None => first = Some(verdict),
            Some(first) if *first == verdict => {}
            Some(first) => {
                return Some(brief(format!("{label}: {verdict:?}, but whole: {first:?}")));
            }
        }
    }
    None
}

#[test]
fn every_cut_of_a_request_has_the_expected_outcome() {
    let mut report = Report::default();
    for case in load("server_handshake") {
        let bytes = handshake_bytes(&case, "request");
        let run = |chunks: &[&[u8]]| server(&case, chunks);
        let verdict = |run: &ServerRun| (run.error.clone(), run.requests.clone());
        report
            .add(&identity(&case), difference(&case, &bytes, run, ServerRun::difference, verdict));
    }
    report.finish(395);
}

#[test]
fn every_cut_of_a_response_has_the_expected_outcome() {
    let mut report = Report::default();
    for case in load("client_handshake") {
        let bytes = filled(&handshake_bytes(&case, "response"));
        let run = |chunks: &[&[u8]]| client(&case, chunks);
        let verdict = |run: &ClientRun| {
            let digest = (run.body.len(), run.finished);
            (run.error.clone(), run.accepts.clone(), run.rejects.clone(), digest)
        };
        report
            .add(&identity(&case), difference(&case, &bytes, run, ClientRun::difference, verdict));
    }
    report.finish(220);
}

#[test]
fn the_answer_to_a_refused_request_can_be_sent() {
    let mut report = Report::default();
    for case in load("server_handshake") {
        let mut run = server(&case, &[&handshake_bytes(&case, "request")]);
        let Some(error) = run.error.take() else { continue };
        let fields = refusal_fields(&error);
        let reject = Reject { status: error.status(), fields, has_body: false };
        let head = Head::parse(&run.handshake.reject(&reject).expect("it can be sent"));
        let good = head.start.starts_with(&format!("HTTP/1.1 {} ", error.status()))
            && head.all("content-length") == ["0"]
            && head.rest.is_empty()
            && run.handshake.state() == ws13::State::Closed;
        report.add(&identity(&case), (!good).then(|| format!("{head:?}")));
    }
    report.finish(295);
}

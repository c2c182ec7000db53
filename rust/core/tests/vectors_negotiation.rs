//! The negotiation of permessage-deflate: `tests/vectors/negotiation_{server,client}.json`.

#![cfg(test)]
#![expect(clippy::arithmetic_side_effects, reason = "tests count without fear")]

#[expect(dead_code, reason = "each test file uses a part of it")]
mod support;

use std::collections::BTreeSet;

use serde_json::Value;
use support::deflate::wishes;
use support::handshake::request_bytes;
use support::http::latin1;
use support::vectors::{Report, alternatives, identity, load};
use ws13::HandshakeError;
use ws13::deflate::{NAME, Parameters, accept, finalize, offer};
use ws13::handshake::extensions::{Offer, parse};
use ws13::handshake::{Request, ServerHandshake};

/// A line of the field: a string, or `{"start": .., "fill": .., "times": n, "end": ..}`.
fn line(line: &Value) -> Vec<u8> {
    let text = |part: &str| line[part].as_str().unwrap_or_default().to_owned();
    let times = usize::try_from(line["times"].as_u64().unwrap_or(1)).unwrap();
    latin1(&match line.as_str() {
        Some(line) => line.to_owned(),
        None => {
            let middle = text("line") + &text("fill");
            text("start") + &middle.repeat(times) + &text("end")
        }
    })
}

fn lines(case: &Value, name: &str) -> Vec<Vec<u8>> {
    case[name].as_array().expect("lines").iter().map(line).collect()
}

/// The extensions in all lines; `None` if they break the grammar.
fn listed(lines: &[Vec<u8>]) -> Option<Vec<Offer<'_>>> {
    let parsed: Result<Vec<_>, _> = lines.iter().map(|line| parse(line)).collect();
    parsed.ok().map(|lists| lists.concat())
}

/// The name and the parameters of an extension, in any order.
fn sorted(text: &str) -> BTreeSet<String> {
    text.split(';').map(|part| part.trim().to_owned()).collect()
}

/// What a server makes of a request with these lines.
fn requested(lines: &[Vec<u8>]) -> Result<Request, HandshakeError> {
    let mut head = request_bytes(&[]);
    head.truncate(head.len() - 2);
    for line in lines {
        head.extend([b"Sec-WebSocket-Extensions: ", line.as_slice(), b"\r\n"].concat());
    }
    head.extend(b"\r\n");
    ServerHandshake::default().receive(&head).map(|request| request.expect("the head is whole"))
}

fn answer(case: &Value) -> String {
    let Ok(request) = requested(&lines(case, "offers")) else { return "refused".to_owned() };
    let wanted = wishes(&case["own"]);
    let accepted = request.extensions.iter().find_map(|text| {
        let offers = parse(text.as_bytes()).expect("the server has read it");
        let [offer] = offers.as_slice() else { panic!("{text} is one offer") };
        accept(offer, &wanted).ok().filter(|_| offer.name == NAME)
    });
    accepted.map_or("declined".to_owned(), |(_, answer)| answer)
}

#[test]
fn a_server_answers_the_first_acceptable_offer() {
    let mut report = Report::default();
    for case in load("negotiation_server") {
        let seen = answer(&case);
        let fits = alternatives(&case["expect"]).iter().any(|wanted| match &wanted["answer"] {
            Value::String(text) => sorted(text) == sorted(&seen),
            _ if wanted["refused"].is_array() => seen == "refused",
            _ => seen == "declined",
        });
        let difference = format!("{seen}, expected {}", case["expect"]);
        report.add(&identity(&case), (!fits).then_some(difference));
    }
    report.finish(383);
}

/// What a client comes to with the answer of a case, in the form of the expectations.
fn outcome(case: &Value, wanted: Option<&Parameters>) -> Value {
    let fail = serde_json::json!({"fail": true});
    let lines = lines(case, "response");
    let Some(answers) = listed(&lines) else { return fail };
    let Some(first) = answers.first() else { return serde_json::json!({"extensions": []}) };
    let (1, NAME, Some(wanted)) = (answers.len(), first.name, wanted) else { return fail };
    let Ok(Parameters { client, server }) = finalize(first, wanted) else { return fail };
    let no_context = |takeover| takeover == ws13::deflate::Takeover::NoContext;
    serde_json::json!({"extensions": [NAME], "agreed": {
        "client_no_context_takeover": no_context(client.takeover),
        "server_no_context_takeover": no_context(server.takeover),
        "client_max_window_bits": client.max_window.bits(),
        "server_max_window_bits": server.max_window.bits(),
    }})
}

#[test]
fn a_client_agrees_to_what_fits_its_offer_and_to_nothing_else() {
    let mut report = Report::default();
    for case in load("negotiation_client") {
        let offers_nothing = case.as_object().unwrap().get("own") == Some(&Value::Null);
        let wanted = (!offers_nothing).then(|| wishes(&case["own"]));
        if let (Some(text), Some(wanted)) = (case["offer"].as_str(), &wanted) {
            assert_eq!(sorted(text), sorted(&offer(wanted)), "{}", identity(&case));
        }
        let seen = outcome(&case, wanted.as_ref());
        let fits = alternatives(&case["expect"]).contains(&seen);
        report.add(&identity(&case), (!fits).then(|| format!("{seen}, not {}", case["expect"])));
    }
    report.finish(217);
}

//! `docs/lifecycle.md` is made from [`ws13::RULES`]: this test compares the two, and writes the file
//! when the environment variable `WS13_BLESS` is set to 1.

#![cfg(test)]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use ws13::{RULES, Rule, State, Step};

const HEAD: &str = "\
# The lifecycle of a connection

Made from `RULES` in `rust/core/src/state.rs` by `WS13_BLESS=1 cargo test -p ws13 --test lifecycle_doc`; edit the rules,
not this file.

Steps that begin with *Send* are the caller's: where the table has none, the call is refused and nothing changes. Steps that
begin with *Receive*, and *Fail* (the peer breaks a rule), are the peer's: where the table has none, what arrives is
discarded.

";

/// Every pair of states between which there is a step, in the order of the rules.
fn arrows() -> Vec<(State, State)> {
    let mut arrows = Vec::new();
    for Rule { from, to, .. } in RULES {
        if !arrows.contains(&(*from, *to)) {
            arrows.push((*from, *to));
        }
    }
    arrows
}

fn diagram() -> String {
    let mut text = "```mermaid\nstateDiagram-v2\n    [*] --> Connecting\n".to_owned();
    for (from, to) in arrows() {
        let steps = RULES.iter().filter(|rule| (rule.from, rule.to) == (from, to));
        let names: Vec<String> = steps.map(|rule| rule.step.to_string()).collect();
        writeln!(text, "    {from} --> {to}: {}", names.join(", ")).unwrap();
    }
    text + "    Closed --> [*]\n```\n"
}

fn table() -> String {
    let mut text = "| State | Step | Next state | RFC 6455 |\n|---|---|---|---|\n".to_owned();
    for Rule { from, step, to, section } in RULES {
        writeln!(text, "| {from} | {step} | {to} | §{section} |").unwrap();
    }
    text
}

#[test]
fn the_document_shows_the_rules_as_they_are() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/lifecycle.md");
    let wanted = format!("{HEAD}{}\n{}", diagram(), table());
    if std::env::var("WS13_BLESS").is_ok_and(|value| value == "1") {
        std::fs::write(&path, &wanted).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == wanted,
        "docs/lifecycle.md is not what the rules say; set WS13_BLESS=1 to write it again"
    );
}

#[test]
fn every_state_and_every_step_stands_in_a_rule() {
    let states: BTreeSet<u8> =
        RULES.iter().flat_map(|rule| [rule.from as u8, rule.to as u8]).collect();
    let steps: BTreeSet<u8> = RULES.iter().map(|rule| rule.step as u8).collect();
    assert_eq!(states, (State::Connecting as u8..=State::Closed as u8).collect());
    assert_eq!(steps, (Step::SendRequest as u8..=Step::ReceiveEof as u8).collect());
}

#[test]
fn every_rule_names_a_section() {
    for Rule { from, step, section, .. } in RULES {
        let numbers: Vec<&str> = section.split('.').collect();
        let good = (2..=3).contains(&numbers.len())
            && numbers.iter().all(|number| number.parse::<u8>().is_ok());
        assert!(good, "{from} {step}: {section:?}");
    }
}

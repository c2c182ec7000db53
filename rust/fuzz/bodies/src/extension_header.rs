//! Sec-WebSocket-Extensions and what is agreed, RFC 6455 §9.1 and RFC 7692 §7.1.

use ws13::deflate::{NAME, Parameters, accept, finalize, offer};
use ws13::handshake::extensions::{Offer, offers, parse};
use ws13_ledger::Ledger;

use crate::cuts::take;
use crate::naive::extensions::{self as naive, Extension};
use crate::setup::direction;

/// See the README.
pub fn run(data: &[u8]) {
    let mut rest = data;
    let [client, server] = take(&mut rest).map(direction);
    let [other_client, other_server] = take(&mut rest).map(direction);
    let wanted = Parameters { client, server };
    let other = Parameters { client: other_client, server: other_server };
    parameters(&wanted, &other);

    let mut ledger = Ledger::default();
    let mark = ledger.open();
    let all_good = offers(rest).all(|offer| offer.is_ok());
    ledger.close(mark);
    ledger.check(0, 0);
    let parsed = parse(rest);
    assert_eq!(parsed.is_ok(), all_good, "one by one and all at once");
    let Ok(offers) = parsed else {
        assert_eq!(naive::parse(rest), None, "what follows the grammar is read");
        return;
    };
    let shapes: Vec<Extension> = offers.iter().map(shape).collect();
    assert_eq!(Some(&shapes), naive::parse(rest).as_ref(), "it is read as the grammar has it");
    for (offer, shape) in offers.iter().zip(&shapes) {
        let again = parse(offer.text.as_bytes()).expect("it was read before");
        assert_eq!(
            again.as_slice(),
            std::slice::from_ref(offer),
            "an extension's text is that extension"
        );
        as_the_rfc_has_it(offer, shape, &wanted);
    }
}

fn shape(offer: &Offer<'_>) -> Extension {
    let parameters = offer.parameters();
    let parameters =
        parameters.map(|one| (one.name.to_owned(), one.value.map(|value| value.into_owned())));
    Extension { name: offer.name.to_owned(), parameters: parameters.collect() }
}

fn as_the_rfc_has_it(offer: &Offer<'_>, shape: &Extension, wanted: &Parameters) {
    let accepted = accept(offer, wanted);
    let expected = naive::accepted(shape, wanted);
    assert_eq!(accepted.as_ref().ok().map(|(agreed, _)| *agreed), expected);
    assert_eq!(finalize(offer, wanted).ok(), naive::finalized(shape, wanted));
    if let Ok((agreed, answer)) = accepted {
        let shapes = naive::parse(answer.as_bytes()).expect("an answer follows the grammar");
        let [shape] = shapes.as_slice() else { panic!("{answer}") };
        assert!(shape.name == NAME && naive::is_legal(shape, naive::Sender::Server), "{answer}");
        // Whoever asked for nothing of its own gets what the server has said.
        assert_eq!(naive::finalized(shape, &Parameters::DEFAULT), Some(agreed));
    }
}

/// Two ends of ours agree, whatever each of them wants, on what neither finds too much.
fn parameters(client: &Parameters, server: &Parameters) {
    let text = offer(client);
    let offers = parse(text.as_bytes()).expect("an offer follows the grammar");
    let [one] = offers.as_slice() else { panic!("{text}") };
    assert!(naive::is_legal(&shape(one), naive::Sender::Client), "{text}");
    let (agreed, answer) = accept(one, server).expect("an offer of ours is accepted");
    let answers = parse(answer.as_bytes()).expect("an answer follows the grammar");
    assert_eq!(finalize(&answers[0], client), Ok(agreed), "both ends come to the same");
    for (agreed, wishes) in [
        (agreed.client, [client.client, server.client]),
        (agreed.server, [client.server, server.server]),
    ] {
        let least = wishes.map(|wish| wish.max_window).into_iter().min();
        assert_eq!(Some(agreed.max_window), least);
        let both = wishes.iter().all(|wish| wish.takeover == ws13::deflate::Takeover::Context);
        assert_eq!(agreed.takeover == ws13::deflate::Takeover::Context, both);
    }
}

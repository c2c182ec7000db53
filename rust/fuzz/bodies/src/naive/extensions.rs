//! Sec-WebSocket-Extensions, RFC 6455 §9.1, and the parameters of permessage-deflate, RFC 7692 §7.1.

use ws13::deflate::{Direction, Parameters, Takeover, WindowBits};

/// An extension: its name, and its parameters with their values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extension {
    /// Its name.
    pub name: String,
    /// Its parameters in their order.
    pub parameters: Vec<(String, Option<String>)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Word {
    Token(String),
    Quoted(String),
    Sign(char),
}

/// RFC 9110 §5.6.2.
#[must_use]
pub fn is_tchar(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)
}

fn words(value: &str) -> Option<Vec<Word>> {
    let mut words = Vec::new();
    let mut rest = value.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            ' ' | '\t' => {}
            ',' | ';' | '=' => words.push(Word::Sign(c)),
            '"' => {
                let mut text = String::new();
                loop {
                    match rest.next()? {
                        '"' => break,
                        '\\' => text.push(rest.next()?),
                        c => text.push(c),
                    }
                }
                words.push(Word::Quoted(text));
            }
            c if is_tchar(c) => {
                let mut token = String::from(c);
                while let Some(c) = rest.next_if(|c| is_tchar(*c)) {
                    token.push(c);
                }
                words.push(Word::Token(token));
            }
            _ => return None,
        }
    }
    Some(words)
}

/// The extensions in a value; `None` if it breaks the grammar.
#[must_use]
pub fn parse(value: &[u8]) -> Option<Vec<Extension>> {
    let value = str::from_utf8(value).ok().filter(|value| value.is_ascii())?;
    let words = words(value)?;
    let elements = words.split(|word| *word == Word::Sign(',')).filter(|words| !words.is_empty());
    elements.map(extension).collect()
}

fn extension(words: &[Word]) -> Option<Extension> {
    let mut parts = words.split(|word| *word == Word::Sign(';'));
    let [Word::Token(name)] = parts.next()? else { return None };
    let parameters: Option<Vec<_>> = parts
        .map(|part| match part {
            [Word::Token(name)] => Some((name.clone(), None)),
            [Word::Token(name), Word::Sign('='), Word::Token(value) | Word::Quoted(value)] => {
                Some((name.clone(), Some(value.clone())))
            }
            _ => None,
        })
        .collect();
    Some(Extension { name: name.clone(), parameters: parameters? })
}

/// Which end has sent the parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    /// A client, in an offer.
    Client,
    /// A server, in an answer.
    Server,
}

const CLIENT_TAKEOVER: &str = "client_no_context_takeover";
const SERVER_TAKEOVER: &str = "server_no_context_takeover";
const CLIENT_WINDOW: &str = "client_max_window_bits";
const SERVER_WINDOW: &str = "server_max_window_bits";

/// RFC 7692 §7.1: no parameter but these four, none twice, each with a value that it may have.
#[must_use]
pub fn is_legal(extension: &Extension, sender: Sender) -> bool {
    let names: Vec<&String> = extension.parameters.iter().map(|(name, _)| name).collect();
    let twice = (1..names.len()).any(|at| names[..at].contains(&names[at]));
    let is_window = |value: &str| (8..=15).any(|bits: u8| bits.to_string() == value);
    !twice
        && extension.parameters.iter().all(|(name, value)| match (name.as_str(), value) {
            (CLIENT_TAKEOVER | SERVER_TAKEOVER, None) => true,
            (CLIENT_WINDOW, None) => sender == Sender::Client,
            (CLIENT_WINDOW | SERVER_WINDOW, Some(value)) => is_window(value),
            _ => false,
        })
}

fn has(extension: &Extension, name: &str) -> bool {
    extension.parameters.iter().any(|(other, _)| other == name)
}

fn window(extension: &Extension, name: &str) -> Option<WindowBits> {
    let found = extension.parameters.iter().find(|(other, _)| other == name);
    let value = found.and_then(|(_, value)| value.clone())?;
    WindowBits::new(value.parse().ok()?)
}

fn takeover(wanted: Takeover, told: bool) -> Takeover {
    if told { Takeover::NoContext } else { wanted }
}

/// What a server that wants `wanted` agrees to when a client offers this.
#[must_use]
pub fn accepted(offer: &Extension, wanted: &Parameters) -> Option<Parameters> {
    let client = match window(offer, CLIENT_WINDOW) {
        // §7.1.2.2: a server must not ask for what the client did not offer.
        None if !has(offer, CLIENT_WINDOW) => WindowBits::MAX,
        bits => bits.unwrap_or(WindowBits::MAX).min(wanted.client.max_window),
    };
    let server = window(offer, SERVER_WINDOW).unwrap_or(WindowBits::MAX);
    is_legal(offer, Sender::Client).then_some(Parameters {
        client: Direction {
            takeover: takeover(wanted.client.takeover, has(offer, CLIENT_TAKEOVER)),
            max_window: client,
        },
        server: Direction {
            takeover: takeover(wanted.server.takeover, has(offer, SERVER_TAKEOVER)),
            max_window: server.min(wanted.server.max_window),
        },
    })
}

/// What a client that asked for `wanted` agrees to when a server answers this.
#[must_use]
pub fn finalized(answer: &Extension, wanted: &Parameters) -> Option<Parameters> {
    let takeover_kept = wanted.server.takeover == Takeover::Context || has(answer, SERVER_TAKEOVER);
    let server = window(answer, SERVER_WINDOW).unwrap_or(WindowBits::MAX);
    let client = window(answer, CLIENT_WINDOW).unwrap_or(WindowBits::MAX);
    let fits =
        is_legal(answer, Sender::Server) && takeover_kept && server <= wanted.server.max_window;
    fits.then_some(Parameters {
        client: Direction {
            takeover: takeover(wanted.client.takeover, has(answer, CLIENT_TAKEOVER)),
            max_window: client.min(wanted.client.max_window),
        },
        server: Direction {
            takeover: takeover(wanted.server.takeover, has(answer, SERVER_TAKEOVER)),
            max_window: server,
        },
    })
}

//! What came out of a connection, in a form that does not depend on how its bytes were cut, and the
//! expectations of the vectors in the same form.

use serde_json::Value;
use ws13::{State, Violation};

use super::vectors::{payload_bytes, payload_text};

/// A whole message, a control frame, or the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(u16, String),
    Failed(Violation),
    /// The end of the stream without a Close frame: 1006.
    Eof,
}

/// Everything a connection gave out, messages joined over fragments and pieces.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Transcript {
    pub items: Vec<Item>,
    /// A message whose end has not come.
    pub partial: Option<Partial>,
}

/// What was given out of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Partial {
    Text(String),
    Binary(Vec<u8>),
}

impl Transcript {
    pub fn text(&mut self, piece: &str, ends: ws13::Ends) {
        assert!(ends.frame || !ends.message, "a message ends inside a frame");
        match self.partial.get_or_insert(Partial::Text(String::new())) {
            Partial::Text(text) => text.push_str(piece),
            Partial::Binary(_) => panic!("text inside a binary message"),
        }
        if ends.message {
            self.finish();
        }
    }

    pub fn binary(&mut self, piece: &[u8], ends: ws13::Ends) {
        assert!(ends.frame || !ends.message, "a message ends inside a frame");
        match self.partial.get_or_insert(Partial::Binary(Vec::new())) {
            Partial::Binary(bytes) => bytes.extend_from_slice(piece),
            Partial::Text(_) => panic!("bytes inside a text message"),
        }
        if ends.message {
            self.finish();
        }
    }

    /// The message has come to its end.
    fn finish(&mut self) {
        self.items.extend(self.partial.take().map(|partial| match partial {
            Partial::Text(text) => Item::Text(text),
            Partial::Binary(bytes) => Item::Binary(bytes),
        }));
    }

    /// Without an unfinished message of which nothing came out.
    pub fn settled(mut self) -> Self {
        let empty = match &self.partial {
            Some(Partial::Text(text)) => text.is_empty(),
            Some(Partial::Binary(bytes)) => bytes.is_empty(),
            None => true,
        };
        if empty {
            self.partial = None;
        }
        self
    }

    /// The last item, if it is the end.
    pub fn end(&self) -> Option<&Item> {
        self.items
            .last()
            .filter(|item| matches!(item, Item::Close(..) | Item::Failed(_) | Item::Eof))
    }

    /// Bytes of payload that came out.
    pub fn payload_bytes(&self) -> usize {
        let whole = self.items.iter().map(|item| match item {
            Item::Text(text) => text.len(),
            Item::Binary(bytes) | Item::Ping(bytes) | Item::Pong(bytes) => bytes.len(),
            Item::Close(..) | Item::Failed(_) | Item::Eof => 0,
        });
        let part = match &self.partial {
            Some(Partial::Text(text)) => text.len(),
            Some(Partial::Binary(bytes)) => bytes.len(),
            None => 0,
        };
        whole.sum::<usize>() + part
    }

    /// What differs from the expectation of a case (see the README of the vectors), in words.
    pub fn difference(&self, entries: &Value, state: State) -> Option<String> {
        let mut seen = self.clone().settled();
        let entries = entries.as_array().map_or(&[] as &[Value], Vec::as_slice);
        let mut wanted = Transcript::default();
        let mut failure = None;
        for entry in entries {
            let payload = &entry[1];
            match entry[0].as_str().expect("the kind of an entry") {
                "text" => wanted.items.push(Item::Text(payload_text(payload))),
                "binary" => wanted.items.push(Item::Binary(payload_bytes(payload))),
                "ping" => wanted.items.push(Item::Ping(payload_bytes(payload))),
                "pong" => wanted.items.push(Item::Pong(payload_bytes(payload))),
                "close" => {
                    let code = u16::try_from(payload.as_u64().expect("a code")).unwrap();
                    let reason = entry[2].as_str().expect("a reason").to_owned();
                    wanted.items.push(Item::Close(code, reason));
                }
                "fail" => failure = Some(payload.as_u64().expect("a code")),
                "eof" => wanted.items.push(Item::Eof),
                "partial" if payload == "text" => {
                    wanted.partial = Some(Partial::Text(payload_text(&entry[2])));
                }
                "partial" if payload == "binary" => {
                    wanted.partial = Some(Partial::Binary(payload_bytes(&entry[2])));
                }
                "partial" => wanted.partial = seen.partial.clone(),
                other => panic!("unknown expectation {other:?}"),
            }
        }
        if let Some(code) = failure {
            match seen.items.pop() {
                Some(Item::Failed(v)) if u64::from(v.close_code().0) == code => {}
                other => return Some(format!("ended with {other:?}, expected failure {code}")),
            }
        }
        let right = match wanted.end() {
            Some(Item::Close(..)) => matches!(state, State::RemoteClosing | State::Closed),
            Some(_) => state == State::Closed,
            None if failure.is_some() => {
                matches!(state, State::Failed | State::FailedClosing | State::Closed)
            }
            None => true,
        };
        if !right {
            return Some(format!("state {state}"));
        }
        (seen != wanted).then(|| brief(format!("{seen:?}, expected {wanted:?}")))
    }
}

/// The beginning of a long text.
pub fn brief(text: String) -> String {
    if text.len() <= 600 {
        return text;
    }
    let start: String = text.chars().take(600).collect();
    format!("{start}... ({} bytes)", text.len())
}

//! Opening handshakes, run with one cut of the bytes, and what came of them.

use serde_json::Value;
use ws13::handshake::{
    Accept, ClientHandshake, Field, Reject, Request, Response, ServerHandshake, accept_token,
};
use ws13::{Connection, HandshakeError, Role};

use super::http::{Head, from_latin1, latin1};
use super::pipe::End;
use super::transcript::brief;
use super::vectors::payload_bytes;

/// The nonce of every client here, and the key that it becomes.
pub const NONCE: [u8; 16] = *b"the sample nonce";
pub const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

/// A good request that offers these subprotocols; its key is [`KEY`].
pub fn request_bytes(offered: &[&str]) -> Vec<u8> {
    let mut client = ClientHandshake::default();
    let mut request = Request::new("example.com", "/chat");
    request.subprotocols = offered.iter().map(|name| (*name).to_owned()).collect();
    client.request(&request, NONCE).expect("it is good")
}

/// The strings of a list.
pub fn strings(list: &Value) -> Vec<String> {
    let list = list.as_array().map_or(&[] as &[Value], Vec::as_slice);
    list.iter().map(|name| name.as_str().expect("a string").to_owned()).collect()
}

/// Fields of a case: name and value, one character a byte.
pub fn fields(list: &Value) -> Vec<Field> {
    let list = list.as_array().map_or(&[] as &[Value], Vec::as_slice);
    let part = |part: &Value| latin1(part.as_str().expect("a string"));
    list.iter().map(|field| Field::new(part(&field[0]), part(&field[1]))).collect()
}

/// The fields with the wanted names must be exactly the wanted ones, in order.
fn fields_difference(seen: &[Field], wanted: &Value) -> Option<String> {
    let wanted = fields(wanted);
    let named = |field: &&Field| wanted.iter().any(|other| other.name == field.name);
    let found: Vec<Field> = seen.iter().filter(named).cloned().collect();
    (found != wanted).then(|| brief(format!("fields {found:?}, expected {wanted:?}")))
}

/// A server that accepts at once.
#[derive(Debug)]
pub struct ServerRun {
    pub handshake: ServerHandshake,
    accept: Accept,
    pub requests: Vec<Request>,
    pub sent: Vec<u8>,
    pub error: Option<HandshakeError>,
    pub open: Option<End>,
}

impl ServerRun {
    pub fn new(accept: Accept) -> Self {
        let handshake = ServerHandshake::default();
        Self { handshake, accept, requests: Vec::new(), sent: Vec::new(), error: None, open: None }
    }

    pub fn feed(&mut self, chunk: &[u8]) {
        if let Some(end) = &mut self.open {
            return end.feed(chunk);
        }
        match self.handshake.receive(chunk) {
            _ if self.error.is_some() => {}
            Err(error) => self.error = Some(error),
            Ok(None) => {}
            Ok(Some(request)) => {
                self.requests.push(request);
                self.sent.extend(self.handshake.accept(&self.accept).expect("it is acceptable"));
                let mut end = End::of(Connection::new(Role::Server));
                end.feed(&self.handshake.take_early_data());
                self.open = Some(end);
            }
        }
    }

    pub fn eof(&mut self) {
        match &mut self.open {
            Some(end) => end.eof(),
            None => {
                let result = self.handshake.receive_eof();
                self.error = self.error.take().or(result.err());
            }
        }
    }

    /// What differs from the expectation of a case, in words.
    pub fn difference(&self, expect: &Value) -> Option<String> {
        if expect["refused"].is_array() {
            return self.refusal_difference(expect);
        }
        let wanted = &expect["request"];
        let (Some(end), [seen], None) = (&self.open, self.requests.as_slice(), &self.error) else {
            return Some(format!("refused: {:?}", self.error));
        };
        let text = |name: &str, seen: &str| {
            // International names stay in their ASCII form here; whoever shows them decodes them.
            let wanted_text = wanted[name].as_str().filter(|text| text.is_ascii());
            let differs = wanted_text.is_some_and(|wanted| wanted != seen);
            differs.then(|| format!("{name} {seen}, expected {}", wanted[name]))
        };
        let subprotocols = wanted["subprotocols"].is_array()
            && seen.subprotocols != strings(&wanted["subprotocols"]);
        text("target", &seen.target)
            .or(text("host", &seen.host))
            .or(subprotocols.then(|| format!("subprotocols {:?}", seen.subprotocols)))
            .or(fields_difference(&seen.fields, &wanted["headers"]))
            .or(self.answer_difference(&expect["answer"]))
            .or(end.seen.difference(&expect["then"], end.connection.state()))
    }

    fn refusal_difference(&self, expect: &Value) -> Option<String> {
        let Some(error) = &self.error else {
            return Some(brief(format!("not refused: {:?}", self.requests)));
        };
        if !self.requests.is_empty() {
            return Some("a request beside the refusal".to_owned());
        }
        let allowed = expect["refused"].as_array().unwrap();
        if !allowed.is_empty() && !allowed.contains(&error.status().into()) {
            return Some(format!("{error:?} has {}, expected {allowed:?}", error.status()));
        }
        let told = refusal_fields(error);
        let missing = fields(&expect["headers"]).into_iter().find(|field| !told.contains(field));
        missing.map(|field| format!("no field {field:?}"))
    }

    fn answer_difference(&self, wanted: &Value) -> Option<String> {
        let head = Head::parse(&self.sent);
        if !head.start.starts_with("HTTP/1.1 101 ") || !head.rest.is_empty() {
            return Some(format!("answer {head:?}"));
        }
        let wanted = wanted.as_object()?;
        wanted
            .iter()
            .find(|(name, value)| {
                let all = head.all(name);
                all.len() != 1 || !all[0].eq_ignore_ascii_case(value.as_str().unwrap())
            })
            .map(|(name, value)| format!("answer {name}: {:?}, expected {value}", head.all(name)))
    }
}

/// The fields that the answer to an error has to carry, RFC 6455 §4.4.
pub fn refusal_fields(error: &HandshakeError) -> Vec<Field> {
    let version = error.names_version().then(|| Field::new("Sec-WebSocket-Version", "13"));
    version.into_iter().collect()
}

/// A client that has sent its request for `/chat` at `example.com`.
#[derive(Debug)]
pub struct ClientRun {
    pub handshake: ClientHandshake,
    pub accepts: Vec<Accept>,
    pub rejects: Vec<Reject>,
    pub body: Vec<u8>,
    pub finished: bool,
    pub error: Option<HandshakeError>,
    pub open: Option<End>,
    /// Calls of `receive`.
    pub calls: usize,
}

impl ClientRun {
    pub fn new(subprotocols: Vec<String>) -> Self {
        let mut handshake = ClientHandshake::default();
        let request = Request { subprotocols, ..Request::new("example.com", "/chat") };
        let sent = handshake.request(&request, NONCE).expect("it is good");
        assert_eq!(Head::parse(&sent).all("sec-websocket-key"), [KEY]);
        Self {
            handshake,
            accepts: Vec::new(),
            rejects: Vec::new(),
            body: Vec::new(),
            finished: false,
            error: None,
            open: None,
            calls: 0,
        }
    }

    pub fn feed(&mut self, chunk: &[u8]) {
        let mut data = chunk;
        while self.error.is_none() {
            if let Some(end) = &mut self.open {
                return end.feed(data);
            }
            self.calls += 1;
            match self.handshake.receive(core::mem::take(&mut data)) {
                Ok(Some(response)) => self.take(response),
                Ok(None) => return,
                Err(error) => self.error = Some(error),
            }
        }
    }

    pub fn eof(&mut self) {
        match &mut self.open {
            Some(end) => end.eof(),
            None if self.error.is_some() => {}
            None => match self.handshake.receive_eof() {
                Ok(response) => response.into_iter().for_each(|response| self.take(response)),
                Err(error) => self.error = Some(error),
            },
        }
    }

    fn take(&mut self, response: Response) {
        assert!(!self.finished, "{response:?} behind the end");
        match response {
            Response::Accept(accept) => {
                self.accepts.push(accept);
                let mut end = End::of(Connection::new(Role::Client));
                end.feed(&self.handshake.take_early_data());
                self.open = Some(end);
            }
            Response::Reject(reject) => {
                self.finished = !reject.has_body;
                self.rejects.push(reject);
            }
            Response::Body(piece) => self.body.extend(piece),
            Response::BodyEnd => self.finished = true,
        }
    }

    /// What differs from the expectation of a case, in words.
    pub fn difference(&self, expect: &Value) -> Option<String> {
        if (expect["fail"] == true) != self.error.is_some() {
            return Some(format!("error {:?} behind {:?}", self.error, self.rejects));
        }
        if expect["reject"].is_object() {
            return self.reject_difference(&expect["reject"]);
        }
        if self.error.is_some() {
            let alone = self.accepts.is_empty() && self.rejects.is_empty();
            return (!alone).then(|| "a response beside the failure".to_owned());
        }
        let wanted = &expect["accept"];
        let (Some(end), [seen]) = (&self.open, self.accepts.as_slice()) else {
            return Some(brief(format!("no acceptance: {:?}", self.rejects)));
        };
        if seen.subprotocol.as_deref() != wanted["subprotocol"].as_str() {
            return Some(format!("subprotocol {:?}", seen.subprotocol));
        }
        fields_difference(&seen.fields, &wanted["headers"])
            .or(end.seen.difference(&expect["then"], end.connection.state()))
    }

    fn reject_difference(&self, wanted: &Value) -> Option<String> {
        let [seen] = self.rejects.as_slice() else {
            return Some(format!("no rejection: {:?}", self.accepts));
        };
        if wanted["status"] != seen.status || wanted["finished"] != self.finished {
            return Some(format!("{} finished: {}", seen.status, self.finished));
        }
        if !wanted["body"].is_null() && self.body != payload_bytes(&wanted["body"]) {
            return Some(brief(format!("body {}", self.body.escape_ascii())));
        }
        let state = self.handshake.state();
        if self.finished && state != ws13::State::Closed {
            return Some(format!("state {state} behind the rejection"));
        }
        fields_difference(&seen.fields, &wanted["headers"])
    }
}

/// A response with the placeholders of the vectors replaced.
pub fn filled(response: &[u8]) -> Vec<u8> {
    let token = accept_token(KEY.as_bytes());
    let swapped = token.chars().map(|c| match c.is_ascii_lowercase() {
        true => c.to_ascii_uppercase(),
        false => c.to_ascii_lowercase(),
    });
    let text = from_latin1(response)
        .replace("{accept}", &token)
        .replace("{accept:swapcase}", &swapped.collect::<String>())
        .replace("{accept:cut}", token.trim_end_matches('='))
        .replace("{key}", KEY);
    latin1(&text)
}

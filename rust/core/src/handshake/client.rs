//! The client's end of the opening handshake, RFC 6455 §4.1.

use super::body::{BodyReader, Framing, framing};
use super::fields::{asks_to_upgrade, check_extra, elements, write, write_all};
use super::head::{Head, HeadReader, Kind, Start};
use super::{Accept, Field, Reject, Request, Response, extensions, key, subprotocol, target};
use crate::config::HandshakeLimits;
use crate::error::{HandshakeError, Misuse};
use crate::state::{State, Step};

/// Sends a request, then receives the answer.
#[derive(Debug)]
pub struct ClientHandshake {
    state: State,
    limits: HandshakeLimits,
    head: HeadReader,
    interim_responses: usize,
    sent: Option<Offered>,
    body: Option<Body>,
}

/// The body of a rejection.
#[derive(Debug)]
struct Body {
    reader: BodyReader,
    /// Received, and read up to `used`: what is read is not moved, so that many small pieces of one
    /// input cost no more than one.
    input: Vec<u8>,
    used: usize,
}

/// What the answer has to fit.
#[derive(Debug)]
struct Offered {
    accept_token: String,
    subprotocols: Vec<String>,
    extensions: Vec<String>,
}

impl Default for ClientHandshake {
    fn default() -> Self {
        Self::new(HandshakeLimits::DEFAULT)
    }
}

impl ClientHandshake {
    /// A handshake with these limits.
    #[must_use]
    pub fn new(limits: HandshakeLimits) -> Self {
        Self {
            state: State::Connecting,
            limits,
            head: HeadReader::default(),
            interim_responses: 0,
            sent: None,
            body: None,
        }
    }

    /// Where the connection stands.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    /// The request as bytes. `nonce` are 16 bytes from a strong source of entropy, new for each
    /// connection, §4.1 (7).
    ///
    /// # Errors
    /// If it was sent before, or if a part of it cannot be sent.
    pub fn request(&mut self, request: &Request, nonce: [u8; 16]) -> Result<Vec<u8>, Misuse> {
        self.state.check(Step::SendRequest)?;
        if self.sent.is_some() {
            return Err(Misuse::State(self.state, Step::SendRequest));
        }
        if !target::is_target(request.target.as_bytes()) {
            return Err(Misuse::Target(request.target.clone()));
        }
        if !target::is_host(request.host.as_bytes()) {
            return Err(Misuse::Host(request.host.clone()));
        }
        subprotocol::check(&request.subprotocols)?;
        let offers = extensions::join(&request.extensions)?;
        check_extra(&request.fields)?;

        let key = key::encode(nonce);
        let mut head = format!("GET {} HTTP/1.1\r\n", request.target).into_bytes();
        write(&mut head, b"Host", request.host.as_bytes());
        write(&mut head, b"Upgrade", b"websocket");
        write(&mut head, b"Connection", b"Upgrade");
        write(&mut head, b"Sec-WebSocket-Key", key.as_bytes());
        write(&mut head, b"Sec-WebSocket-Version", super::VERSION.as_bytes());
        if !request.subprotocols.is_empty() {
            let names = request.subprotocols.join(", ");
            write(&mut head, b"Sec-WebSocket-Protocol", names.as_bytes());
        }
        if !offers.is_empty() {
            write(&mut head, b"Sec-WebSocket-Extensions", offers.as_bytes());
        }
        write_all(&mut head, &request.fields);
        head.extend_from_slice(b"\r\n");
        self.sent = Some(Offered {
            accept_token: key::accept_token(key.as_bytes()),
            subprotocols: request.subprotocols.clone(),
            extensions: extensions::names(&request.extensions),
        });
        Ok(head)
    }

    /// Takes received bytes and returns the first thing they bring; call it again without bytes until
    /// it returns `None`. Bytes behind an acceptance are kept for the connection, see
    /// [`ClientHandshake::take_early_data`].
    ///
    /// # Errors
    /// The first rule that the response breaks: _Fail the WebSocket Connection_.
    pub fn receive(&mut self, data: &[u8]) -> Result<Option<Response>, HandshakeError> {
        let result = match self.state {
            State::Connecting => self.receive_head(data),
            State::Rejecting => self.receive_body(data),
            _ => Ok(None),
        };
        result.inspect_err(|_| self.fail())
    }

    /// The stream ended: the end of a body that ends with it.
    ///
    /// # Errors
    /// [`HandshakeError::UnexpectedEof`] if that was before the end of the response.
    pub fn receive_eof(&mut self) -> Result<Option<Response>, HandshakeError> {
        match (self.state, &self.body) {
            (State::Rejecting, Some(body)) if body.reader.ends_with_stream() => {
                self.state.advance(Step::ReceiveRejectEnd);
                Ok(Some(Response::BodyEnd))
            }
            (State::Connecting | State::Rejecting, _) => {
                self.fail();
                Err(HandshakeError::UnexpectedEof)
            }
            _ => Ok(None),
        }
    }

    /// Whether a rejection's body is under way that only the end of the stream ends, RFC 9112 §6.3 (8).
    #[must_use]
    pub fn awaits_eof(&self) -> bool {
        self.state == State::Rejecting
            && self
                .body
                .as_ref()
                .is_some_and(|body| body.reader.ends_with_stream() && !body.reader.is_done())
    }

    /// What the server sent behind its response: the first input of the connection.
    pub fn take_early_data(&mut self) -> Vec<u8> {
        self.head.take_rest()
    }

    /// _Fail the WebSocket Connection_, §7.1.7: also for callers that find fault with an extension.
    pub fn fail(&mut self) {
        // What was accepted a moment ago fails as an open connection does, and ends there.
        self.state.advance(Step::Fail);
        self.state.advance(Step::ReceiveEof);
        self.head = HeadReader::default();
        self.body = None;
    }

    fn receive_head(&mut self, data: &[u8]) -> Result<Option<Response>, HandshakeError> {
        let Some(offered) = &self.sent else {
            // Nobody has asked for anything yet.
            return if data.is_empty() { Ok(None) } else { Err(HandshakeError::MalformedHead) };
        };
        let mut data = data;
        loop {
            let Some(head) =
                self.head.read(std::mem::take(&mut data), Kind::Response, &self.limits)?
            else {
                return Ok(None);
            };
            let Head { start: Start::Response { status }, is_http_1_1, fields } = head else {
                return Err(HandshakeError::MalformedHead);
            };
            match status {
                101 if !is_http_1_1 => return Err(HandshakeError::HttpVersion),
                101 => {
                    let accept = examine(offered, fields)?;
                    self.state.advance(Step::ReceiveAccept);
                    return Ok(Some(Response::Accept(accept)));
                }
                // RFC 9110 §15.2: "A client MUST be able to parse one or more 1xx responses received
                // prior to a final response". One that names a protocol to upgrade to is none of them.
                100..200 if !fields.iter().any(|field| field.name == b"upgrade") => {
                    self.interim_responses = self.interim_responses.saturating_add(1);
                    if self.interim_responses > self.limits.interim_responses {
                        let limit = self.limits.interim_responses;
                        return Err(HandshakeError::TooManyInterimResponses(limit));
                    }
                }
                100..600 => return self.reject(status, fields).map(Some),
                _ => return Err(HandshakeError::MalformedHead),
            }
        }
    }

    fn reject(&mut self, status: u16, fields: Vec<Field>) -> Result<Response, HandshakeError> {
        let has_body = status >= 200;
        let framing = match (status, framing(&fields)) {
            // RFC 9112 §6.3 (1): these end at the empty line, whatever their fields say.
            (..200 | 204 | 304, _) => Framing::Length(0),
            (_, Ok(framing)) => framing.unwrap_or(Framing::UntilEof),
            (_, Err(())) => return Err(HandshakeError::MalformedRejectionBody),
        };
        self.state.advance(Step::ReceiveReject);
        let reader = BodyReader::new(framing, self.limits.rejection_body);
        self.body = Some(Body { reader, input: self.head.take_rest(), used: 0 });
        if !has_body {
            self.state.advance(Step::ReceiveRejectEnd);
        }
        Ok(Response::Reject(Reject { status, fields, has_body }))
    }

    fn receive_body(&mut self, data: &[u8]) -> Result<Option<Response>, HandshakeError> {
        let Some(body) = &mut self.body else { return Ok(None) };
        if body.used == body.input.len() {
            (body.input, body.used) = (Vec::new(), 0);
        }
        body.input.extend_from_slice(data);
        let mut input = body.input.get(body.used..).unwrap_or_default();
        let piece = body.reader.read(&mut input)?.to_vec();
        body.used = body.input.len().saturating_sub(input.len());
        if !piece.is_empty() {
            return Ok(Some(Response::Body(piece)));
        }
        if body.reader.is_done() {
            self.state.advance(Step::ReceiveRejectEnd);
            self.body = None;
            return Ok(Some(Response::BodyEnd));
        }
        Ok(None)
    }
}

/// How much of a name an error shows, in bytes.
const SHOWN: usize = 128;

/// A name for an error: its beginning tells which one it is, and all of it may be as long as a head.
fn shown(name: &[u8]) -> String {
    match name.split_at_checked(SHOWN) {
        Some((beginning, [_, ..])) => format!("{}...", beginning.escape_ascii()),
        _ => name.escape_ascii().to_string(),
    }
}

/// The rules for a response with status 101, §4.1.
fn examine(offered: &Offered, fields: Vec<Field>) -> Result<Accept, HandshakeError> {
    let all = |name: &'static str| {
        fields
            .iter()
            .filter(move |field| field.name == name.as_bytes())
            .map(|field| field.value.as_slice())
    };
    // §4.1 (3)
    if !asks_to_upgrade(all("connection")) {
        return Err(HandshakeError::MissingConnection);
    }
    // §4.1 (2)
    let mut protocols = all("upgrade").flat_map(elements);
    match (protocols.next(), protocols.next()) {
        (Some(protocol), None) if protocol.eq_ignore_ascii_case(b"websocket") => {}
        _ => return Err(HandshakeError::MissingUpgrade),
    }
    // §4.1 (4), §11.3.3: not more than once.
    let mut tokens = all("sec-websocket-accept");
    match (tokens.next(), tokens.next()) {
        (Some(token), None) if token == offered.accept_token.as_bytes() => {}
        _ => return Err(HandshakeError::BadAccept),
    }
    // §4.1 (6), §11.3.4: one of those that were offered.
    let mut names = all("sec-websocket-protocol");
    let subprotocol = match (names.next(), names.next()) {
        (None, _) => None,
        (Some(name), None) if offered.subprotocols.iter().any(|other| other.as_bytes() == name) => {
            str::from_utf8(name).ok().map(str::to_owned)
        }
        (Some(name), _) => {
            return Err(HandshakeError::UnrecognizedSubprotocol(shown(name)));
        }
    };
    // §4.1 (5), §9.1: only what was offered, each at most once.
    let mut chosen: Vec<String> = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    for value in all("sec-websocket-extensions") {
        for extension in extensions::offers(value) {
            let extension = extension?;
            let known = offered.extensions.iter().any(|name| name == extension.name);
            if !known || seen.contains(&extension.name) {
                let name = shown(extension.name.as_bytes());
                return Err(HandshakeError::UnrecognizedExtension(name));
            }
            seen.push(extension.name);
            chosen.push(extension.text.to_owned());
        }
    }
    let told: [&[u8]; 5] = [
        b"connection",
        b"upgrade",
        b"sec-websocket-accept",
        b"sec-websocket-protocol",
        b"sec-websocket-extensions",
    ];
    let fields = fields.iter().filter(|field| !told.contains(&field.name.as_slice())).cloned();
    Ok(Accept { subprotocol, extensions: chosen, fields: fields.collect() })
}

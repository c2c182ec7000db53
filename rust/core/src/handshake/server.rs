//! The server's end of the opening handshake, RFC 6455 §4.2.

use super::body::{BodyWriter, Framing, framing};
use super::fields::trim;
use super::fields::{
    asks_to_upgrade, check, check_extra, has_token, is_token, is_value, write, write_all,
};
use super::head::{Head, HeadReader, Kind, Start};
use super::{Accept, Field, Reject, Request, extensions, key, subprotocol, target};
use crate::config::HandshakeLimits;
use crate::error::{HandshakeError, Misuse};
use crate::state::{State, Step};

/// Receives a request, then sends the answer.
///
/// A request that breaks a rule is an error that carries the status code to answer with; the answer
/// is up to the caller, and nothing of what the client sends from then on is looked at.
#[derive(Debug)]
pub struct ServerHandshake {
    state: State,
    limits: HandshakeLimits,
    head: HeadReader,
    progress: Progress,
    body: BodyWriter,
}

/// How far the request has come.
#[derive(Debug)]
enum Progress {
    /// Its head is under way.
    Head,
    /// It is complete and good: what the answer needs of it.
    /// And how many bytes came together with it.
    Received { key: Vec<u8>, subprotocols: Vec<String>, early: usize },
    /// It was refused, or answered.
    Over,
}

impl Default for ServerHandshake {
    fn default() -> Self {
        Self::new(HandshakeLimits::DEFAULT)
    }
}

impl ServerHandshake {
    /// A handshake with these limits.
    #[must_use]
    pub fn new(limits: HandshakeLimits) -> Self {
        Self {
            state: State::Connecting,
            limits,
            head: HeadReader::default(),
            progress: Progress::Head,
            body: BodyWriter(Framing::Length(0)),
        }
    }

    /// Where the connection stands.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    /// Takes received bytes; returns the request when its head is complete. Bytes behind it are kept
    /// for the connection, see [`ServerHandshake::take_early_data`].
    ///
    /// # Errors
    /// The first rule that the request breaks.
    pub fn receive(&mut self, data: &[u8]) -> Result<Option<Request>, HandshakeError> {
        let result = match self.progress {
            Progress::Head => self.receive_head(data),
            Progress::Received { early, .. } => self.keep_early_data(data, early).map(|()| None),
            Progress::Over => return Ok(None),
        };
        result.inspect_err(|_| self.refuse())
    }

    /// Takes a request whose head was parsed elsewhere.
    ///
    /// # Errors
    /// [`Misuse::State`] inside the first result if there was a request before; the first rule that
    /// the request breaks inside the second.
    pub fn receive_parsed(
        &mut self,
        target: &str,
        fields: Vec<Field>,
    ) -> Result<Result<Request, HandshakeError>, Misuse> {
        if !matches!(self.progress, Progress::Head) || self.head.has_begun() {
            return Err(Misuse::State(self.state, Step::ReceiveRequest));
        }
        let legal = fields.iter().all(|field| is_token(&field.name) && is_value(&field.value));
        let fields = fields
            .into_iter()
            .map(|field| Field::new(field.name.to_ascii_lowercase(), trim(&field.value)))
            .collect::<Vec<_>>();
        let start = Start::Request { method: "GET".to_owned(), target: target.to_owned() };
        let length = fields.iter().fold(target.len(), |length, field: &Field| {
            length.saturating_add(field.name.len()).saturating_add(field.value.len())
        });
        let result = match legal {
            _ if length > self.limits.head => Err(HandshakeError::HeadTooLong(self.limits.head)),
            _ if fields.len() > self.limits.fields => {
                Err(HandshakeError::TooManyFields(self.limits.fields))
            }
            true => self.examine(Head { start, is_http_1_1: true, fields }),
            false => Err(HandshakeError::MalformedHead),
        };
        Ok(result.inspect_err(|_| self.refuse()))
    }

    /// The stream ended. A client that only closed its sending side can still read an answer.
    ///
    /// # Errors
    /// [`HandshakeError::UnexpectedEof`] if that was before the end of the request.
    pub fn receive_eof(&mut self) -> Result<(), HandshakeError> {
        match self.progress {
            Progress::Head => {
                self.refuse();
                Err(HandshakeError::UnexpectedEof)
            }
            Progress::Received { .. } | Progress::Over => Ok(()),
        }
    }

    /// What the client sent behind its request: the first input of the connection.
    pub fn take_early_data(&mut self) -> Vec<u8> {
        self.head.take_rest()
    }

    fn refuse(&mut self) {
        self.progress = Progress::Over;
        self.head = HeadReader::default();
    }

    fn receive_head(&mut self, data: &[u8]) -> Result<Option<Request>, HandshakeError> {
        let Some(head) = self.head.read(data, Kind::Request, &self.limits)? else {
            return Ok(None);
        };
        self.examine(head).map(Some)
    }

    /// The limit is for bytes that come while the caller decides; those that came together with the
    /// head were the caller's own choice of how much to read.
    fn keep_early_data(&mut self, data: &[u8], early: usize) -> Result<(), HandshakeError> {
        if self.head.keep(data).saturating_sub(early) > self.limits.early_data {
            return Err(HandshakeError::TooMuchEarlyData(self.limits.early_data));
        }
        Ok(())
    }

    /// The rules of §4.2.1, one after the other.
    fn examine(&mut self, head: Head) -> Result<Request, HandshakeError> {
        let Start::Request { method, target } = head.start else {
            return Err(HandshakeError::MalformedHead);
        };
        let fields = head.fields;
        let all = |name: &'static str| {
            fields
                .iter()
                .filter(move |field| field.name == name.as_bytes())
                .map(|field| field.value.as_slice())
        };
        // §4.2.1 (1): "An HTTP/1.1 or higher GET request".
        if method != "GET" {
            return Err(HandshakeError::Method);
        }
        if !head.is_http_1_1 {
            return Err(HandshakeError::HttpVersion);
        }
        // Choice: a GET with a body has no meaning (RFC 9110 §9.3.1), and taking its bytes for frames
        // would let an HTTP client speak WebSocket.
        match framing(&fields) {
            Ok(None | Some(Framing::Length(0))) => {}
            _ => return Err(HandshakeError::Body),
        }
        // §4.2.1 (4)
        if !asks_to_upgrade(all("connection")) {
            return Err(HandshakeError::MissingConnection);
        }
        // §4.2.1 (6), §4.4
        let mut versions = all("sec-websocket-version");
        match (versions.next(), versions.next()) {
            (Some(version), None) if version == super::VERSION.as_bytes() => {}
            (None | Some([]), None) => return Err(HandshakeError::MissingVersion),
            _ => return Err(HandshakeError::UnsupportedVersion),
        }
        // §4.2.1 (5), §11.3.1: not more than once.
        let mut keys = all("sec-websocket-key");
        let key = match (keys.next(), keys.next()) {
            (None, _) => return Err(HandshakeError::MissingKey),
            (Some(key), None) if key::is_valid(key) => key.to_vec(),
            _ => return Err(HandshakeError::InvalidKey),
        };
        // §4.2.1 (3); a list, RFC 9110 §7.8.
        if !all("upgrade").any(|value| has_token(value, "websocket")) {
            return Err(HandshakeError::MissingUpgrade);
        }
        // §4.2.1 (2); RFC 9112 §3.2: exactly one.
        let mut hosts = all("host");
        let host = match (hosts.next(), hosts.next()) {
            (None, _) => return Err(HandshakeError::MissingHost),
            (Some(host), None) if target::is_host(host) => {
                String::from_utf8(host.to_vec()).map_err(|_| HandshakeError::InvalidHost)?
            }
            _ => return Err(HandshakeError::InvalidHost),
        };
        if !target::is_target(target.as_bytes()) {
            return Err(HandshakeError::Target);
        }
        let subprotocols = subprotocol::read(all("sec-websocket-protocol"))?;
        let mut offers = Vec::new();
        for value in all("sec-websocket-extensions") {
            offers.extend(extensions::parse(value)?.iter().map(|offer| offer.text.to_owned()));
        }
        let early = self.head.keep(&[]);
        self.progress = Progress::Received { key, subprotocols: subprotocols.clone(), early };
        let told: [&[u8]; 3] = [b"host", b"sec-websocket-protocol", b"sec-websocket-extensions"];
        let fields = fields.into_iter().filter(|field| !told.contains(&field.name.as_slice()));
        Ok(Request { host, target, subprotocols, extensions: offers, fields: fields.collect() })
    }

    /// Checks what can be said of an acceptance without sending it.
    ///
    /// # Errors
    /// Those of [`ServerHandshake::accept`].
    pub fn check_accept(&self, accept: &Accept) -> Result<(), Misuse> {
        self.examine_accept(accept).map(drop)
    }

    /// The key to answer, and the value of Sec-WebSocket-Extensions.
    fn examine_accept(&self, accept: &Accept) -> Result<(&[u8], String), Misuse> {
        self.state.check(Step::SendAccept)?;
        let Progress::Received { key, subprotocols, .. } = &self.progress else {
            return Err(Misuse::NoRequest);
        };
        if let Some(name) = accept.subprotocol.as_ref().filter(|name| !subprotocols.contains(name))
        {
            return Err(Misuse::SubprotocolNotOffered(name.clone()));
        }
        check_extra(&accept.fields)?;
        Ok((key, extensions::join(&accept.extensions)?))
    }

    /// Accepts the request: the response, §4.2.2 (5).
    ///
    /// # Errors
    /// [`Misuse::NoRequest`], a subprotocol that was not offered, fields that cannot be sent.
    pub fn accept(&mut self, accept: &Accept) -> Result<Vec<u8>, Misuse> {
        let (key, extensions) = self.examine_accept(accept)?;
        let mut head = b"HTTP/1.1 101 Switching Protocols\r\n".to_vec();
        write(&mut head, b"Upgrade", b"websocket");
        write(&mut head, b"Connection", b"Upgrade");
        write(&mut head, b"Sec-WebSocket-Accept", key::accept_token(key).as_bytes());
        if let Some(name) = &accept.subprotocol {
            write(&mut head, b"Sec-WebSocket-Protocol", name.as_bytes());
        }
        if !extensions.is_empty() {
            write(&mut head, b"Sec-WebSocket-Extensions", extensions.as_bytes());
        }
        write_all(&mut head, &accept.fields);
        head.extend_from_slice(b"\r\n");
        self.state.take(Step::SendAccept)?;
        self.progress = Progress::Over;
        Ok(head)
    }

    /// Rejects the request, or answers an error: the head of the response. Without Content-Length and
    /// Transfer-Encoding, a body that follows is sent in chunks.
    ///
    /// # Errors
    /// [`Misuse::Status`] below 200 and above 599, fields that cannot be sent.
    pub fn reject(&mut self, reject: &Reject) -> Result<Vec<u8>, Misuse> {
        self.state.check(Step::SendReject)?;
        if !(200..600).contains(&reject.status) {
            return Err(Misuse::Status(reject.status));
        }
        check(&reject.fields)?;
        let told = framing(&reject.fields).map_err(|()| Misuse::BodyLength)?;
        // RFC 9110 §15.3.5, §15.4.5: these have no body, and no field says so.
        let never = matches!(reject.status, 204 | 304);
        let (framing, extra) = match (told, reject.has_body) {
            (None, _) if never => (Framing::Length(0), None),
            (Some(Framing::Length(0)), _) => (Framing::Length(0), None),
            (Some(framing), true) if !never => (framing, None),
            (None, false) => (Framing::Length(0), Some(("content-length", "0"))),
            (None, true) => (Framing::Chunked, Some(("Transfer-Encoding", "chunked"))),
            (Some(_), _) => return Err(Misuse::BodyLength),
        };
        // The reason phrase is left out, as RFC 9112 §4 lets us: clients ignore it.
        let mut head = format!("HTTP/1.1 {} \r\n", reject.status).into_bytes();
        write_all(&mut head, &reject.fields);
        if let Some((name, value)) = extra {
            write(&mut head, name.as_bytes(), value.as_bytes());
        }
        // RFC 9110 §15.5.22: 426 says to which protocol; §7.8: and Connection says that it does.
        if reject.status == 426 && !reject.fields.iter().any(|field| field.name.eq_ignore_ascii_case(b"upgrade")) {
            write(&mut head, b"Upgrade", b"websocket");
            write(&mut head, b"Connection", b"Upgrade");
        }
        head.extend_from_slice(b"\r\n");
        self.state.take(Step::SendReject)?;
        self.refuse();
        self.body = BodyWriter(framing);
        if !reject.has_body {
            self.state.take(Step::SendRejectEnd)?;
        }
        Ok(head)
    }

    /// Sends a piece of the rejection's body, and its end if it is the last one.
    ///
    /// # Errors
    /// [`Misuse::State`] outside a rejection, [`Misuse::BodyLength`] if Content-Length says otherwise.
    pub fn reject_data(&mut self, data: &[u8], last: bool) -> Result<Vec<u8>, Misuse> {
        self.state.check(Step::SendRejectEnd)?;
        let bytes = self.body.write(data, last)?;
        if last {
            self.state.take(Step::SendRejectEnd)?;
        }
        Ok(bytes)
    }
}

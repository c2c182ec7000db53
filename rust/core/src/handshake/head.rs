//! Message heads of HTTP/1.1, RFC 9112, as they arrive.
//!
//! Bytes are looked at once: lines are counted and limits are checked as line ends come in, and the
//! whole head is parsed when its empty line is there. A head that is bound to be refused because of
//! its first line or its size is refused without waiting for the rest.

use super::Field;
use super::fields::trim;
use crate::config::HandshakeLimits;
use crate::error::HandshakeError;
use crate::room;

/// Which kind of head is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Request,
    Response,
}

/// The bytes of a head whose end has not come yet, and what may already stand behind it.
#[derive(Debug, Default)]
pub(super) struct HeadReader {
    buffer: Vec<u8>,
    /// Where the head begins.
    start: usize,
    /// Where the line begins that is under way.
    line: usize,
    /// How far the line has been searched for its end.
    searched: usize,
    /// Lines before it, without leading empty ones.
    lines: usize,
}

/// A complete head.
#[derive(Debug)]
pub(super) struct Head {
    /// Method and target of a request, status code of a response.
    pub start: Start,
    /// Whether this is HTTP/1.1, and not HTTP/1.0.
    pub is_http_1_1: bool,
    pub fields: Vec<Field>,
}

#[derive(Debug)]
pub(super) enum Start {
    Request { method: String, target: String },
    Response { status: u16 },
}

impl HeadReader {
    /// Adds `data`; returns the head as soon as it is complete. What stands behind it is kept, see
    /// [`HeadReader::take_rest`]; a further call looks for a further head.
    pub fn read(
        &mut self,
        data: &[u8],
        kind: Kind,
        limits: &HandshakeLimits,
    ) -> Result<Option<Head>, HandshakeError> {
        self.forget_earlier();
        room::reserve(&mut self.buffer, data.len(), limits.head);
        self.buffer.extend_from_slice(data);
        loop {
            let unsearched = self.buffer.get(self.searched..).unwrap_or_default();
            let Some(offset) = memchr::memchr(b'\n', unsearched) else {
                self.searched = self.buffer.len();
                self.check_length(self.searched, limits)?;
                return Ok(None);
            };
            let end = self.searched.saturating_add(offset).saturating_add(1);
            self.check_length(end, limits)?;
            let line = self.buffer.get(self.line..end).unwrap_or_default();
            // Choice: RFC 9112 §2.2 lets a recipient take a bare LF for the end of a line. Others
            // that stand before us may not, and smuggle a head past them.
            let line = line.strip_suffix(b"\r\n").ok_or(HandshakeError::MalformedHead)?;
            let empty = line.is_empty();
            if self.lines == 0 && !empty {
                check_start(self.buffer.get(self.line..end).unwrap_or_default(), kind)?;
                // §2.2: empty lines before the start line are ignored.
                self.start = self.line;
            }
            (self.line, self.searched) = (end, end);
            if empty && self.lines > 0 {
                return self.finish(kind).map(Some);
            }
            if !empty {
                self.lines = self.lines.saturating_add(1);
            }
            if self.lines > limits.fields.saturating_add(1) {
                return Err(HandshakeError::TooManyFields(limits.fields));
            }
        }
    }

    /// Lets go of the heads before this one if they are most of what is kept: so each byte is moved
    /// once.
    fn forget_earlier(&mut self) {
        if self.start > self.buffer.len() / 2 {
            self.buffer.drain(..self.start);
            self.line = self.line.saturating_sub(self.start);
            self.searched = self.searched.saturating_sub(self.start);
            self.start = 0;
        }
    }

    /// Whether anything has come.
    pub fn has_begun(&self) -> bool {
        self.buffer.len() > self.start
    }

    /// Adds bytes that are not looked at; tells how many are kept.
    pub fn keep(&mut self, data: &[u8]) -> usize {
        self.buffer.extend_from_slice(data);
        self.buffer.len().saturating_sub(self.start)
    }

    /// Lets go of the head; tells how many bytes are kept behind it.
    pub fn let_go(&mut self) -> usize {
        let rest = self.take_rest();
        self.buffer = rest;
        self.buffer.len()
    }

    /// The bytes behind the head.
    pub fn take_rest(&mut self) -> Vec<u8> {
        let Self { mut buffer, start, .. } = std::mem::take(self);
        buffer.drain(..start.min(buffer.len()));
        buffer.shrink_to_fit();
        buffer
    }

    fn check_length(&self, length: usize, limits: &HandshakeLimits) -> Result<(), HandshakeError> {
        match self.lines {
            _ if length.saturating_sub(self.start) <= limits.head => Ok(()),
            0 => Err(HandshakeError::TargetTooLong(limits.head)),
            _ => Err(HandshakeError::HeadTooLong(limits.head)),
        }
    }

    /// Parses the head, which ends where the next line begins. The next one begins there.
    fn finish(&mut self, kind: Kind) -> Result<Head, HandshakeError> {
        let head = self.buffer.get(self.start..self.line).unwrap_or_default();
        let mut few = [httparse::EMPTY_HEADER; 32];
        let mut many = Vec::new();
        let room = match few.get_mut(..self.lines) {
            Some(room) => room,
            None => {
                many.resize(self.lines, httparse::EMPTY_HEADER);
                many.as_mut_slice()
            }
        };
        let head = match kind {
            Kind::Request => parse_request(head, room),
            Kind::Response => parse_response(head, room),
        };
        (self.start, self.lines) = (self.line, 0);
        head.ok_or(HandshakeError::MalformedHead)
    }
}

/// Refuses a first line that begins no head of HTTP/1.x, such as the banner of another protocol.
fn check_start(line: &[u8], kind: Kind) -> Result<(), HandshakeError> {
    let verdict = match kind {
        Kind::Request => httparse::Request::new(&mut []).parse(line),
        Kind::Response => httparse::Response::new(&mut []).parse(line),
    };
    match verdict {
        Ok(httparse::Status::Partial) => Ok(()),
        _ => Err(HandshakeError::MalformedHead),
    }
}

fn parse_request<'h>(head: &'h [u8], room: &mut [httparse::Header<'h>]) -> Option<Head> {
    let mut request = httparse::Request::new(room);
    let httparse::Status::Complete(_) = request.parse(head).ok()? else { return None };
    Some(Head {
        start: Start::Request {
            method: request.method?.to_owned(),
            target: request.path?.to_owned(),
        },
        is_http_1_1: request.version? == 1,
        fields: fields(request.headers),
    })
}

fn parse_response<'h>(head: &'h [u8], room: &mut [httparse::Header<'h>]) -> Option<Head> {
    let mut response = httparse::Response::new(room);
    let httparse::Status::Complete(_) = response.parse(head).ok()? else { return None };
    Some(Head {
        start: Start::Response { status: response.code? },
        is_http_1_1: response.version? == 1,
        fields: fields(response.headers),
    })
}

fn fields(headers: &[httparse::Header<'_>]) -> Vec<Field> {
    headers
        .iter()
        .map(|header| Field::new(header.name.to_ascii_lowercase(), trim(header.value)))
        .collect()
}

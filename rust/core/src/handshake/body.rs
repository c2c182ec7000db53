//! The body of a rejection, RFC 9112 §6 and §7: its framing, both ways.

use super::Field;
use super::fields::{elements, is_token, is_value};
use crate::error::{HandshakeError, Misuse};

/// How the length of a body is told, RFC 9112 §6.3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// This many bytes are left.
    Length(u64),
    /// In chunks, §7.1.
    Chunked,
    /// Until the end of the stream.
    UntilEof,
}

/// What the fields say about the length, §6.3; `None` where they say nothing.
///
/// `Err` where they contradict themselves or say something we cannot follow.
pub(super) fn framing(fields: &[Field]) -> Result<Option<Framing>, ()> {
    let named = |name: &'static str| {
        fields
            .iter()
            .filter(move |field| field.name.eq_ignore_ascii_case(name.as_bytes()))
            .flat_map(|field| elements(&field.value))
    };
    let is_there =
        |name: &str| fields.iter().any(|field| field.name.eq_ignore_ascii_case(name.as_bytes()));
    // §6.3 (3): Transfer-Encoding overrides Content-Length, and one that does not end in chunks
    // leaves the length unknown.
    let mut codings = named("transfer-encoding");
    match (codings.next(), codings.next()) {
        (Some(coding), None) if coding.eq_ignore_ascii_case(b"chunked") => {
            return Ok(Some(Framing::Chunked));
        }
        (None, _) if !is_there("transfer-encoding") => {}
        _ => return Err(()),
    }
    let mut length = None;
    for value in named("content-length") {
        let digits = value.iter().all(u8::is_ascii_digit);
        let value =
            str::from_utf8(value).ok().filter(|_| digits).and_then(|text| text.parse().ok());
        // §6.3 (5): several equal values count as one.
        match (value, length) {
            (Some(value), None) => length = Some(value),
            (Some(value), Some(length)) if value == length => {}
            _ => return Err(()),
        }
    }
    // An empty field is no length either.
    let named_empty = length.is_none() && is_there("content-length");
    if named_empty { Err(()) } else { Ok(length.map(Framing::Length)) }
}

/// Takes a received body out of its framing.
#[derive(Debug)]
pub(super) struct BodyReader {
    framing: Framing,
    /// Bytes that may still come before the limit is crossed.
    room: u64,
    limit: u64,
    /// The same for the lines between the data.
    framing_room: u64,
    chunk: Chunk,
    /// The part of a chunk's framing that is under way.
    line: Vec<u8>,
}

/// Where in a chunked body we are, RFC 9112 §7.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Chunk {
    Size,
    Data(u64),
    DataEnd,
    Trailer,
    Done,
}

/// // Choice: a line of a chunk's framing, extensions and trailers included, is at most this long.
const MAX_CHUNK_LINE: usize = 1024;
/// // Choice: all such lines together may be this many times as long as the body. Chunks of one byte
/// need five bytes of framing each.
const MAX_FRAMING: u64 = 8;

impl BodyReader {
    pub fn new(framing: Framing, limit: u64) -> Self {
        let framing_room = limit.saturating_mul(MAX_FRAMING);
        Self { framing, room: limit, limit, framing_room, chunk: Chunk::Size, line: Vec::new() }
    }

    /// Whether the body has come to its end.
    pub fn is_done(&self) -> bool {
        matches!(
            (self.framing, self.chunk),
            (Framing::Length(0), _) | (Framing::Chunked, Chunk::Done)
        )
    }

    /// Whether the body may end here with the stream.
    pub fn ends_with_stream(&self) -> bool {
        self.framing == Framing::UntilEof || self.is_done()
    }

    /// Takes what it can off the beginning of `input`: a piece of the body, empty if there is none.
    /// What the limit allows is given out before the limit is crossed, however the bytes are cut.
    pub fn read<'i>(&mut self, input: &mut &'i [u8]) -> Result<&'i [u8], HandshakeError> {
        match self.framing {
            Framing::UntilEof => self.take_piece(input, u64::MAX),
            Framing::Length(left) => {
                let piece = self.take_piece(input, left)?;
                self.framing = Framing::Length(left.saturating_sub(piece.len() as u64));
                Ok(piece)
            }
            Framing::Chunked => self.read_chunk(input),
        }
    }

    fn take_piece<'i>(
        &mut self,
        input: &mut &'i [u8],
        most: u64,
    ) -> Result<&'i [u8], HandshakeError> {
        let most = most.min(input.len() as u64);
        if most > 0 && self.room == 0 {
            return Err(HandshakeError::RejectionBodyTooLong(self.limit));
        }
        let piece = take(input, most.min(self.room));
        self.room = self.room.saturating_sub(piece.len() as u64);
        Ok(piece)
    }

    fn read_chunk<'i>(&mut self, input: &mut &'i [u8]) -> Result<&'i [u8], HandshakeError> {
        loop {
            if let Chunk::Data(left) = self.chunk {
                let piece = self.take_piece(input, left)?;
                let left = left.saturating_sub(piece.len() as u64);
                self.chunk = if left == 0 { Chunk::DataEnd } else { Chunk::Data(left) };
                return Ok(piece);
            }
            if self.chunk == Chunk::Done || !self.take_line(input)? {
                return Ok(&[]);
            }
            let line = std::mem::take(&mut self.line);
            self.chunk = match (self.chunk, line.as_slice()) {
                // §7.1: chunk-size = 1*HEXDIG
                (Chunk::Size, [digit, ..]) if digit.is_ascii_hexdigit() => {
                    match httparse::parse_chunk_size(&line) {
                        Ok(httparse::Status::Complete((_, 0))) => Chunk::Trailer,
                        Ok(httparse::Status::Complete((_, size))) => Chunk::Data(size),
                        _ => return Err(HandshakeError::MalformedRejectionBody),
                    }
                }
                (Chunk::DataEnd, b"\r\n") => Chunk::Size,
                (Chunk::Trailer, b"\r\n") => Chunk::Done,
                (Chunk::Trailer, [field @ .., b'\r', b'\n']) if is_field_line(field) => {
                    Chunk::Trailer
                }
                _ => return Err(HandshakeError::MalformedRejectionBody),
            };
        }
    }

    /// Moves bytes up to the end of a line; tells whether the line is complete.
    fn take_line(&mut self, input: &mut &[u8]) -> Result<bool, HandshakeError> {
        let end = memchr::memchr(b'\n', input).map_or(input.len(), |at| at.saturating_add(1));
        let part = take(input, end as u64);
        self.line.extend_from_slice(part);
        if self.line.len() > MAX_CHUNK_LINE {
            return Err(HandshakeError::MalformedRejectionBody);
        }
        self.framing_room = self
            .framing_room
            .checked_sub(part.len() as u64)
            .ok_or(HandshakeError::RejectionBodyTooLong(self.limit))?;
        Ok(self.line.ends_with(b"\n"))
    }
}

/// RFC 9112 §5: field-line = field-name ":" OWS field-value OWS
fn is_field_line(line: &[u8]) -> bool {
    let colon = memchr::memchr(b':', line).unwrap_or(line.len());
    line.split_at_checked(colon).is_some_and(|(name, value)| {
        is_token(name) && value.strip_prefix(b":").is_some_and(is_value)
    })
}

fn take<'i>(input: &mut &'i [u8], most: u64) -> &'i [u8] {
    let length = usize::try_from(most).unwrap_or(usize::MAX).min(input.len());
    let (piece, rest) = input.split_at_checked(length).unwrap_or((input, &[]));
    *input = rest;
    piece
}

/// Puts a body that is sent into its framing.
#[derive(Debug, Clone, Copy)]
pub(super) struct BodyWriter(pub Framing);

impl BodyWriter {
    /// Frames a piece of the body, and its end if it is the last one.
    pub fn write(&mut self, data: &[u8], last: bool) -> Result<Vec<u8>, Misuse> {
        match self.0 {
            Framing::UntilEof => Ok(data.to_vec()),
            Framing::Length(left) => {
                let left = left.checked_sub(data.len() as u64).ok_or(Misuse::BodyLength)?;
                if last && left > 0 {
                    return Err(Misuse::BodyLength);
                }
                self.0 = Framing::Length(left);
                Ok(data.to_vec())
            }
            Framing::Chunked => {
                let mut out = Vec::new();
                if !data.is_empty() {
                    out.extend_from_slice(format!("{:x}\r\n", data.len()).as_bytes());
                    out.extend_from_slice(data);
                    out.extend_from_slice(b"\r\n");
                }
                if last {
                    out.extend_from_slice(b"0\r\n\r\n");
                }
                Ok(out)
            }
        }
    }
}

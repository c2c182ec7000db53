//! UTF-8 in text messages, RFC 6455 §8.1 and RFC 3629.
//!
//! The verdict falls at the first byte that no valid text can have, whatever the frames and reads
//! that brought it. What is kept between pieces is at most three bytes: the beginning of a code
//! point whose end has not come yet.

/// Where a text stops being UTF-8, in the words of CPython's decoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Utf8Fault {
    /// Offset in bytes from the beginning of the message of the first byte that does not fit.
    pub position: u64,
    /// How many bytes belong to the sequence that does not fit.
    pub length: u8,
    /// The first of these bytes.
    pub byte: u8,
    /// What is wrong with the sequence.
    pub kind: Utf8FaultKind,
}

/// What is wrong with a byte sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Utf8FaultKind {
    /// No sequence begins with this byte.
    InvalidStartByte,
    /// A byte behind the first does not continue the sequence.
    InvalidContinuationByte,
    /// The message ends inside a sequence.
    UnexpectedEnd,
}

impl core::fmt::Display for Utf8Fault {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("'utf-8' codec can't decode ")?;
        if self.length > 1 {
            let last = self.position.saturating_add(u64::from(self.length)).saturating_sub(1);
            write!(f, "bytes in position {}-{last}", self.position)?;
        } else {
            write!(f, "byte {:#04x} in position {}", self.byte, self.position)?;
        }
        f.write_str(match self.kind {
            Utf8FaultKind::InvalidStartByte => ": invalid start byte",
            Utf8FaultKind::InvalidContinuationByte => ": invalid continuation byte",
            Utf8FaultKind::UnexpectedEnd => ": unexpected end of data",
        })
    }
}

/// The whole code points at the beginning of `bytes`, and what stands behind them.
pub(crate) fn valid_prefix(bytes: &[u8]) -> (&str, Rest) {
    let error = match simdutf8::compat::from_utf8(bytes) {
        Ok(text) => return (text, Rest::Nothing),
        Err(error) => error,
    };
    let (valid, sequence) = bytes.split_at_checked(error.valid_up_to()).unwrap_or((bytes, &[]));
    // Found valid a moment ago; asking again costs less than `unsafe` would.
    let text = simdutf8::basic::from_utf8(valid).unwrap_or_default();
    let byte = sequence.first().copied().unwrap_or_default();
    let position = valid.len() as u64;
    let fault = |length: usize, kind| {
        // A sequence has at most four bytes.
        let length = u8::try_from(length).unwrap_or(u8::MAX);
        Utf8Fault { position, length, byte, kind }
    };
    let rest = match error.error_len() {
        None => Rest::Incomplete(fault(sequence.len(), Utf8FaultKind::UnexpectedEnd)),
        Some(length) if matches!(byte, 0xC2..=0xF4) => {
            Rest::Invalid(fault(length, Utf8FaultKind::InvalidContinuationByte))
        }
        Some(length) => Rest::Invalid(fault(length, Utf8FaultKind::InvalidStartByte)),
    };
    (text, rest)
}

/// What stands behind the whole code points of a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rest {
    Nothing,
    /// The beginning of a code point; the fault if nothing follows.
    Incomplete(Utf8Fault),
    Invalid(Utf8Fault),
}

/// The whole of `bytes` as text, or where it stops being UTF-8.
pub(crate) fn decode(bytes: &[u8]) -> Result<&str, Utf8Fault> {
    match valid_prefix(bytes) {
        (text, Rest::Nothing) => Ok(text),
        (_, Rest::Incomplete(fault) | Rest::Invalid(fault)) => Err(fault),
    }
}

/// The largest code point boundary of `text` that is not beyond `limit`, in bytes.
pub(crate) fn floor_boundary(text: &[u8], limit: usize) -> usize {
    let mut cut = limit.min(text.len());
    while text.get(cut).is_some_and(|byte| byte & 0xC0 == 0x80) {
        cut = cut.saturating_sub(1);
    }
    cut
}

/// What is remembered of a text message between its pieces.
#[derive(Debug, Clone)]
pub(crate) struct Utf8 {
    /// The beginning of a code point.
    pending: [u8; 3],
    pending_length: u8,
    /// Bytes of the message that are behind us as whole code points.
    position: u64,
    /// Found, and not reported yet; boxed, as nearly all connections never have one.
    fault: Option<Box<Utf8Fault>>,
}

impl Utf8 {
    /// At the beginning of a message.
    pub const NEW: Self = Self { pending: [0; 3], pending_length: 0, position: 0, fault: None };

    pub fn pending(&self) -> &[u8] {
        self.pending.get(..usize::from(self.pending_length)).unwrap_or_default()
    }

    /// The fault that a piece ran into, once.
    #[cold]
    pub fn take_fault(&mut self) -> Option<Utf8Fault> {
        self.fault.take().map(|fault| *fault)
    }

    pub fn has_fault(&self) -> bool {
        self.fault.is_some()
    }

    /// Begins a new message.
    pub fn reset(&mut self) {
        self.pending_length = 0;
        self.position = 0;
    }

    /// A piece of `length` bytes was found to be ASCII, with nothing pending before it.
    pub fn skip_ascii(&mut self, length: usize) {
        self.position = self.position.saturating_add(length as u64);
    }

    /// Takes `bytes`, which begin with what was pending, and returns the whole code points of it.
    /// What comes behind them is kept, or is the fault if it can become no code point.
    pub fn advance<'b>(&mut self, bytes: &'b [u8], place: Place) -> &'b str {
        let (text, rest) = valid_prefix(bytes);
        self.pending_length = 0;
        self.fault = match (rest, place) {
            (Rest::Nothing, _) => None,
            (Rest::Incomplete(_), Place::Inside) => {
                let tail = bytes.iter().skip(text.len());
                for (slot, byte) in self.pending.iter_mut().zip(tail) {
                    *slot = *byte;
                    self.pending_length = self.pending_length.saturating_add(1);
                }
                None
            }
            (Rest::Incomplete(fault), Place::End) | (Rest::Invalid(fault), _) => {
                let position = self.position.saturating_add(fault.position);
                Some(Box::new(Utf8Fault { position, ..fault }))
            }
        };
        self.position = self.position.saturating_add(text.len() as u64);
        text
    }
}

/// Where in its message a piece stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// More of the message follows.
    Inside,
    /// The message ends with the piece.
    End,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All code points of `pieces`, and whether there was a fault, taken as one message.
    fn run<'b>(pieces: impl Iterator<Item = &'b [u8]>) -> (String, Option<Utf8Fault>) {
        let (mut utf8, mut text) = (Utf8::NEW, String::new());
        let pieces: Vec<_> = pieces.collect();
        for (i, piece) in pieces.iter().enumerate() {
            let place = if i + 1 == pieces.len() { Place::End } else { Place::Inside };
            let bytes = [utf8.pending(), piece].concat();
            text += utf8.advance(&bytes, place);
            if let Some(fault) = utf8.take_fault() {
                return (text, Some(fault));
            }
        }
        (text, None)
    }

    #[test]
    fn every_sequence_of_three_bytes_gets_the_verdict_of_the_standard_library_in_every_cut() {
        let interesting: Vec<u8> = (0x7E..=0x82)
            .chain(0x8E..=0x91)
            .chain(0x9F..=0xA1)
            .chain(0xBE..=0xC3)
            .chain(0xDF..=0xE2)
            .chain(0xEC..=0xF5)
            .chain([0xFF])
            .collect();
        for &a in &interesting {
            for &b in &interesting {
                for &c in &interesting {
                    for tail in [[].as_slice(), b"\x80", b"\xBFz"] {
                        let bytes = [&[b'x', a, b, c], tail].concat();
                        let whole = run([bytes.as_slice()].into_iter());
                        let single = run(bytes.chunks(1));
                        assert_eq!(whole, single, "{bytes:x?}");
                        let std = core::str::from_utf8(&bytes);
                        assert_eq!(whole.1.is_none(), std.is_ok(), "{bytes:x?}");
                        if let (Some(fault), Err(error)) = (whole.1, std) {
                            assert_eq!(fault.position, error.valid_up_to() as u64, "{bytes:x?}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn a_fault_is_found_at_the_first_impossible_byte() {
        for bytes in
            [b"\xE0\x80".as_slice(), b"\xED\xA0", b"\xF4\x90", b"\xC0", b"\xF5", b"\xF0\x8F"]
        {
            let mut utf8 = Utf8::NEW;
            utf8.advance(bytes, Place::Inside);
            assert!(utf8.has_fault(), "{bytes:x?}");
        }
    }

    #[test]
    fn faults_are_described_as_cpython_describes_them() {
        for (bytes, text) in [
            (
                b"ab\xFF".as_slice(),
                "'utf-8' codec can't decode byte 0xff in position 2: invalid start byte",
            ),
            (
                b"\xE2\x28",
                "'utf-8' codec can't decode byte 0xe2 in position 0: invalid continuation byte",
            ),
            (
                b"\xE2\x82\x28",
                "'utf-8' codec can't decode bytes in position 0-1: invalid continuation byte",
            ),
            (
                b"a\xE2\x82",
                "'utf-8' codec can't decode bytes in position 1-2: unexpected end of data",
            ),
        ] {
            assert_eq!(run([bytes].into_iter()).1.expect("it is not UTF-8").to_string(), text);
        }
    }
}

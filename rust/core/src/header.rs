//! The frame header, RFC 6455 §5.2: up to 14 bytes, read and written here and nowhere else.
//!
//! ```text
//!   0                   1                   2                   3
//!   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//!  +-+-+-+-+-------+-+-------------+-------------------------------+
//!  |F|R|R|R|opcode |M| Payload len |  Extended payload length, if  |
//!  |I|S|S|S|  (4)  |A|     (7)     |  Payload len is 126 (16 bits) |
//!  |N|V|V|V|       |S|             |  or 127 (64 bits)             |
//!  | |1|2|3|       |K|             |                               |
//!  +-+-+-+-+-------+-+-------------+-------------------------------+
//!  |  Masking-key (32 bits), if MASK is set                        |
//!  +---------------------------------------------------------------+
//! ```
//!
//! Invariant: a fault is reported from the first byte that shows it, so that the verdict does not
//! depend on how the bytes were cut.

use crate::config::Role;
use crate::error::Violation;
use crate::mask::{Mask, MaskingKey, Slot};
use crate::opcode::Opcode;

/// The longest payload of a control frame, in bytes, RFC 6455 §5.5.
pub const MAX_CONTROL_PAYLOAD: usize = 125;
/// The longest header: two bytes, a 64-bit length and a masking key.
pub const MAX_HEADER: usize = 14;

const FIN: u8 = 0x80;
const OPCODE: u8 = 0x0F;
const MASKED: u8 = 0x80;
const LENGTH: u8 = 0x7F;
const LENGTH_16: u8 = 126;
const LENGTH_64: u8 = 127;

/// The three reserved bits of a frame, RFC 6455 §5.2, as they stand in its first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rsv(u8);

impl Rsv {
    /// No reserved bit.
    pub const NONE: Self = Self(0);
    /// RSV1, which permessage-deflate uses (RFC 7692 §6).
    pub const RSV1: Self = Self(0x40);
    /// RSV2.
    pub const RSV2: Self = Self(0x20);
    /// RSV3.
    pub const RSV3: Self = Self(0x10);
    /// All three.
    pub const ALL: Self = Self(0x70);

    /// The reserved bits in the first byte of a frame.
    #[must_use]
    pub const fn of(first_byte: u8) -> Self {
        Self(first_byte & Self::ALL.0)
    }

    /// Both sets together.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in this set and not in `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The bits as they stand in the first byte of a frame.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }
}

/// A frame's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Whether the frame is the last one of its message.
    pub fin: bool,
    /// The reserved bits.
    pub rsv: Rsv,
    /// What the frame is.
    pub opcode: Opcode,
    /// Present in frames of clients, RFC 6455 §5.1.
    pub masking_key: Option<MaskingKey>,
    /// Length of the payload in bytes; the top bit is never set.
    pub payload_length: u64,
}

impl Header {
    /// The mask at the beginning of the payload.
    #[must_use]
    pub const fn mask(&self) -> Mask {
        match self.masking_key {
            Some(key) => Mask::new(key),
            None => Mask::NONE,
        }
    }

    /// The header as bytes.
    #[must_use]
    #[inline]
    pub fn encode(&self) -> HeaderBytes {
        let fin = if self.fin { FIN } else { 0 };
        let (masked, key_length) = if self.masking_key.is_some() { (MASKED, 4u8) } else { (0, 0) };
        // All of it in one number, its first byte lowest: nothing is appended byte by byte.
        let first = u128::from(fin | self.rsv.bits() | self.opcode.bits());
        let second = |length: u8| u128::from(masked | length) << 8;
        let key = u128::from(u32::from_le_bytes(self.masking_key.unwrap_or_default()));
        // §5.2: "the minimal number of bytes MUST be used to encode the length".
        let (head, key_at) =
            match (u8::try_from(self.payload_length), u16::try_from(self.payload_length)) {
                (Ok(length), _) if length < LENGTH_16 => (first | second(length) | key << 16, 2),
                (_, Ok(length)) => {
                    let length = u128::from(length.swap_bytes()) << 16;
                    (first | second(LENGTH_16) | length | key << 32, 4)
                }
                _ => {
                    let length = u128::from(self.payload_length.swap_bytes()) << 16;
                    (first | second(LENGTH_64) | length | key << 80, 10)
                }
            };
        let bytes = head.to_le_bytes();
        let bytes = *bytes.first_chunk().unwrap_or(&[0; MAX_HEADER]);
        HeaderBytes { bytes, length: key_length.saturating_add(key_at) }
    }
}

/// An encoded header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeaderBytes {
    bytes: [u8; MAX_HEADER],
    length: u8,
}

impl HeaderBytes {
    const EMPTY: Self = Self { bytes: [0; MAX_HEADER], length: 0 };

    fn push(&mut self, bytes: &[u8]) {
        let free = self.bytes.get_mut(usize::from(self.length)..).unwrap_or_default();
        for (slot, byte) in free.iter_mut().zip(bytes) {
            *slot = *byte;
            self.length = self.length.saturating_add(1);
        }
    }

    /// Writes the header to the beginning of `target`, and perhaps zeros behind it, in the place of the
    /// payload.
    #[inline]
    pub(crate) fn copy_to<S: Slot>(&self, target: &mut [S]) {
        match target.first_chunk_mut() {
            // The longest header costs less than a loop over a short one.
            Some(start) => *start = self.bytes.map(S::holding),
            None => Mask::NONE.copy(self.as_bytes(), target),
        }
    }

    /// The bytes of the header.
    #[must_use]
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.length)).unwrap_or_default()
    }
}

/// Reads the header at the beginning of `bytes`, sent by the peer of `role`: the header and its
/// length in bytes, or `None` if it is not complete. `claimed` are the reserved bits that the
/// extensions in use may give a meaning to.
///
/// # Errors
/// The first rule that the bytes break.
#[inline]
pub fn parse(bytes: &[u8], role: Role, claimed: Rsv) -> Result<Option<(Header, usize)>, Violation> {
    let Some((&first, rest)) = bytes.split_first() else {
        return Ok(None);
    };
    let fin = first & FIN != 0;
    // §5.2: "If an unknown opcode is received, the receiving endpoint MUST _Fail the WebSocket
    // Connection_".
    let opcode =
        Opcode::from_bits(first & OPCODE).ok_or(Violation::ReservedOpcode(first & OPCODE))?;
    // §5.5: "All control frames ... MUST NOT be fragmented."
    if opcode.is_control() && !fin {
        return Err(Violation::FragmentedControlFrame);
    }
    // §5.2: "MUST be 0 unless an extension is negotiated that defines meanings".
    let rsv = Rsv::of(first);
    if rsv.without(claimed) != Rsv::NONE {
        return Err(Violation::ReservedBits(rsv.bits()));
    }

    let Some((&second, rest)) = rest.split_first() else {
        return Ok(None);
    };
    let length = second & LENGTH;
    // §5.5: "All control frames MUST have a payload length of 125 bytes or less".
    if opcode.is_control() && length >= LENGTH_16 {
        return Err(Violation::ControlFrameTooLong);
    }
    // §5.1: a client masks all its frames, a server none.
    let masked = second & MASKED != 0;
    match role {
        Role::Client if masked => return Err(Violation::MaskedByServer),
        Role::Server if !masked => return Err(Violation::UnmaskedByClient),
        Role::Client | Role::Server => {}
    }

    let (payload_length, rest) = match length {
        LENGTH_16 => {
            let Some((length, rest)) = rest.split_first_chunk::<2>() else {
                return Ok(None);
            };
            let length = u16::from_be_bytes(*length);
            if length < u16::from(LENGTH_16) {
                return Err(Violation::LengthNotMinimal16(length));
            }
            (u64::from(length), rest)
        }
        LENGTH_64 => {
            // §5.2: "the most significant bit MUST be 0", which the first of eight bytes shows.
            if let Some(&top) = rest.first().filter(|top| **top >= 0x80) {
                return Err(Violation::LengthOutOfRange(u64::from(top) << 56));
            }
            let Some((length, rest)) = rest.split_first_chunk::<8>() else {
                return Ok(None);
            };
            let length = u64::from_be_bytes(*length);
            if length <= u64::from(u16::MAX) {
                return Err(Violation::LengthNotMinimal64(length));
            }
            (length, rest)
        }
        length => (u64::from(length), rest),
    };

    let (masking_key, rest) = if masked {
        let Some((key, rest)) = rest.split_first_chunk::<4>() else {
            return Ok(None);
        };
        (Some(*key), rest)
    } else {
        (None, rest)
    };
    let header = Header { fin, rsv, opcode, masking_key, payload_length };
    Ok(Some((header, bytes.len().saturating_sub(rest.len()))))
}

/// The beginning of a header whose end has not come yet.
#[derive(Debug, Clone)]
pub(crate) struct PartialHeader(HeaderBytes);

impl PartialHeader {
    pub const EMPTY: Self = Self(HeaderBytes::EMPTY);

    /// Takes a header off the beginning of `input`; `None` if more bytes are needed, with all of
    /// `input` used.
    #[inline]
    pub fn take(
        &mut self,
        input: &mut &[u8],
        role: Role,
        claimed: Rsv,
    ) -> Result<Option<Header>, Violation> {
        let kept = usize::from(self.0.length);
        let bytes = if kept == 0 { *input } else { self.with(input) };
        if let Some((header, length)) = parse(bytes, role, claimed)? {
            *input = input.get(length.saturating_sub(kept)..).unwrap_or_default();
            self.0.length = 0;
            return Ok(Some(header));
        }
        if kept == 0 {
            self.0.push(input);
        }
        *input = &[];
        Ok(None)
    }

    /// What is kept, with the bytes behind it: as many as the longest header has.
    #[cold]
    fn with(&mut self, input: &[u8]) -> &[u8] {
        self.0.push(input);
        self.0.as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers() -> impl Iterator<Item = Header> {
        let lengths = [
            0,
            1,
            124,
            125,
            126,
            127,
            65535,
            65536,
            (1 << 31) - 1,
            1 << 32,
            1 << 62,
            (1 << 63) - 1,
        ];
        let opcodes = [
            Opcode::Continuation,
            Opcode::Text,
            Opcode::Binary,
            Opcode::Close,
            Opcode::Ping,
            Opcode::Pong,
        ];
        opcodes.into_iter().flat_map(move |opcode| {
            lengths.into_iter().flat_map(move |payload_length| {
                [None, Some([1, 2, 3, 4])].into_iter().map(move |masking_key| Header {
                    fin: true,
                    rsv: Rsv::NONE,
                    opcode,
                    masking_key,
                    payload_length,
                })
            })
        })
    }

    #[test]
    fn every_header_that_is_written_is_read_back_from_every_cut() {
        for header in headers().filter(|h| !h.opcode.is_control() || h.payload_length <= 125) {
            let role = if header.masking_key.is_some() { Role::Server } else { Role::Client };
            let bytes = header.encode();
            let bytes = bytes.as_bytes();
            for cut in 0..=bytes.len() {
                let mut partial = PartialHeader::EMPTY;
                let (mut first, mut second) = bytes.split_at(cut);
                let got = match partial.take(&mut first, role, Rsv::NONE).expect("it is legal") {
                    Some(header) => Some(header),
                    None => partial.take(&mut second, role, Rsv::NONE).expect("it is legal"),
                };
                assert_eq!(got, Some(header), "cut at {cut}");
            }
        }
    }

    #[test]
    fn every_two_bytes_get_the_same_verdict_whole_and_one_by_one() {
        for first in 0..=u8::MAX {
            for second in 0..=u8::MAX {
                for role in [Role::Client, Role::Server] {
                    let bytes = [first, second, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
                    let mut fresh = PartialHeader::EMPTY;
                    let whole = fresh.take(&mut bytes.as_slice(), role, Rsv::NONE);
                    let mut partial = PartialHeader::EMPTY;
                    let single = bytes.iter().find_map(|byte| {
                        partial.take(&mut core::slice::from_ref(byte), role, Rsv::NONE).transpose()
                    });
                    assert_eq!(whole.transpose(), single);
                }
            }
        }
    }

    #[test]
    fn a_reserved_opcode_fails_from_its_first_byte() {
        for bits in (3..8).chain(11..16) {
            assert_eq!(
                parse(&[FIN | bits], Role::Server, Rsv::NONE),
                Err(Violation::ReservedOpcode(bits))
            );
        }
    }
}

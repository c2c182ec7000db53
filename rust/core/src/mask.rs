//! Masking, RFC 6455 §5.3: byte `i` of a payload is combined with byte `i % 4` of the masking key.
//!
//! A masked copy costs what a plain copy costs as long as every byte is written once, into its final
//! place. So nothing here works in place on a scratch buffer: each function reads the source and
//! writes the destination, in loops so plain that compilers turn them into vector code. They are always
//! inlined, so that a caller that is compiled for wider registers uses those.

use core::mem::MaybeUninit;

/// The four bytes a client chooses at random for each frame, RFC 6455 §5.3.
pub type MaskingKey = [u8; 4];

/// A masking key together with how far into the payload it has come, so that a payload can be
/// unmasked piece by piece. An unmasked payload has the key zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mask {
    /// The key, its first byte lowest, rotated so that this byte meets the next one of the payload.
    key: u32,
}

/// A place for one byte: in a buffer that holds bytes already, or in one that nobody has written yet.
pub trait Slot: Copy {
    /// The slot holding `byte`.
    fn holding(byte: u8) -> Self;
}

impl Slot for u8 {
    fn holding(byte: u8) -> Self {
        byte
    }
}

impl Slot for MaybeUninit<u8> {
    fn holding(byte: u8) -> Self {
        Self::new(byte)
    }
}

/// Bytes between two looks at whether they are ASCII; a multiple of four, so that the key fits again.
const STRETCH: usize = 4096;

/// Of a text from this length on, in bytes, so many words are looked at before it is tried as ASCII.
const LONG: usize = 4096;
const LOOKED_AT: usize = 32;

/// Set in a word that holds a byte which is not ASCII.
const HIGH_BITS: u64 = 0x8080_8080_8080_8080;

impl Mask {
    /// The mask of a payload that is not masked.
    pub const NONE: Self = Self { key: 0 };

    /// The mask at the beginning of a payload.
    #[must_use]
    pub const fn new(key: MaskingKey) -> Self {
        Self { key: u32::from_le_bytes(key) }
    }

    /// The same mask `count` bytes further into the payload.
    #[must_use]
    pub const fn advanced(self, count: usize) -> Self {
        let bits = match count & 3 {
            0 => 0,
            1 => 8,
            2 => 16,
            _ => 24,
        };
        Self { key: self.key.rotate_right(bits) }
    }

    /// Writes `source`, masked or unmasked, to the beginning of `target`; stops at the shorter one.
    #[inline(always)]
    pub fn copy<S: Slot>(self, source: &[u8], target: &mut [S]) {
        self.copy_and_fold(source, target, |_| {});
    }

    /// Whether `source` begins with ASCII, masked or unmasked: the first word of it, or more of a long
    /// one, where trying costs more.
    pub(crate) fn may_be_ascii(self, source: &[u8]) -> bool {
        let count = if source.len() < LONG { 1 } else { LOOKED_AT };
        let words = source.as_chunks::<8>().0.iter().take(count);
        let seen = words.fold(0, |seen, word| seen | u64::from_le_bytes(*word) ^ self.word());
        seen & HIGH_BITS == 0
    }

    /// Like [`Mask::copy`]; tells whether everything is ASCII, found in the same pass, which ends soon
    /// behind a byte that is not.
    #[inline(always)]
    pub fn copy_ascii<S: Slot>(self, mut source: &[u8], mut target: &mut [S]) -> bool {
        loop {
            let (now, later) = source.split_at_checked(STRETCH).unwrap_or((source, &[]));
            let mut seen = 0;
            self.copy_and_fold(now, target, |word| seen |= word);
            if seen & HIGH_BITS != 0 || later.is_empty() {
                return seen & HIGH_BITS == 0;
            }
            (source, target) = (later, target.get_mut(STRETCH..).unwrap_or_default());
        }
    }

    /// Whether everything in `source`, masked or unmasked, is ASCII.
    pub(crate) fn is_ascii(self, source: &[u8]) -> bool {
        source.chunks(STRETCH).all(|stretch| {
            let (words, rest) = stretch.as_chunks::<8>();
            let seen =
                words.iter().fold(0, |seen, word| seen | u64::from_le_bytes(*word) ^ self.word());
            let rest = rest.iter().zip(self.word().to_le_bytes());
            let seen = rest.fold(seen, |seen, (byte, key)| seen | u64::from(byte ^ key));
            seen & HIGH_BITS == 0
        })
    }

    /// Appends `source`, masked or unmasked, to `target`.
    pub fn append(self, source: &[u8], target: &mut Vec<u8>) {
        let start = target.len();
        target.resize(start.saturating_add(source.len()), 0);
        self.copy(source, target.get_mut(start..).unwrap_or_default());
    }

    /// The copy itself; shows `fold` everything that is written, eight bytes at a time.
    #[inline(always)]
    fn copy_and_fold<S: Slot>(self, source: &[u8], target: &mut [S], mut fold: impl FnMut(u64)) {
        // The words of both must lie alike, so both must end alike.
        let length = source.len().min(target.len());
        let source = source.get(..length).unwrap_or_default();
        let target = target.get_mut(..length).unwrap_or_default();
        let (from, rest) = source.as_chunks::<8>();
        for (from, to) in from.iter().zip(target.as_chunks_mut::<8>().0) {
            let word = u64::from_le_bytes(*from) ^ self.word();
            fold(word);
            *to = word.to_le_bytes().map(S::holding);
        }
        if rest.is_empty() {
            return;
        }
        if let (Some(from), Some(to)) = (source.last_chunk::<8>(), target.last_chunk_mut::<8>()) {
            // Less than a word is left: the last eight bytes, some of them once more, cost less than
            // a loop over the rest.
            let word = u64::from_le_bytes(*from) ^ self.advanced(length).word();
            fold(word);
            *to = word.to_le_bytes().map(S::holding);
            return;
        }
        for ((byte, slot), key) in rest.iter().zip(target).zip(self.word().to_le_bytes()) {
            let byte = byte ^ key;
            fold(u64::from(byte));
            *slot = S::holding(byte);
        }
    }

    /// The key, twice.
    const fn word(self) -> u64 {
        let key = self.key as u64;
        key << 32 | key
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn naive(source: &[u8], key: MaskingKey) -> Vec<u8> {
        source.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key).collect()
    }

    fn copied(mask: Mask, source: &[u8]) -> (Vec<u8>, bool) {
        let mut appended = b"before".to_vec();
        mask.append(source, &mut appended);
        let mut target = vec![0x55; source.len()];
        let ascii = mask.copy_ascii(source, &mut target);
        assert_eq!(appended, [b"before".as_slice(), &target].concat());
        assert_eq!(ascii, mask.is_ascii(source));
        (target, ascii)
    }

    #[test]
    fn every_length_agrees_with_the_naive_loop_in_every_rotation() {
        let source: Vec<u8> = (0..300u16).map(|i| (i * 7 % 251) as u8).collect();
        let key = [0x12, 0x34, 0x56, 0x78];
        for length in 0..source.len() {
            for start in 0..4.min(length + 1) {
                let want = &naive(&source[..length], key)[start..];
                let (target, ascii) =
                    copied(Mask::new(key).advanced(start), &source[start..length]);
                assert_eq!(target, want);
                assert_eq!(ascii, want.is_ascii());
            }
        }
    }

    #[test]
    fn a_copy_stops_at_the_end_of_the_shorter_side() {
        let source: Vec<u8> = (0..200).collect();
        for (from, to) in [(2, 7), (2, 130), (70, 80), (130, 2), (80, 70), (65, 64), (0, 3)] {
            let mut target = vec![0x55; to];
            Mask::NONE.copy(&source[..from], &mut target);
            let both = from.min(to);
            assert_eq!(target[..both], source[..both]);
            assert!(target[both..].iter().all(|byte| *byte == 0x55));
        }
    }

    #[test]
    fn one_byte_above_ascii_is_seen_at_every_position() {
        let key = [0xA1, 0, 0xFF, 0x7F];
        for length in 1..200 {
            assert!(copied(Mask::new(key), &naive(&vec![b'x'; length], key)).1);
            for at in 0..length {
                let mut plain = vec![b'x'; length];
                plain[at] = 0x80;
                assert!(!copied(Mask::new(key), &naive(&plain, key)).1);
            }
        }
    }

    #[test]
    fn one_byte_above_ascii_is_seen_in_every_stretch() {
        let key = [0xA1, 0, 0xFF, 0x7F];
        let ascii = vec![b'x'; 2 * STRETCH + 3];
        assert!(Mask::new(key).is_ascii(&naive(&ascii, key)));
        for at in [0, STRETCH - 1, STRETCH, 2 * STRETCH - 1, 2 * STRETCH, 2 * STRETCH + 2] {
            let mut plain = ascii.clone();
            plain[at] = 0x80;
            let masked = naive(&plain, key);
            assert!(!Mask::new(key).is_ascii(&masked));
            assert!(!Mask::new(key).copy_ascii(&masked, &mut plain));
        }
    }
}

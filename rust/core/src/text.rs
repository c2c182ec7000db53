//! Text as it is lent: a piece that still stands masked, for the caller to take as ASCII, whole, or in
//! blocks, RFC 6455 §5.6 and §8.1. Whichever way it is taken, what comes out has been validated.

use crate::event::{Ends, Payload};
use crate::mask::{Mask, Slot};
use crate::utf8::{Place, Utf8, floor_boundary};

/// A piece of a text message, not looked at yet.
///
/// Either take it as ASCII with [`Text::copy_ascii`], or, when that says no, whole with [`Text::decode`]
/// or in blocks with [`Text::check`].
#[derive(Debug)]
pub struct Text<'a> {
    payload: Payload<'a>,
    utf8: &'a mut Utf8,
    ends: Ends,
    taken: bool,
}

/// The text of a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decoded<'s> {
    /// Whole code points; those that a piece only begins come with the next one.
    pub text: &'s str,
    /// Which ends the piece reaches; none if the text stops being UTF-8 behind it.
    pub ends: Ends,
}

impl<'a> Text<'a> {
    pub(crate) fn new(payload: Payload<'a>, utf8: &'a mut Utf8, ends: Ends) -> Self {
        Self { payload, utf8, ends, taken: false }
    }

    /// The length of the piece in bytes, masked as it stands.
    #[must_use]
    pub fn len(&self) -> usize {
        self.payload.len()
    }

    /// Whether the piece has no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.payload.is_empty()
    }

    /// Which ends the piece reaches, if it is UTF-8.
    #[must_use]
    pub const fn ends(&self) -> Ends {
        self.ends
    }

    /// Whether the piece can be ASCII: no code point is under way, and its first bytes are.
    #[must_use]
    pub fn may_be_ascii(&self) -> bool {
        self.utf8.pending().is_empty() && self.payload.mask().may_be_ascii(self.payload.masked())
    }

    /// Writes the piece to `target`, which has room for all of it, and says whether it was ASCII, in
    /// one pass: which ends it reaches. If it was not, or if a code point is under way, `target` is of
    /// no use and [`Text::decode`] is to be called.
    #[must_use]
    #[inline(always)]
    pub fn copy_ascii<S: Slot>(&mut self, target: &mut [S]) -> Option<Ends> {
        let ascii = self.utf8.pending().is_empty()
            && target.len() >= self.len()
            && self.payload.mask().copy_ascii(self.payload.masked(), target);
        if !ascii {
            return None;
        }
        self.utf8.skip_ascii(self.len());
        self.taken = true;
        Some(self.ends)
    }

    /// Whether the piece is ASCII. Then it counts as taken, and [`Text::payload`] is for the caller to
    /// unmask when it likes; otherwise [`Text::check`] or [`Text::decode`] is to be called.
    #[must_use]
    pub fn take_ascii(&mut self) -> bool {
        let ascii =
            self.utf8.pending().is_empty() && self.payload.mask().is_ascii(self.payload.masked());
        if ascii {
            self.utf8.skip_ascii(self.len());
            self.taken = true;
        }
        ascii
    }

    /// The piece as it stands, not validated.
    #[must_use]
    pub const fn payload(&self) -> &Payload<'a> {
        &self.payload
    }

    /// The whole code points of the piece, kept in `scratch`; `None` if there is none because the text
    /// stops being UTF-8 at once. The fault is then the next event.
    #[must_use]
    pub fn decode(mut self, scratch: &mut Vec<u8>) -> Option<Decoded<'_>> {
        self.taken = true;
        let text = self.advance(scratch);
        match self.utf8.has_fault() {
            false => Some(Decoded { text, ends: self.ends }),
            true if text.is_empty() => None,
            true => Some(Decoded { text, ends: Ends::default() }),
        }
    }

    /// Like [`Text::decode`], for any length in a scratch of one: unmasks the piece in blocks, and shows
    /// `look` the whole code points of each, one block after the other. The result shows them again.
    #[must_use]
    #[inline(always)]
    pub fn check<'s>(
        mut self,
        scratch: &'s mut Block,
        mut look: impl FnMut(&str),
    ) -> Option<Checked<'s>>
    where
        'a: 's,
    {
        self.taken = true;
        let payload = self.payload;
        let begun = Begun::new(self.utf8.pending());
        let mut length = 0usize;
        in_blocks(payload, &begun, scratch, |block, is_last| {
            let end = is_last && self.ends.message;
            let text = self.utf8.advance(block, if end { Place::End } else { Place::Inside });
            look(text);
            length = length.saturating_add(text.len());
            if self.utf8.has_fault() { None } else { Some(text.len()) }
        });
        let ends = match self.utf8.has_fault() {
            false => self.ends,
            true if length == 0 => return None,
            true => Ends::default(),
        };
        Some(Checked { payload, begun, length, ends, scratch })
    }

    fn advance<'s>(&mut self, scratch: &'s mut Vec<u8>) -> &'s str {
        scratch.clear();
        scratch.extend_from_slice(self.utf8.pending());
        self.payload.append_to(scratch);
        let place = if self.ends.message { Place::End } else { Place::Inside };
        self.utf8.advance(scratch, place)
    }
}

/// Where text is unmasked, a part after the other: small enough to stay in the processor's cache.
pub type Block = [u8; 16 * 1024];

/// The beginning of a code point, from the piece before.
#[derive(Debug, Clone, Copy)]
struct Begun {
    bytes: [u8; 3],
    length: usize,
}

impl Begun {
    fn new(pending: &[u8]) -> Self {
        let mut bytes = [0; 3];
        Mask::NONE.copy(pending, &mut bytes);
        Self { bytes, length: pending.len() }
    }
}

impl core::ops::Deref for Begun {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

/// A piece of text that is known to be UTF-8, up to where it perhaps stops.
#[derive(Debug)]
pub struct Checked<'s> {
    payload: Payload<'s>,
    begun: Begun,
    /// Bytes of whole code points.
    length: usize,
    ends: Ends,
    scratch: &'s mut Block,
}

impl Checked<'_> {
    /// Which ends the piece reaches; none if the text stops being UTF-8 behind it.
    #[must_use]
    pub const fn ends(&self) -> Ends {
        self.ends
    }

    /// Shows `look` the text once more, in blocks of whole code points: bytes that are not validated a
    /// second time.
    #[inline]
    pub fn read(self, mut look: impl FnMut(&[u8])) {
        let all = self.begun.len().saturating_add(self.payload.len());
        if let Some(text) = self.scratch.get(..self.length).filter(|_| all <= self.scratch.len()) {
            // The only block still stands there.
            return look(text);
        }
        let mut rest = self.length;
        in_blocks(self.payload, &self.begun, self.scratch, |block, _| {
            let cut = match rest > block.len() {
                // More follows, perhaps what the last code point lacks.
                true => floor_boundary(block, block.len().saturating_sub(1)),
                false => rest,
            };
            look(block.get(..cut).unwrap_or_default());
            rest = rest.saturating_sub(cut);
            (rest > 0).then_some(cut)
        });
    }
}

/// Unmasks `payload`, behind `begun`, in blocks. `take` gets each, learns whether it is the last, and
/// says how many bytes it has taken: those that it leaves stand in front of the next block. `None`
/// stops here.
#[inline(always)]
fn in_blocks(
    payload: Payload<'_>,
    begun: &[u8],
    scratch: &mut Block,
    mut take: impl FnMut(&[u8], bool) -> Option<usize>,
) {
    let (mut source, mut mask) = (payload.masked(), payload.mask());
    Mask::NONE.copy(begun, scratch);
    let mut left = begun.len();
    loop {
        let room = scratch.get_mut(left..).unwrap_or_default();
        let (now, later) = source.split_at_checked(room.len()).unwrap_or((source, &[]));
        mask.copy(now, room);
        let filled = left.saturating_add(now.len());
        let block = scratch.get(..filled).unwrap_or_default();
        let taken = match take(block, later.is_empty()) {
            Some(taken) if !later.is_empty() => taken.min(filled),
            _ => return,
        };
        scratch.copy_within(taken..filled, 0);
        left = filled.saturating_sub(taken);
        (source, mask) = (later, mask.advanced(now.len()));
    }
}

/// A piece that the caller does not want is validated all the same, §8.1.
impl Drop for Text<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        if !self.taken {
            self.advance(&mut Vec::new());
        }
    }
}

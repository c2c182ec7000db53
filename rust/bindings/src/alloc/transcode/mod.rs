//! UTF-8 that is known to be valid, written as the code points of a `str`: one, two or four bytes each.
//!
//! The text is taken in blocks of 64 bytes. For every byte of a block its step computes, side by side,
//! what code point would end there, from it and the three before; then it squeezes out those places
//! where none does. So nothing depends on where in the block the code points lie, and mixed scripts
//! cost what a single one does: no branch has to be predicted.
//!
//! ```text
//! bytes      C3 A9  7A  E2 82 AC       é z €
//! ends        .  x   x   .  .  x
//! units       . E9  7A   .  . 20AC  -> E9 7A 20AC
//! ```
//!
//! There is code for AVX2 only: in plain Rust the same took as long as CPython's decoder, which other
//! processors use therefore. Of the crates, `encoding_rs` makes UTF-16 and Latin-1, but neither UTF-32 nor
//! the choice between them, and `simdutf` is a binding that needs a compiler for C++ to build a wheel.
//!
//! Nothing here knows Python, so `tests/transcode.rs` includes these files and runs them alone.

use core::mem::MaybeUninit;

use ws13::{Block, Checked, Text};

#[cfg(target_arch = "x86_64")]
mod avx2;

/// How CPython keeps a code point: the smallest of these that is enough for the whole text.
pub trait Unit: Copy + From<u8> {}

impl Unit for u8 {}
impl Unit for u16 {}
impl Unit for u32 {}

/// How many code points a text has, and its largest byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Survey {
    code_points: usize,
    largest_byte: u8,
}

impl Survey {
    pub const fn code_points(self) -> usize {
        self.code_points
    }

    /// Tells the class of the largest code point: below 0x80 there is nothing but ASCII, 0xC2 and 0xC3
    /// begin what is up to U+00FF, bytes up to 0xEF what is up to U+FFFF, and those from 0xF0 on what is
    /// above.
    pub const fn largest_byte(self) -> u8 {
        self.largest_byte
    }
}

/// Whether this processor can run [`transcode`].
#[inline]
pub fn is_available() -> bool {
    #[cfg(target_arch = "x86_64")]
    return is_x86_feature_detected!("avx2") && is_x86_feature_detected!("popcnt");
    #[cfg(not(target_arch = "x86_64"))]
    return false;
}

/// What there is in `text`; nothing on a processor that cannot [`transcode`].
#[inline]
pub fn survey(text: &str) -> Survey {
    #[cfg(target_arch = "x86_64")]
    if is_available() {
        let mut survey = Survey::default();
        // SAFETY: the processor has what the function was compiled for.
        unsafe { avx2::add(&mut survey, text.as_bytes()) };
        return survey;
    }
    let _ = text;
    Survey::default()
}

/// The same while it is validated.
#[inline]
pub fn check<'s>(text: Text<'s>, scratch: &'s mut Block) -> (Option<Checked<'s>>, Survey) {
    #[cfg(target_arch = "x86_64")]
    if is_available() {
        // SAFETY: the processor has what the function was compiled for.
        return unsafe { avx2::check(text, scratch) };
    }
    (text.check(scratch, |_| {}), Survey::default())
}

/// Writes the code points of `text`, whole ones, to the beginning of `target`; returns how many it has
/// written: all, if there is room for them and this processor can. Each has to fit in `T`.
#[inline]
pub fn transcode<T: Unit>(text: &[u8], target: &mut [MaybeUninit<T>]) -> usize {
    #[cfg(target_arch = "x86_64")]
    if is_available() {
        // SAFETY: the processor has what the function was compiled for.
        return unsafe { avx2::transcode(text, target) };
    }
    let (_, _) = (text, target);
    0
}

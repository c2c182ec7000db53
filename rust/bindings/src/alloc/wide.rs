//! Copies with the widest registers that the processor has.

use core::mem::MaybeUninit;

use ws13::{Ends, Mask, Payload, Sent, Text};

/// From this length on, in bytes, asking the processor pays.
const LEAST: usize = 1024;

/// What is written once, into its final place. All are `#[inline(always)]`: a function that is compiled
/// for AVX2 has to contain the loop, not call it.
pub trait Written {
    type Outcome: Outcome;

    fn write(self, target: &mut [MaybeUninit<u8>]) -> Self::Outcome;
}

/// What comes of writing.
pub trait Outcome {
    /// Whether all of the target has been written as it was meant to be.
    fn is_written(&self) -> bool;
}

impl Outcome for () {
    fn is_written(&self) -> bool {
        true
    }
}

impl Outcome for bool {
    fn is_written(&self) -> bool {
        *self
    }
}

impl Outcome for Option<Ends> {
    fn is_written(&self) -> bool {
        self.is_some()
    }
}

/// Writes `source` to `target`, compiled for AVX2 if the processor has it: the same code, with half as
/// many instructions.
#[inline(always)]
pub fn write<W: Written>(source: W, target: &mut [MaybeUninit<u8>]) -> W::Outcome {
    #[cfg(target_arch = "x86_64")]
    if target.len() >= LEAST && is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has what the function is compiled for.
        return unsafe { write_with_avx2(source, target) };
    }
    source.write(target)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn write_with_avx2<W: Written>(source: W, target: &mut [MaybeUninit<u8>]) -> W::Outcome {
    source.write(target)
}

impl Written for &Payload<'_> {
    type Outcome = ();

    #[inline(always)]
    fn write(self, target: &mut [MaybeUninit<u8>]) {
        self.copy_to(target);
    }
}

impl Written for &Sent<'_> {
    type Outcome = ();

    #[inline(always)]
    fn write(self, target: &mut [MaybeUninit<u8>]) {
        self.copy_to(target);
    }
}

/// A part of something, and what unmasks it.
impl Written for (&[u8], Mask) {
    type Outcome = ();

    #[inline(always)]
    fn write(self, target: &mut [MaybeUninit<u8>]) {
        self.1.copy(self.0, target);
    }
}

/// A part of something, if it is ASCII.
pub struct Ascii<'a>(pub &'a [u8], pub Mask);

impl Written for Ascii<'_> {
    type Outcome = bool;

    #[inline(always)]
    fn write(self, target: &mut [MaybeUninit<u8>]) -> bool {
        self.1.copy_ascii(self.0, target)
    }
}

/// Text, if it is ASCII.
impl Written for &mut Text<'_> {
    type Outcome = Option<Ends>;

    #[inline(always)]
    fn write(self, target: &mut [MaybeUninit<u8>]) -> Option<Ends> {
        self.copy_ascii(target)
    }
}

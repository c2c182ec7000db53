//! What becomes of a connection when a panic passes through one of its calls: it fails, RFC 6455 §7.1.7.
//!
//! A panic is a bug of ours, and there is no saying what was done of the call when it came. Nothing more is
//! received, so that the stream never goes on with a hole in it, and a Close frame may still be sent.

use pyo3::prelude::*;

use crate::inject;

/// A class whose objects can fail.
pub trait Fail: Sized {
    /// Fails the connection, unless it is in use.
    fn fail(slf: &Bound<'_, Self>);
}

struct Guard<'a, 'py, C: Fail>(&'a Bound<'py, C>);

impl<C: Fail> Drop for Guard<'_, '_, C> {
    #[cold]
    fn drop(&mut self) {
        C::fail(self.0);
    }
}

/// Does `work` for an object, which fails if a panic comes by. That costs nothing where none does.
#[inline(always)]
pub fn guarded<C: Fail, T>(slf: &Bound<'_, C>, work: impl FnOnce() -> T) -> T {
    let guard = Guard(slf);
    inject::point();
    let result = work();
    core::mem::forget(guard);
    result
}

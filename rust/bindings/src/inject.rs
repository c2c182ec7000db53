//! Panics on purpose, for `tests/injected`: with the feature `inject-panic` alone, which no wheel is built
//! with. Without it nothing is left of this.

#[cfg(feature = "inject-panic")]
mod countdown {
    use core::sync::atomic::{AtomicI64, Ordering};

    use pyo3::prelude::*;

    /// Points to pass before the panic; none comes from -1 on.
    static LEFT: AtomicI64 = AtomicI64::new(-1);

    /// A place where a panic may come.
    pub fn point() {
        if LEFT.load(Ordering::Relaxed) >= 0 && LEFT.fetch_sub(1, Ordering::Relaxed) == 0 {
            panic!("injected");
        }
    }

    /// Lets a panic come when so many points have been passed; none if it is negative. Returns how many of
    /// those that were asked for last are left, -1 if the panic has come.
    #[pyfunction]
    pub fn panic_behind(points: i64) -> i64 {
        LEFT.swap(points, Ordering::Relaxed)
    }
}

#[cfg(feature = "inject-panic")]
pub use countdown::{panic_behind, point};

/// A place where a panic may come.
#[cfg(not(feature = "inject-panic"))]
#[inline(always)]
pub const fn point() {}

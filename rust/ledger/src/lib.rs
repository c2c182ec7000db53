//! What the code under test allocates, counted apart from what its test does.
//!
//! A crate of its own, as the allocator of a program takes unsafe code, which `rust/core` forbids in its
//! tests too. Whoever uses it gets the allocator with it.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    /// Bytes that this thread has allocated and not freed.
    static NOW: Cell<isize> = const { Cell::new(0) };
    /// The most that it has been since somebody looked.
    static MOST: Cell<isize> = const { Cell::new(0) };
}

/// The allocator of the system, which counts.
struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

fn note(change: isize) {
    NOW.set(NOW.get() + change);
    MOST.set(MOST.get().max(NOW.get()));
}

fn signed(size: usize) -> isize {
    isize::try_from(size).expect("no layout is larger")
}

// SAFETY: every call goes to the system's allocator as it is; counting neither allocates nor unwinds.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(signed(layout.size()));
        // SAFETY: the caller's promise is handed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note(signed(layout.size()));
        // SAFETY: the caller's promise is handed on.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, old: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note(signed(size) - signed(layout.size()));
        // SAFETY: the caller's promise is handed on.
        unsafe { System.realloc(old, layout, size) }
    }

    unsafe fn dealloc(&self, old: *mut u8, layout: Layout) {
        note(-signed(layout.size()));
        // SAFETY: the caller's promise is handed on.
        unsafe { System.dealloc(old, layout) }
    }
}

/// The account of one object: what its calls have allocated.
#[derive(Debug, Default)]
pub struct Ledger {
    /// Bytes that it keeps.
    pub kept: isize,
    /// The most that it has kept at any time, during a call too.
    pub most: isize,
}

/// A call that is under way.
#[derive(Debug)]
pub struct Mark(isize);

impl Ledger {
    /// A call begins.
    #[must_use]
    pub fn open(&self) -> Mark {
        let now = NOW.get();
        MOST.set(now);
        Mark(now)
    }

    /// It is over. What its caller has allocated since then counts, so nothing should stand between.
    pub fn close(&mut self, Mark(before): Mark) {
        self.most = self.most.max(self.kept + MOST.get() - before);
        self.kept += NOW.get() - before;
    }

    /// Moves what a call gave out, which belongs to the caller from then on, off the account.
    pub fn hand_over<T: Clone>(&mut self, given: T) -> T {
        let copy = given.clone();
        let mark = self.open();
        drop(given);
        self.close(mark);
        copy
    }

    /// Fails if more was kept at any time than `fixed` and twice the bytes that were `received`.
    pub fn check(&self, fixed: usize, received: usize) {
        let most = signed(fixed + 2 * received);
        assert!(self.most <= most, "{} bytes allocated, {most} allowed", self.most);
    }
}

#[cfg(test)]
mod tests {
    use std::hint::black_box;

    use super::*;

    #[test]
    fn what_is_freed_in_a_later_call_is_kept_until_then() {
        let mut ledger = Ledger::default();
        let mark = ledger.open();
        let bytes = black_box(vec![0_u8; 1000]);
        drop(black_box(vec![0_u8; 500]));
        ledger.close(mark);
        assert_eq!((ledger.kept, ledger.most), (1000, 1500));
        let _of_the_test = black_box(vec![0_u8; 5000]);
        let mark = ledger.open();
        drop(bytes);
        ledger.close(mark);
        assert_eq!((ledger.kept, ledger.most), (0, 1500));
        ledger.check(1500, 0);
    }
}

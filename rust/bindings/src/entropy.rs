//! Masking keys and nonces from the operating system's generator, RFC 6455 §5.3 and §10.3.
//!
//! One call of the generator costs more than everything else that a short frame needs, so each thread
//! draws a block and hands it out. A forked child must not repeat its parent's keys: the blocks of all
//! threads lapse when CPython reports a fork.

use core::cell::RefCell;
use core::sync::atomic::{AtomicU64, Ordering};

use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;
use ws13::MaskingKey;

const BLOCK: usize = 4096;

/// Counts the forks behind us.
static GENERATION: AtomicU64 = AtomicU64::new(0);

struct Pool {
    block: [u8; BLOCK],
    used: usize,
    generation: u64,
}

thread_local! {
    static POOL: RefCell<Pool> = const {
        RefCell::new(Pool { block: [0; BLOCK], used: BLOCK, generation: 0 })
    };
}

/// Makes all blocks lapse; called in a child after `fork()`.
#[pyfunction]
pub fn forget_entropy() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
}

/// A fresh masking key. `OSError` if the system has no entropy to give.
#[inline]
pub fn masking_key() -> PyResult<MaskingKey> {
    random()
}

/// A fresh nonce for Sec-WebSocket-Key, RFC 6455 §4.1. `OSError` as above.
pub fn nonce() -> PyResult<[u8; 16]> {
    random()
}

#[inline]
fn random<const N: usize>() -> PyResult<[u8; N]> {
    POOL.with_borrow_mut(|pool| {
        let generation = GENERATION.load(Ordering::Relaxed);
        if pool.used > BLOCK - N || pool.generation != generation {
            pool.refill(generation)?;
        }
        let mut bytes = [0; N];
        let slot = &mut pool.block[pool.used..pool.used + N];
        bytes.copy_from_slice(slot);
        slot.fill(0);
        pool.used += N;
        Ok(bytes)
    })
}

impl Pool {
    #[cold]
    fn refill(&mut self, generation: u64) -> PyResult<()> {
        self.used = BLOCK;
        getrandom::fill(&mut self.block).map_err(|error| PyOSError::new_err(error.to_string()))?;
        self.used = 0;
        self.generation = generation;
        Ok(())
    }
}

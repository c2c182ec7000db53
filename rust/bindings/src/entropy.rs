//! Masking keys and nonces from the operating system's generator, RFC 6455 §5.3 and §10.3.
//!
//! One call of the generator costs more than everything else that a short frame needs, so a block is
//! drawn and handed out, under the GIL. A forked child must not repeat its parent's keys: the block
//! lapses when CPython reports a fork.

use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;
use ws13::MaskingKey;

use crate::alloc::GilCell;
use crate::inject;

const BLOCK: usize = 4096;

struct Pool {
    block: [u8; BLOCK],
    used: usize,
}

static POOL: GilCell<Pool> = GilCell::new(Pool { block: [0; BLOCK], used: BLOCK });

/// Makes the block lapse; called in a child after `fork()`.
#[pyfunction]
pub fn forget_entropy(py: Python<'_>) -> PyResult<()> {
    POOL.borrow_mut(py)?.used = BLOCK;
    Ok(())
}

/// A fresh masking key. `OSError` if the system has no entropy to give.
#[inline]
pub fn masking_key(py: Python<'_>) -> PyResult<MaskingKey> {
    random(py)
}

/// A fresh nonce for Sec-WebSocket-Key, RFC 6455 §4.1. `OSError` as above.
pub fn nonce(py: Python<'_>) -> PyResult<[u8; 16]> {
    random(py)
}

#[inline]
fn random<const N: usize>(py: Python<'_>) -> PyResult<[u8; N]> {
    inject::point();
    let pool = &mut *POOL.borrow_mut(py)?;
    loop {
        let free = pool.block.get_mut(pool.used..).and_then(|free| free.first_chunk_mut::<N>());
        if let Some(slot) = free {
            pool.used += N;
            // Nobody can read it here afterwards.
            return Ok(std::mem::replace(slot, [0; N]));
        }
        pool.refill()?;
    }
}

impl Pool {
    #[cold]
    fn refill(&mut self) -> PyResult<()> {
        self.used = BLOCK;
        getrandom::fill(&mut self.block).map_err(|error| PyOSError::new_err(error.to_string()))?;
        self.used = 0;
        Ok(())
    }
}

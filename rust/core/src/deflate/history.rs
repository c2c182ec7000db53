//! The last bytes that passed in one direction: what a window holds, RFC 7692 §7.2.

use std::collections::VecDeque;

/// See the module. A ring: to move 32 KiB down for each few short messages would cost as much as a tenth
/// of inflating them.
#[derive(Debug, Default)]
pub(super) struct History {
    bytes: VecDeque<u8>,
}

impl History {
    pub const EMPTY: Self = Self { bytes: VecDeque::new() };

    /// Adds what has passed, and lets go of what stands before the last `limit` bytes.
    pub fn append(&mut self, passed: &[u8], limit: usize) {
        let passed = passed.get(passed.len().saturating_sub(limit)..).unwrap_or_default();
        let length = self.bytes.len().saturating_add(passed.len());
        self.bytes.drain(..length.saturating_sub(limit));
        self.reserve(passed.len(), limit);
        self.bytes.extend(passed);
    }

    /// Makes room as a vector does, but never for more than `most` bytes.
    fn reserve(&mut self, more: usize, most: usize) {
        let needed = self.bytes.len().saturating_add(more);
        if needed > self.bytes.capacity() {
            let doubled = self.bytes.capacity().saturating_mul(2).clamp(needed, most.max(needed));
            self.bytes.reserve_exact(doubled.saturating_sub(self.bytes.len()));
        }
    }

    /// How many bytes there are.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The last `limit` bytes, put in a row.
    pub fn last(&mut self, limit: usize) -> &[u8] {
        let row = &*self.bytes.make_contiguous();
        row.get(row.len().saturating_sub(limit)..).unwrap_or_default()
    }

    /// All bytes, in two rows.
    pub fn parts(&self) -> [&[u8]; 2] {
        let (first, second) = self.bytes.as_slices();
        [first, second]
    }

    /// Keeps the last `limit` bytes and gives back the rest of the memory.
    pub fn trim(&mut self, limit: usize) {
        self.bytes.drain(..self.bytes.len().saturating_sub(limit));
        self.bytes.shrink_to_fit();
    }

    /// Lets go of everything.
    pub fn clear(&mut self) {
        self.bytes = VecDeque::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_bytes_are_there_however_they_came_and_memory_stays_bounded() {
        for step in [1, 7, 63, 64, 65, 200, 2500] {
            let (mut history, mut all) = (History::EMPTY, Vec::new());
            for round in 0..100_u8 {
                let bytes = vec![round; step];
                history.append(&bytes, 64);
                all.extend(bytes);
                assert!(history.bytes.iter().eq(&all[all.len().saturating_sub(64)..]));
                assert_eq!(
                    history.parts().concat(),
                    history.bytes.iter().copied().collect::<Vec<_>>()
                );
                assert_eq!(history.last(50), &all[all.len().saturating_sub(50)..]);
                assert!(history.bytes.capacity() <= 64, "{}", history.bytes.capacity());
            }
            history.trim(16);
            assert_eq!(history.last(64), &all[all.len() - 16..]);
        }
    }
}

//! The last bytes that passed in one direction: what a window holds, RFC 7692 §7.2.

/// See the module.
#[derive(Debug, Default)]
pub(super) struct History {
    bytes: Vec<u8>,
}

/// How many bytes more than `limit` may be there.
fn slack(limit: usize) -> usize {
    (limit / 8).max(2048)
}

impl History {
    pub const EMPTY: Self = Self { bytes: Vec::new() };

    /// Adds what has passed, and lets go of what stands before the last `limit` bytes, now or a little
    /// later: moving the rest down each time would cost more than all other work on a short message.
    pub fn append(&mut self, passed: &[u8], limit: usize) {
        if passed.len() >= limit {
            self.bytes.clear();
        }
        let kept = passed.len().saturating_sub(limit);
        let passed = passed.get(kept..).unwrap_or_default();
        let slack = slack(limit);
        let length = self.bytes.len().saturating_add(passed.len());
        if length > limit.saturating_add(slack) {
            self.bytes.drain(..length.saturating_sub(limit).min(self.bytes.len()));
        }
        self.reserve(passed.len(), limit.saturating_add(slack));
        self.bytes.extend_from_slice(passed);
    }

    /// Makes room as a vector does, but never for more than `most` bytes.
    fn reserve(&mut self, more: usize, most: usize) {
        let needed = self.bytes.len().saturating_add(more);
        if needed > self.bytes.capacity() {
            let doubled = self.bytes.capacity().saturating_mul(2).clamp(needed, most.max(needed));
            self.bytes.reserve_exact(doubled.saturating_sub(self.bytes.len()));
        }
    }

    /// Whether there are more than `limit` bytes.
    pub const fn exceeds(&self, limit: usize) -> bool {
        self.bytes.len() > limit
    }

    /// The last `limit` bytes.
    pub fn last(&self, limit: usize) -> &[u8] {
        self.bytes.get(self.bytes.len().saturating_sub(limit)..).unwrap_or_default()
    }

    /// Keeps the last `limit` bytes and gives back the rest of the memory.
    pub fn trim(&mut self, limit: usize) {
        self.bytes.drain(..self.bytes.len().saturating_sub(limit));
        self.bytes.shrink_to_fit();
    }

    /// Lets go of everything.
    pub fn clear(&mut self) {
        self.bytes = Vec::new();
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
                assert_eq!(history.last(64), &all[all.len().saturating_sub(64)..]);
                assert!(history.bytes.capacity() <= 64 + 2048, "{}", history.bytes.capacity());
            }
            history.trim(16);
            assert_eq!(history.last(64), &all[all.len() - 16..]);
        }
    }
}

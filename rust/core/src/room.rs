//! Room for bytes that come bit by bit, up to a length that is known.

/// Makes room in `bytes` for `more` of them. It doubles, as a vector does of itself, but not beyond `most`
/// unless it has to: a limit of n bytes would otherwise be up to 2n in memory.
#[inline]
pub fn reserve(bytes: &mut Vec<u8>, more: usize, most: usize) {
    let needed = bytes.len().saturating_add(more);
    if needed > bytes.capacity() {
        let doubled = bytes.capacity().saturating_mul(2).min(most);
        bytes.reserve_exact(doubled.max(needed).saturating_sub(bytes.len()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_doubles_up_to_the_limit_and_goes_beyond_it_only_as_far_as_it_must() {
        let mut bytes = Vec::new();
        let mut moved = 0;
        for _ in 0..1000 {
            let before = bytes.capacity();
            reserve(&mut bytes, 1, 1000);
            bytes.push(0);
            moved += usize::from(before != bytes.capacity());
        }
        assert_eq!(bytes.capacity(), 1000);
        assert!(moved < 12, "{moved} times");
        reserve(&mut bytes, 7, 1000);
        assert_eq!(bytes.capacity(), 1007);
    }
}

//! Bytes in pieces.

/// Sizes of chunks out of two bytes, a nibble each; the largest nibble is a long chunk, zero an empty one.
#[must_use]
pub fn sizes(bytes: [u8; 2]) -> [usize; 4] {
    let size = |nibble: u8| if nibble == 15 { 200 } else { usize::from(nibble) };
    let [one, two] = bytes;
    [size(one & 15), size(one >> 4), size(two & 15), size(two >> 4)]
}

/// `bytes` in pieces of these sizes, in turn; whole if all of them are 0.
#[must_use]
pub fn cut<'b>(bytes: &'b [u8], sizes: &[usize]) -> Vec<&'b [u8]> {
    if sizes.iter().all(|size| *size == 0) {
        return vec![bytes];
    }
    let mut chunks = Vec::new();
    let mut rest = bytes;
    for size in sizes.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (chunk, behind) = rest.split_at((*size).min(rest.len()));
        chunks.push(chunk);
        rest = behind;
    }
    chunks
}

/// Takes `N` bytes off the beginning of `data`; zeros stand for what is not there.
#[must_use]
pub fn take<const N: usize>(data: &mut &[u8]) -> [u8; N] {
    let (taken, rest) = data.split_at(N.min(data.len()));
    *data = rest;
    std::array::from_fn(|at| taken.get(at).copied().unwrap_or_default())
}

//! The limits of an opening handshake, out of the first bytes of an input.

use ws13::HandshakeLimits;

/// Small ones, where an input of a few bytes can reach them, or the default.
#[must_use]
pub fn handshake(bytes: [u8; 5]) -> HandshakeLimits {
    let default = HandshakeLimits::DEFAULT;
    let [head, fields, interim, body, early] = bytes.map(usize::from);
    let or =
        |byte: usize, unit: usize, default: usize| if byte == 0 { default } else { byte * unit };
    HandshakeLimits {
        head: or(head, 4, default.head),
        fields: or(fields, 1, default.fields),
        interim_responses: or(interim, 1, default.interim_responses),
        rejection_body: or(body, 1, 1024 * 1024) as u64,
        early_data: or(early, 1, default.early_data),
    }
}

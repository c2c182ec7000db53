//! Sec-WebSocket-Key and Sec-WebSocket-Accept, RFC 6455 §4.1, §4.2.2 and §11.3.

use base64::Engine as _;
use base64::alphabet::STANDARD as ALPHABET;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use sha1::{Digest as _, Sha1};

/// §1.3: the value that only an endpoint which understands WebSocket appends to the key.
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The RFC's own example key has bits in its padding (erratum 3150), so they are not looked at.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &ALPHABET,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// The key for a nonce of 16 random bytes.
pub(super) fn encode(nonce: [u8; 16]) -> String {
    STANDARD.encode(nonce)
}

/// §4.2.1: "a base64-encoded value that, when decoded, is 16 bytes in length".
pub(super) fn is_valid(key: &[u8]) -> bool {
    key.len() == 24 && LENIENT.decode(key).is_ok_and(|nonce| nonce.len() == 16)
}

/// The value of Sec-WebSocket-Accept that answers `key`, §4.2.2.
#[must_use]
pub fn accept_token(key: &[u8]) -> String {
    STANDARD.encode(Sha1::new().chain_update(key).chain_update(GUID).finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_of_the_rfc_s_example_is_right() {
        assert_eq!(accept_token(b"dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn keys_are_sixteen_bytes_in_base64() {
        assert!(is_valid(b"dGhlIHNhbXBsZSBub25jZQ=="));
        assert!(is_valid(b"AQIDBAUGBwgJCgsMDQ4PEC=="), "bits in the padding are not looked at");
        let bad: [&[u8]; 6] = [
            b"",
            b"aGVsbG8=",
            b"dGhlIHNhbXBsZSBub25jZQ",
            b"!!!!!!!!!!!!!!!!!!!!!!!!",
            b"-_-_-_-_-_-_-_-_-_-_-w==",
            b"AQIDBAUGBwgJCgsMDQ4PEBE=",
        ];
        for key in bad {
            assert!(!is_valid(key), "{}", key.escape_ascii());
        }
    }
}

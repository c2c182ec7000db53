//! The protocol once more, straight from the RFCs: short, slow and without any part of the crate under
//! test but its names.

pub mod extensions;
pub mod frame;
pub mod head;
pub mod inflate;
pub mod lifecycle;
pub mod receiver;

/// Whether a close code may stand in a Close frame, RFC 6455 §7.4 and the registry of IANA.
#[must_use]
pub fn is_close_code(code: u16) -> bool {
    const DEFINED: [u16; 12] =
        [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014];
    DEFINED.contains(&code) || (3000..5000).contains(&code)
}

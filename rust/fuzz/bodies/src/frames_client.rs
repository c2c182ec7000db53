//! The bytes of a server reach a client.

/// See the README.
pub fn run(data: &[u8]) {
    crate::frames::run(data, ws13::Role::Client);
}

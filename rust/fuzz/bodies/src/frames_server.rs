//! The bytes of a client reach a server.

/// See the README.
pub fn run(data: &[u8]) {
    crate::frames::run(data, ws13::Role::Server);
}

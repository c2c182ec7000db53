//! Sec-WebSocket-Protocol, RFC 6455 §4.1, §4.2.2 and §11.3.4.

use std::collections::HashSet;

use super::MAX_LIST;
use super::fields::{elements, is_token};
use crate::error::{HandshakeError, Misuse};

/// The subprotocols that the values of all such fields offer: distinct tokens, §4.1 (10). Those behind the
/// first [`MAX_LIST`] are tokens, and nothing else is asked of them.
pub(super) fn read<'v>(
    values: impl Iterator<Item = &'v [u8]>,
) -> Result<Vec<String>, HandshakeError> {
    let mut offered = Vec::new();
    for element in values.flat_map(elements) {
        let name = str::from_utf8(element).map_err(|_| HandshakeError::MalformedSubprotocol)?;
        if !is_token(element) {
            return Err(HandshakeError::MalformedSubprotocol);
        }
        if offered.len() < MAX_LIST {
            offered.push(name.to_owned());
        }
    }
    let mut sorted: Vec<&String> = offered.iter().collect();
    sorted.sort_unstable();
    match sorted.iter().zip(sorted.iter().skip(1)).any(|(one, next)| one == next) {
        true => Err(HandshakeError::MalformedSubprotocol),
        false => Ok(offered),
    }
}

/// Checks what a client wants to offer.
pub(super) fn check(names: &[String]) -> Result<(), Misuse> {
    let mut seen = HashSet::new();
    match names.iter().find(|name| !is_token(name.as_bytes()) || !seen.insert(name.as_str())) {
        Some(name) => Err(Misuse::Subprotocol(name.clone())),
        None => Ok(()),
    }
}

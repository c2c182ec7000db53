//! Sec-WebSocket-Protocol, RFC 6455 §4.1, §4.2.2 and §11.3.4.

use super::fields::{elements, is_token};
use crate::error::{HandshakeError, Misuse};

/// Adds the subprotocols of one field to `offered`: distinct tokens, §4.1 (10).
pub(super) fn read(value: &[u8], offered: &mut Vec<String>) -> Result<(), HandshakeError> {
    for element in elements(value) {
        let name = str::from_utf8(element).map_err(|_| HandshakeError::MalformedSubprotocol)?;
        if !is_token(element) || offered.iter().any(|other| other == name) {
            return Err(HandshakeError::MalformedSubprotocol);
        }
        offered.push(name.to_owned());
    }
    Ok(())
}

/// Checks what a client wants to offer.
pub(super) fn check(names: &[String]) -> Result<(), Misuse> {
    let mut rest = names;
    while let [name, behind @ ..] = rest {
        if !is_token(name.as_bytes()) || behind.contains(name) {
            return Err(Misuse::Subprotocol(name.clone()));
        }
        rest = behind;
    }
    Ok(())
}

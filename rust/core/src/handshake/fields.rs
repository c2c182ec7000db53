//! Tokens, lists and field values, RFC 9110 §5.5 and §5.6.

use super::Field;
use crate::error::Misuse;

/// RFC 9110 §5.6.2: `tchar`.
pub(super) const fn is_tchar(byte: u8) -> bool {
    matches!(byte, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'^'..=b'`' | b'|' | b'~')
        || byte.is_ascii_alphanumeric()
}

/// RFC 9110 §5.6.2.
pub(super) fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|byte| is_tchar(*byte))
}

/// RFC 9110 §5.5: visible ASCII, obs-text, and SP or HTAB between them.
pub(super) fn is_value(value: &[u8]) -> bool {
    value.iter().all(|byte| matches!(byte, b'\t' | b' '..=b'~' | 0x80..))
}

/// Without the optional white space around it, RFC 9110 §5.6.3.
pub(super) fn trim(value: &[u8]) -> &[u8] {
    let mut value = value;
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

/// The elements of a list without quoted strings, RFC 9110 §5.6.1; empty ones do not count.
pub(super) fn elements(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b',').map(trim).filter(|element| !element.is_empty())
}

/// Whether one of the list's elements is `token`, in any case.
pub(super) fn has_token(value: &[u8], token: &str) -> bool {
    elements(value).any(|element| element.eq_ignore_ascii_case(token.as_bytes()))
}

/// Whether the values of Connection name the option `Upgrade`, and nothing that is no option at all,
/// RFC 9110 §7.6.1.
pub(super) fn asks_to_upgrade<'v>(values: impl Iterator<Item = &'v [u8]>) -> bool {
    let mut found = false;
    for option in values.flat_map(elements) {
        if !is_token(option) {
            return false;
        }
        found |= option.eq_ignore_ascii_case(b"upgrade");
    }
    found
}

/// Fields that no caller adds to a handshake by hand: they would contradict what it says itself, or
/// give it a body.
const RESERVED: [&str; 9] = [
    "host",
    "upgrade",
    "sec-websocket-key",
    "sec-websocket-version",
    "sec-websocket-accept",
    "sec-websocket-protocol",
    "sec-websocket-extensions",
    "content-length",
    "transfer-encoding",
];

/// Checks that `fields` can be sent as they are; see [`RESERVED`].
pub(super) fn check_extra(fields: &[Field]) -> Result<(), Misuse> {
    check(fields)?;
    let reserved = fields
        .iter()
        .find(|field| RESERVED.iter().any(|name| field.name.eq_ignore_ascii_case(name.as_bytes())));
    reserved.map_or(Ok(()), |field| Err(Misuse::FieldReserved(field.name.clone())))
}

/// Checks names and values, so that no field can bring another one with it.
pub(super) fn check(fields: &[Field]) -> Result<(), Misuse> {
    fields.iter().try_for_each(|field| {
        if !is_token(&field.name) {
            return Err(Misuse::FieldName(field.name.clone()));
        }
        if !is_value(&field.value) {
            return Err(Misuse::FieldValue(field.name.clone()));
        }
        Ok(())
    })
}

/// Writes `name: value` and the end of the line.
pub(super) fn write(head: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    for part in [name, b": ", value, b"\r\n"] {
        head.extend_from_slice(part);
    }
}

/// Writes `fields`, each on its line.
pub(super) fn write_all(head: &mut Vec<u8>, fields: &[Field]) {
    for field in fields {
        write(head, &field.name, &field.value);
    }
}

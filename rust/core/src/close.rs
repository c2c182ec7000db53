//! Close codes and the body of Close frames, RFC 6455 §5.5.1 and §7.4.

use crate::error::{Misuse, Violation};
use crate::header::MAX_CONTROL_PAYLOAD;
use crate::utf8;

/// A close code, RFC 6455 §7.4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CloseCode(pub u16);

impl CloseCode {
    /// The purpose of the connection is fulfilled.
    pub const NORMAL_CLOSURE: Self = Self(1000);
    /// The peer broke the protocol.
    pub const PROTOCOL_ERROR: Self = Self(1002);
    /// Never on the wire: the Close frame carried no code.
    pub const NO_STATUS_RCVD: Self = Self(1005);
    /// Never on the wire: the TCP connection ended without a Close frame.
    pub const ABNORMAL_CLOSURE: Self = Self(1006);
    /// A payload did not fit the kind of its message, such as text that is not UTF-8.
    pub const INVALID_FRAME_PAYLOAD_DATA: Self = Self(1007);
    /// A message was too big.
    pub const MESSAGE_TOO_BIG: Self = Self(1009);
    /// The endpoint met a condition that it did not expect.
    pub const INTERNAL_ERROR: Self = Self(1011);
    /// Never on the wire: the TLS handshake failed.
    pub const TLS_HANDSHAKE_FAILED: Self = Self(1015);

    /// What RFC 6455 §7.4 and the registry it opens (§11.7) say about the code.
    #[must_use]
    pub const fn class(self) -> CloseCodeClass {
        match self.0 {
            1005 | 1006 | 1015 => CloseCodeClass::LocalOnly,
            // 1012-1014 are registered with IANA, 1004 is reserved.
            1000..=1003 | 1007..=1014 | 3000..=4999 => CloseCodeClass::Usable,
            1004 | 1016..=2999 => CloseCodeClass::Reserved,
            _ => CloseCodeClass::OutOfRange,
        }
    }
}

/// How a close code may be used, RFC 6455 §7.4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseCodeClass {
    /// May stand in a Close frame.
    Usable,
    /// MUST NOT be set in a Close frame (1005, 1006, 1015), RFC 6455 §7.4.1.
    LocalOnly,
    /// Reserved for the protocol and not defined (1004, 1016-2999), RFC 6455 §7.4.2.
    Reserved,
    /// Not a close code (0-999, from 5000 on), RFC 6455 §7.4.2.
    OutOfRange,
}

/// Reads the body of a Close frame into its code and reason. A body without a code is 1005,
/// RFC 6455 §7.1.5.
pub(crate) fn parse(body: &[u8]) -> Result<(CloseCode, &str), Violation> {
    let Some((code, reason)) = body.split_first_chunk::<2>() else {
        return match body {
            [] => Ok((CloseCode::NO_STATUS_RCVD, "")),
            // §5.5.1: "If there is a body, the first two bytes of the body MUST be a 2-byte
            // unsigned integer".
            _ => Err(Violation::CloseBodyOfOneByte),
        };
    };
    let code = CloseCode(u16::from_be_bytes(*code));
    match code.class() {
        CloseCodeClass::Usable => {}
        CloseCodeClass::LocalOnly => return Err(Violation::CloseCodeLocalOnly(code)),
        CloseCodeClass::Reserved => return Err(Violation::CloseCodeReserved(code)),
        CloseCodeClass::OutOfRange => return Err(Violation::CloseCodeOutOfRange(code)),
    }
    // §5.5.1: the reason is UTF-8; §8.1 says what happens when it is not.
    let reason = utf8::decode(reason).map_err(Violation::CloseReasonNotUtf8)?;
    Ok((code, reason))
}

/// The body of a Close frame, at most 125 bytes long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CloseBody {
    bytes: [u8; MAX_CONTROL_PAYLOAD],
    length: usize,
}

impl CloseBody {
    /// A body with neither code nor reason.
    pub const EMPTY: Self = Self { bytes: [0; MAX_CONTROL_PAYLOAD], length: 0 };

    /// The body for `code` and `reason`.
    ///
    /// // Choice: codes that must not be sent (1006, 1015) go out as 1000 and 1005 as an empty body,
    /// so that a close event that was received can be answered with itself. A reason longer than
    /// 123 bytes is cut at a code point.
    ///
    /// # Errors
    /// [`Misuse::CloseCode`] for reserved codes and numbers that are no close codes, RFC 6455 §7.4.
    pub fn new(code: CloseCode, reason: &str) -> Result<Self, Misuse> {
        let code = match (code.class(), code) {
            (_, CloseCode::NO_STATUS_RCVD) if reason.is_empty() => return Ok(Self::EMPTY),
            (_, CloseCode::NO_STATUS_RCVD) => return Err(Misuse::CloseReasonWithoutCode),
            (CloseCodeClass::LocalOnly, _) => CloseCode::NORMAL_CLOSURE,
            (CloseCodeClass::Usable, _) => code,
            (CloseCodeClass::Reserved | CloseCodeClass::OutOfRange, _) => {
                return Err(Misuse::CloseCode(u64::from(code.0)));
            }
        };
        let mut body = Self::EMPTY;
        let reason = reason.as_bytes();
        let room = MAX_CONTROL_PAYLOAD.saturating_sub(2);
        let cut = utf8::floor_boundary(reason, room);
        let text = code.0.to_be_bytes().into_iter().chain(reason.iter().copied().take(cut));
        for (slot, byte) in body.bytes.iter_mut().zip(text) {
            *slot = byte;
            body.length = body.length.saturating_add(1);
        }
        Ok(body)
    }

    /// The bytes of the body.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_sent_exactly_when_it_may_be_received() {
        for code in 0..=u16::MAX {
            let code = CloseCode(code);
            let received = parse(&code.0.to_be_bytes()).is_ok();
            let sent =
                CloseBody::new(code, "").is_ok_and(|body| body.as_bytes() == code.0.to_be_bytes());
            assert_eq!(received, sent, "{code:?}");
            assert_eq!(received, code.class() == CloseCodeClass::Usable, "{code:?}");
        }
    }

    #[test]
    fn a_long_reason_is_cut_between_code_points() {
        for (reason, kept) in [
            ("€".repeat(42), 41 * 3),
            ("x".repeat(124), 123),
            ("a".to_owned() + &"😀".repeat(40), 121),
        ] {
            let body =
                CloseBody::new(CloseCode::NORMAL_CLOSURE, &reason).expect("1000 may be sent");
            assert_eq!(&body.as_bytes()[2..], &reason.as_bytes()[..kept]);
        }
    }

    #[test]
    fn local_only_codes_never_reach_the_wire() {
        for (code, want) in [(1005, [].as_slice()), (1006, &[3, 232]), (1015, &[3, 232])] {
            let body = CloseBody::new(CloseCode(code), "").expect("it has a substitute");
            assert_eq!(body.as_bytes(), want);
        }
    }
}

//! What a frame of the peer can break.

use core::fmt;

use crate::close::CloseCode;
use crate::opcode::DataKind;
use crate::utf8::Utf8Fault;

/// A rule of RFC 6455 or of an extension that a frame of the peer broke. The connection fails,
/// RFC 6455 §7.1.7.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Violation {
    /// An opcode that nobody defined.
    ReservedOpcode(u8),
    /// A control frame without FIN.
    FragmentedControlFrame,
    /// A control frame of more than 125 bytes.
    ControlFrameTooLong,
    /// A length below 126 in the 16-bit form.
    LengthNotMinimal16(u16),
    /// A length below 65536 in the 64-bit form.
    LengthNotMinimal64(u64),
    /// A 64-bit length with the most significant bit set.
    LengthOutOfRange(u64),
    /// A reserved bit that no extension in use gives a meaning to: the RSV bits of the frame.
    ReservedBits(u8),
    /// A server masked a frame.
    MaskedByServer,
    /// A client did not mask a frame.
    UnmaskedByClient,
    /// A continuation without a message to continue.
    UnexpectedContinuation,
    /// A new message before the end of the last one.
    ExpectedContinuation(DataKind),
    /// A text message that is not UTF-8.
    TextNotUtf8(Utf8Fault),
    /// A Close body of a single byte.
    CloseBodyOfOneByte,
    /// A close code below 1000 or above 4999.
    CloseCodeOutOfRange(CloseCode),
    /// A close code that must not be sent.
    CloseCodeLocalOnly(CloseCode),
    /// A close code that nobody defined.
    CloseCodeReserved(CloseCode),
    /// A close reason that is not UTF-8.
    CloseReasonNotUtf8(Utf8Fault),
    /// A payload longer than the limit for a frame, in bytes.
    FrameTooBig(u64),
    /// A message longer than the limit, in bytes.
    MessageTooBig(u64),
    /// A message that is longer than the limit when it is inflated, in bytes.
    InflatedTooBig(u64),
    /// A message of more frames than the limit.
    TooManyFragments(u64),
    /// A compressed payload that is not DEFLATE.
    DeflateInvalid,
    /// A compressed payload that refers to data before the window.
    DeflateDistance,
    /// A compressed message that stops inside a block.
    DeflateTruncated,
    /// Behind a block with BFINAL stands something that is not DEFLATE.
    DeflateBehindFinal,
    /// An extension refused the frame, with this close code.
    Extension(CloseCode),
}

impl Violation {
    /// The close code to fail the connection with, and the RFC and section that was broken.
    const fn rule(&self) -> (CloseCode, &'static str) {
        match self {
            Self::ReservedOpcode(_)
            | Self::LengthNotMinimal16(_)
            | Self::LengthNotMinimal64(_)
            | Self::LengthOutOfRange(_)
            | Self::ReservedBits(_) => (CloseCode::PROTOCOL_ERROR, "RFC 6455 5.2"),
            Self::MaskedByServer | Self::UnmaskedByClient => {
                (CloseCode::PROTOCOL_ERROR, "RFC 6455 5.1")
            }
            Self::UnexpectedContinuation | Self::ExpectedContinuation(_) => {
                (CloseCode::PROTOCOL_ERROR, "RFC 6455 5.4")
            }
            Self::FragmentedControlFrame | Self::ControlFrameTooLong => {
                (CloseCode::PROTOCOL_ERROR, "RFC 6455 5.5")
            }
            Self::CloseBodyOfOneByte => (CloseCode::PROTOCOL_ERROR, "RFC 6455 5.5.1"),
            Self::CloseCodeOutOfRange(_)
            | Self::CloseCodeLocalOnly(_)
            | Self::CloseCodeReserved(_) => (CloseCode::PROTOCOL_ERROR, "RFC 6455 7.4"),
            Self::TextNotUtf8(_) | Self::CloseReasonNotUtf8(_) => {
                (CloseCode::INVALID_FRAME_PAYLOAD_DATA, "RFC 6455 8.1")
            }
            Self::FrameTooBig(_)
            | Self::MessageTooBig(_)
            | Self::InflatedTooBig(_)
            | Self::TooManyFragments(_) => (CloseCode::MESSAGE_TOO_BIG, "RFC 6455 10.4"),
            Self::DeflateInvalid | Self::DeflateTruncated => {
                (CloseCode::INVALID_FRAME_PAYLOAD_DATA, "RFC 7692 7.2.2")
            }
            Self::DeflateDistance => (CloseCode::INVALID_FRAME_PAYLOAD_DATA, "RFC 7692 7.1.2"),
            Self::DeflateBehindFinal => (CloseCode::INVALID_FRAME_PAYLOAD_DATA, "RFC 7692 7.2.3.4"),
            Self::Extension(code) => (*code, "RFC 6455 9"),
        }
    }

    /// The close code that says what happened, RFC 6455 §7.4.1.
    #[must_use]
    pub const fn close_code(&self) -> CloseCode {
        self.rule().0
    }

    /// The RFC and section that was broken.
    #[must_use]
    pub const fn section(&self) -> &'static str {
        self.rule().1
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let section = self.section();
        match self {
            Self::ReservedOpcode(bits) => write!(f, "Invalid opcode {bits:#x}"),
            Self::FragmentedControlFrame => {
                f.write_str("Invalid attempt to fragment control frame")
            }
            Self::ControlFrameTooLong => f.write_str("Control frame with payload len > 125"),
            Self::LengthNotMinimal16(_) => {
                f.write_str("Payload length used 2 bytes when 1 would have sufficed")
            }
            Self::LengthNotMinimal64(_) => {
                f.write_str("Payload length used 8 bytes when 2 would have sufficed")
            }
            Self::LengthOutOfRange(_) => f.write_str("8-byte payload length with non-zero MSB"),
            Self::ReservedBits(_) => f.write_str("Reserved bit set unexpectedly"),
            Self::MaskedByServer => f.write_str("client received unexpected masked frame"),
            Self::UnmaskedByClient => f.write_str("server received unexpected unmasked frame"),
            Self::UnexpectedContinuation => f.write_str("unexpected CONTINUATION"),
            Self::ExpectedContinuation(DataKind::Text) => {
                f.write_str("expected CONTINUATION, got <Opcode.TEXT: 1>")
            }
            Self::ExpectedContinuation(DataKind::Binary) => {
                f.write_str("expected CONTINUATION, got <Opcode.BINARY: 2>")
            }
            Self::TextNotUtf8(fault) => fault.fmt(f),
            Self::CloseBodyOfOneByte => f.write_str("CLOSE with 1 byte payload"),
            Self::CloseCodeOutOfRange(_) => f.write_str("CLOSE with invalid code"),
            Self::CloseCodeLocalOnly(_) => f.write_str("remote CLOSE with local-only reason"),
            Self::CloseCodeReserved(_) => f.write_str("CLOSE with unknown reserved code"),
            Self::CloseReasonNotUtf8(fault) => write!(f, "Error decoding CLOSE reason: {fault}"),
            Self::FrameTooBig(limit) => write!(f, "frame of more than {limit} bytes ({section})"),
            Self::MessageTooBig(limit) => {
                write!(f, "message of more than {limit} bytes ({section})")
            }
            Self::InflatedTooBig(limit) => {
                write!(f, "message of more than {limit} bytes when inflated ({section})")
            }
            Self::TooManyFragments(limit) => {
                write!(f, "message of more than {limit} frames ({section})")
            }
            Self::DeflateInvalid => write!(f, "invalid DEFLATE block ({section})"),
            Self::DeflateDistance => write!(f, "DEFLATE distance beyond the window ({section})"),
            Self::DeflateTruncated => write!(f, "DEFLATE data ends inside a block ({section})"),
            Self::DeflateBehindFinal => {
                write!(f, "garbage behind a final DEFLATE block ({section})")
            }
            Self::Extension(_) => f.write_str("error in extension"),
        }
    }
}

impl core::error::Error for Violation {}

//! Opcodes of frames, RFC 6455 §5.2 and §11.8.

/// What a frame is, RFC 6455 §5.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Opcode {
    /// A continuation of the message that is being received.
    Continuation = 0x0,
    /// A text message, or its first frame.
    Text = 0x1,
    /// A binary message, or its first frame.
    Binary = 0x2,
    /// A Close control frame.
    Close = 0x8,
    /// A Ping control frame.
    Ping = 0x9,
    /// A Pong control frame.
    Pong = 0xA,
}

impl Opcode {
    /// The opcode with these four bits; `None` for the reserved ones (0x3-0x7, 0xB-0xF).
    #[must_use]
    pub const fn from_bits(bits: u8) -> Option<Self> {
        match bits {
            0x0 => Some(Self::Continuation),
            0x1 => Some(Self::Text),
            0x2 => Some(Self::Binary),
            0x8 => Some(Self::Close),
            0x9 => Some(Self::Ping),
            0xA => Some(Self::Pong),
            _ => None,
        }
    }

    /// The four bits as they stand in the frame.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self as u8
    }

    /// Control frames have the high bit of the opcode set, RFC 6455 §5.5.
    #[must_use]
    pub const fn is_control(self) -> bool {
        self.bits() & 0x8 != 0
    }
}

/// What a message carries: the opcode of its first frame, RFC 6455 §5.6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DataKind {
    /// UTF-8 text.
    Text,
    /// Arbitrary bytes.
    Binary,
}

impl DataKind {
    /// The opcode of a message's first frame.
    #[must_use]
    pub const fn opcode(self) -> Opcode {
        match self {
            Self::Text => Opcode::Text,
            Self::Binary => Opcode::Binary,
        }
    }
}

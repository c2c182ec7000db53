//! Frames written and read naively: no part of the library takes part.

use ws13::Role;

/// The masking key of frames that tests write themselves.
pub const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// A frame as it stands on the wire, unmasked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    pub fin: bool,
    pub rsv: u8,
    pub opcode: u8,
    pub masked: bool,
    pub payload: Vec<u8>,
}

impl Frame {
    /// A final frame without reserved bits, as an end of this role sends it.
    pub fn sent_by(role: Role, opcode: u8, payload: &[u8]) -> Self {
        let masked = role == Role::Client;
        Self { fin: true, rsv: 0, opcode, masked, payload: payload.to_vec() }
    }

    pub fn unfinished(self) -> Self {
        Self { fin: false, ..self }
    }

    pub fn with_rsv(self, rsv: u8) -> Self {
        Self { rsv, ..self }
    }

    /// The frame as bytes, RFC 6455 §5.2.
    pub fn encode(&self) -> Vec<u8> {
        let bit = u8::from(self.masked) << 7;
        let mut out = vec![u8::from(self.fin) << 7 | self.rsv << 4 | self.opcode];
        match self.payload.len() {
            length @ 0..=125 => out.push(bit | u8::try_from(length).unwrap()),
            length @ 126..=0xFFFF => {
                out.push(bit | 126);
                out.extend(u16::try_from(length).unwrap().to_be_bytes());
            }
            length => {
                out.push(bit | 127);
                out.extend((length as u64).to_be_bytes());
            }
        }
        if self.masked {
            out.extend(KEY);
            out.extend(masked(&self.payload, KEY));
        } else {
            out.extend(&self.payload);
        }
        out
    }
}

/// RFC 6455 §5.3.
pub fn masked(payload: &[u8], key: [u8; 4]) -> Vec<u8> {
    payload.iter().enumerate().map(|(i, byte)| byte ^ key[i % 4]).collect()
}

/// The frames of a stream that ends with a whole frame.
pub fn decode(stream: &[u8]) -> Vec<Frame> {
    let mut frames = Vec::new();
    let mut rest = stream;
    while let [first, second, behind @ ..] = rest {
        let (length, behind) = match second & 0x7F {
            126 => (usize::from(u16::from_be_bytes([behind[0], behind[1]])), &behind[2..]),
            127 => {
                let length = u64::from_be_bytes(behind[..8].try_into().unwrap());
                (usize::try_from(length).unwrap(), &behind[8..])
            }
            length => (usize::from(length), behind),
        };
        let is_masked = second & 0x80 != 0;
        let (key, behind) = match is_masked {
            true => (behind[..4].try_into().unwrap(), &behind[4..]),
            false => ([0; 4], behind),
        };
        frames.push(Frame {
            fin: first & 0x80 != 0,
            rsv: first >> 4 & 7,
            opcode: first & 0x0F,
            masked: is_masked,
            payload: masked(&behind[..length], key),
        });
        rest = &behind[length..];
    }
    assert!(rest.is_empty(), "the stream ends inside a frame");
    frames
}

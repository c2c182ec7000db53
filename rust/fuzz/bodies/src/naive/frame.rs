//! Frames, RFC 6455 §5.2 and §5.3.

/// A frame as it stands on the wire, its payload unmasked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The first bit.
    pub fin: bool,
    /// The three reserved bits, as a number.
    pub rsv: u8,
    /// The opcode.
    pub opcode: u8,
    /// The masking key, if it is masked.
    pub key: Option<[u8; 4]>,
    /// The payload.
    pub payload: Vec<u8>,
}

/// Byte i of the payload is combined with byte i modulo 4 of the key, §5.3.
#[must_use]
pub fn masked(payload: &[u8], key: [u8; 4]) -> Vec<u8> {
    (0..payload.len()).map(|i| payload[i] ^ key[i % 4]).collect()
}

impl Frame {
    /// The frame as bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let bit = u8::from(self.key.is_some()) << 7;
        let mut out = vec![u8::from(self.fin) << 7 | self.rsv << 4 | self.opcode];
        let length = self.payload.len() as u64;
        let bytes = length.to_be_bytes();
        match length {
            ..=125 => out.push(bit | bytes[7]),
            126..=0xFFFF => out.extend([&[bit | 126], &bytes[6..]].concat()),
            _ => out.extend([&[bit | 127], &bytes[..]].concat()),
        }
        out.extend(self.key.iter().flatten());
        out.extend(masked(&self.payload, self.key.unwrap_or_default()));
        out
    }

    /// Takes a frame off the beginning of `wire`; `None` if it is not complete.
    #[must_use]
    pub fn take(wire: &mut &[u8]) -> Option<Self> {
        let mut rest = *wire;
        let [first, second] = bytes(&mut rest)?;
        let length = match second & 0x7F {
            126 => u64::from(u16::from_be_bytes(bytes(&mut rest)?)),
            127 => u64::from_be_bytes(bytes(&mut rest)?),
            length => u64::from(length),
        };
        let key = if second & 0x80 == 0 { None } else { Some(bytes(&mut rest)?) };
        let payload = rest.get(..usize::try_from(length).ok()?)?;
        *wire = &rest[payload.len()..];
        Some(Self {
            fin: first & 0x80 != 0,
            rsv: first >> 4 & 7,
            opcode: first & 15,
            key,
            payload: masked(payload, key.unwrap_or_default()),
        })
    }
}

/// Takes so many bytes, if they are there.
pub fn bytes<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, behind) = rest.split_first_chunk::<N>()?;
    *rest = behind;
    Some(*taken)
}

/// The stream of a server as a client would have sent it: each whole frame masked, with other keys. What
/// stands behind the last whole frame stays as it is.
#[must_use]
pub fn all_masked(plain: &[u8]) -> Vec<u8> {
    let (mut rest, mut out) = (plain, Vec::new());
    let mut key: u32 = 0x37FA_213D;
    loop {
        let before = rest;
        let Some(mut frame) = Frame::take(&mut rest) else { break };
        let header = before.len() - rest.len() - frame.payload.len();
        key = key.wrapping_mul(0x9E37_79B1).wrapping_add(1);
        if frame.key.is_none() {
            // The header as it is, which may not be minimal, but for the bit of the mask.
            out.extend([&before[..1], &[before[1] | 0x80], &before[2..header]].concat());
            out.extend(key.to_be_bytes());
            out.extend(masked(&frame.payload, key.to_be_bytes()));
        } else {
            frame.key = Some(key.to_be_bytes());
            out.extend(frame.encode());
        }
    }
    out.extend(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_rfc_6455_are_read_and_written() {
        let masked: &[u8] = &[0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
        let mut rest = masked;
        let hello = Frame::take(&mut rest).expect("it is whole");
        assert_eq!(
            (hello.opcode, hello.payload.as_slice(), rest),
            (1, b"Hello".as_slice(), &[][..])
        );
        assert_eq!(hello.encode(), masked);
        let long = Frame { key: None, payload: vec![7; 65536], ..hello };
        assert_eq!(long.encode()[..10], [0x81, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0]);
        assert_eq!(
            Frame::take(&mut &all_masked(&long.encode())[..]).expect("whole").payload,
            long.payload
        );
    }
}

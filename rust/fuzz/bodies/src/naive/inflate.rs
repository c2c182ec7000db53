//! DEFLATE, RFC 1951, a bit at a time, and how RFC 7692 §7.2.2 makes messages of it.

/// The payload is not DEFLATE, or stops inside a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault;

/// What stands in the way of the next step.
enum Stop {
    /// Bits that have not come.
    Bits,
    Fault,
}

/// A Huffman code: the lengths of the codes, §3.2.2.
#[derive(Debug, Clone)]
struct Code {
    /// How many codes have each length.
    count: [u16; 16],
    /// Symbols in the order of their codes.
    symbols: Vec<u16>,
}

/// Where in the stream we are.
#[derive(Debug, Clone)]
enum Block {
    Header,
    Stored(u16),
    Codes(Code, Code),
}

/// Inflates one message.
#[derive(Debug, Clone)]
pub struct Message {
    bytes: Vec<u8>,
    /// The next bit to be read.
    at: usize,
    /// What may be referred to and what the message is, one behind the other.
    output: Vec<u8>,
    context: usize,
    block: Block,
    /// The block that is under way is the last one of its stream.
    last: bool,
    /// How far back a reference went beyond the beginning of the message, and at all.
    pub farthest: usize,
}

impl Message {
    /// A message that may refer to `context`.
    #[must_use]
    pub fn new(context: &[u8]) -> Self {
        Self {
            bytes: Vec::new(),
            at: 0,
            output: context.to_vec(),
            context: context.len(),
            block: Block::Header,
            last: false,
            farthest: 0,
        }
    }

    /// The payload goes on: inflates as much of it as its bits tell.
    ///
    /// # Errors
    /// At the first bit that shows it.
    pub fn push(&mut self, payload: &[u8]) -> Result<(), Fault> {
        self.bytes.extend_from_slice(payload);
        loop {
            let before = (self.at, self.output.len());
            match self.step() {
                Ok(()) => {}
                Err(Stop::Fault) => return Err(Fault),
                Err(Stop::Bits) => {
                    self.at = before.0;
                    self.output.truncate(before.1);
                    return Ok(());
                }
            }
        }
    }

    /// The payload has ended. §7.2.2: four octets are appended to it. They complete a block that has no
    /// content, unless the stream ended with a final block.
    ///
    /// # Errors
    /// The payload stops inside a block.
    pub fn finish(&mut self) -> Result<(), Fault> {
        if self.bytes.is_empty() || (self.last && self.stands_behind_a_block()) {
            return Ok(());
        }
        let length = self.output.len();
        self.push(&[0, 0, 0xFF, 0xFF])?;
        let whole = self.stands_behind_a_block() && self.output.len() == length;
        if whole { Ok(()) } else { Err(Fault) }
    }

    /// Whether all bits are read, and the last of them has ended a block.
    fn stands_behind_a_block(&self) -> bool {
        self.at == self.bytes.len() * 8 && matches!(self.block, Block::Header)
    }

    /// What has come out.
    #[must_use]
    pub fn inflated(&self) -> &[u8] {
        &self.output[self.context..]
    }

    /// What the next message may refer to, when no reference may lie farther back than `window`.
    #[must_use]
    pub fn window(&self, window: usize) -> &[u8] {
        &self.output[self.output.len().saturating_sub(window)..]
    }

    fn bits(&mut self, count: u32) -> Result<usize, Stop> {
        let mut value = 0;
        for place in 0..count {
            let byte = self.bytes.get(self.at / 8).ok_or(Stop::Bits)?;
            value |= usize::from(byte >> (self.at % 8) & 1) << place;
            self.at += 1;
        }
        Ok(value)
    }

    fn symbol(&mut self, code: &Code) -> Result<usize, Stop> {
        let longest = (1..16).rev().find(|length| code.count[*length] > 0).unwrap_or(1);
        let (mut value, mut first, mut index) = (0, 0, 0);
        for length in 1..=longest {
            value |= self.bits(1)?;
            let count = usize::from(code.count[length]);
            if value < first + count {
                return Ok(usize::from(code.symbols[index + value - first]));
            }
            index += count;
            first = (first + count) << 1;
            value <<= 1;
        }
        Err(Stop::Fault)
    }

    fn step(&mut self) -> Result<(), Stop> {
        match std::mem::replace(&mut self.block, Block::Header) {
            Block::Header => {
                if self.last {
                    // RFC 7692 §7.2.3.4: behind a final block stands another stream, in the next octet.
                    if self.at >= self.bytes.len() * 8 {
                        return Err(Stop::Bits);
                    }
                    self.last = false;
                }
                let last = self.bits(1)? == 1;
                self.block = self.header()?;
                self.last = last;
                if matches!(self.block, Block::Stored(0)) {
                    self.end_block();
                }
            }
            Block::Stored(left) => {
                self.block = Block::Stored(left);
                let byte = self.bits(8)?;
                self.output.push(u8::try_from(byte).expect("eight bits"));
                self.block = Block::Stored(left - 1);
                if left == 1 {
                    self.end_block();
                }
            }
            Block::Codes(literals, distances) => {
                let result = self.coded(&literals, &distances);
                self.block = Block::Codes(literals, distances);
                if result? {
                    self.end_block();
                }
            }
        }
        Ok(())
    }

    fn end_block(&mut self) {
        self.block = Block::Header;
        if self.last {
            self.at = self.at.next_multiple_of(8);
        }
    }

    /// §3.2.3, behind the first bit.
    fn header(&mut self) -> Result<Block, Stop> {
        match self.bits(2)? {
            0 => {
                self.at = self.at.next_multiple_of(8);
                let (length, check) = (self.bits(16)?, self.bits(16)?);
                if length != check ^ 0xFFFF {
                    return Err(Stop::Fault);
                }
                Ok(Block::Stored(u16::try_from(length).expect("sixteen bits")))
            }
            1 => {
                let lengths: Vec<u8> = (0..288)
                    .map(|symbol| match symbol {
                        0..144 => 8,
                        144..256 => 9,
                        256..280 => 7,
                        _ => 8,
                    })
                    .collect();
                // §3.2.6: distance codes 30 and 31 "will never actually occur".
                Ok(Block::Codes(Code::of(&lengths), Code::of(&[5; 32])))
            }
            2 => self.dynamic(),
            _ => Err(Stop::Fault),
        }
    }

    /// §3.2.7.
    fn dynamic(&mut self) -> Result<Block, Stop> {
        const ORDER: [usize; 19] =
            [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
        let (literals, distances) = (self.bits(5)? + 257, self.bits(5)? + 1);
        let count = self.bits(4)? + 4;
        if literals > 286 || distances > 30 {
            return Err(Stop::Fault);
        }
        let mut lengths = [0; 19];
        for place in &ORDER[..count] {
            lengths[*place] = u8::try_from(self.bits(3)?).expect("three bits");
        }
        let code = if lengths == [0; 19] { Code::zeros() } else { Code::of(&lengths) };
        if code.left() != 0 && lengths != [0; 19] {
            return Err(Stop::Fault);
        }
        let mut lengths: Vec<u8> = Vec::new();
        while lengths.len() < literals + distances {
            let (length, times) = match self.symbol(&code)? {
                16 => {
                    let times = self.bits(2)? + 3;
                    (*lengths.last().ok_or(Stop::Fault)?, times)
                }
                17 => (0, self.bits(3)? + 3),
                18 => (0, self.bits(7)? + 11),
                length => (u8::try_from(length).expect("at most 15"), 1),
            };
            lengths.extend(vec![length; times]);
        }
        // Nothing ends the block where 256 has no code.
        if lengths.len() > literals + distances || lengths[256] == 0 {
            return Err(Stop::Fault);
        }
        let (literals, distances) = lengths.split_at(literals);
        let (literals, distances) = (Code::of(literals), Code::of(distances));
        match literals.is_usable() && distances.is_usable() {
            true => Ok(Block::Codes(literals, distances)),
            false => Err(Stop::Fault),
        }
    }

    /// §3.2.5: a literal, the end of the block, or a length and a distance; tells whether it was the end.
    fn coded(&mut self, literals: &Code, distances: &Code) -> Result<bool, Stop> {
        let symbol = self.symbol(literals)?;
        let length = match symbol {
            0..256 => {
                self.output.push(u8::try_from(symbol).expect("a byte"));
                return Ok(false);
            }
            256 => return Ok(true),
            257..265 => symbol - 254,
            265..285 => {
                let extra = u32::try_from((symbol - 261) / 4).expect("it is small");
                ((4 + (symbol - 261) % 4) << extra) + 3 + self.bits(extra)?
            }
            285 => 258,
            _ => return Err(Stop::Fault),
        };
        let distance = match self.symbol(distances)? {
            code @ 0..4 => code + 1,
            code @ 4..30 => {
                let extra = u32::try_from((code - 2) / 2).expect("it is small");
                ((2 + code % 2) << extra) + 1 + self.bits(extra)?
            }
            _ => return Err(Stop::Fault),
        };
        if distance > self.output.len() || distance > 32768 {
            return Err(Stop::Fault);
        }
        self.farthest = self.farthest.max(distance);
        for _ in 0..length {
            self.output.push(self.output[self.output.len() - distance]);
        }
        Ok(false)
    }
}

impl Code {
    fn of(lengths: &[u8]) -> Self {
        let mut count = [0; 16];
        let mut symbols = Vec::new();
        for (symbol, length) in (0..).zip(lengths).filter(|(_, length)| **length > 0) {
            count[usize::from(*length)] += 1;
            symbols.push((*length, symbol));
        }
        symbols.sort_unstable();
        let symbols = symbols.into_iter().map(|(_, symbol)| symbol).collect();
        Self { count, symbols }
    }

    /// What zlib makes of a code for code lengths in which nothing has a code: each bit is a length of 0,
    /// and in the end 256 has none. It is found out at the same bit so.
    fn zeros() -> Self {
        let mut count = [0; 16];
        count[1] = 2;
        Self { count, symbols: vec![0, 0] }
    }

    /// How many codes of 15 bits could still be given out; negative if there are too many.
    fn left(&self) -> i32 {
        let used: i32 = (1..16).map(|length| i32::from(self.count[length]) << (15 - length)).sum();
        (1 << 15) - used
    }

    /// §3.2.7: a single code of one bit may be incomplete, and there may be none at all.
    fn is_usable(&self) -> bool {
        let none = self.symbols.is_empty();
        self.left() == 0 || none || (self.symbols.len() == 1 && self.count[1] == 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use zlib_rs::{Deflate, DeflateFlush};

    #[test]
    fn what_zlib_deflates_comes_back_from_every_cut() {
        let text: Vec<u8> = (0..40_000_u32).map(|i| (i * i / 977 % 50) as u8 + b' ').collect();
        for (level, length) in [(0, 300), (1, 40_000), (6, 40_000), (9, 5), (6, 0)] {
            let mut deflate = Deflate::new(level, false, 15);
            let mut target = vec![0; 60_000];
            deflate.compress(&text[..length], &mut target, DeflateFlush::SyncFlush).expect("room");
            target.truncate(usize::try_from(deflate.total_out()).expect("room"));
            assert!(length == 0 || target.ends_with(&[0, 0, 0xFF, 0xFF]));
            target.truncate(target.len().saturating_sub(4));
            for step in [1, 7, 60_000] {
                let mut message = Message::new(b"before");
                target.chunks(step).for_each(|part| message.push(part).expect("DEFLATE"));
                assert_eq!(message.inflated(), &text[..length]);
                message.finish().expect("it is whole");
            }
        }
    }

    #[test]
    fn the_examples_of_rfc_7692_are_inflated() {
        for payload in [
            [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00].as_slice(),
            &[0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00],
            &[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00],
            &[0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00],
        ] {
            let mut message = Message::new(b"");
            message.push(payload).expect("DEFLATE");
            assert_eq!(message.inflated(), b"Hello");
            message.finish().expect("it is whole");
        }
        let mut message = Message::new(b"Hello");
        message.push(&[0xf2, 0x00, 0x11, 0x00, 0x00]).expect("DEFLATE");
        assert_eq!((message.inflated(), message.farthest), (b"Hello".as_slice(), 5));
    }

    #[test]
    fn what_is_cut_off_or_refers_too_far_back_is_a_fault() {
        let mut message = Message::new(b"Hel");
        assert_eq!(message.push(&[0xf2, 0x00, 0x11, 0x00, 0x00]), Err(Fault));
        let mut message = Message::new(b"");
        message.push(&[0xf2, 0x48, 0xcd]).expect("as far as it goes");
        assert_eq!(message.finish(), Err(Fault));
    }
}

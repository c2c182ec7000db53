//! RFC 7692 §7.2: inflating against a naive inflater, and deflating so that both get it back.

use std::sync::Arc;

use ws13::deflate::{Deflater, Direction, Inflated, Inflater, Level, Pool, Takeover};
use ws13::{Fin, Violation};
use ws13_ledger::Ledger;

use crate::cuts::{cut, sizes, take};
use crate::naive::inflate::Message;
use crate::setup::direction;

/// The window, a piece, and what finding a fault takes.
const FIXED: usize = 192 * 1024;
/// What a pool keeps of each message, a state and its memory, up to so many.
const STATE: usize = 80 * 1024;
const STATES: usize = 16;
/// A piece of output is not longer.
const PIECES: [usize; 8] = [65536, 1, 2, 7, 64, 300, 4096, 32768];
/// Where a few bytes have become so many it is enough: more than a window, and than the longest piece.
const ENOUGH: usize = 70_000;
/// And so many pieces.
const ENOUGH_PIECES: usize = 2_000;

/// See the README.
pub fn run(data: &[u8]) {
    let mut rest = data;
    let [flags, agreed, piece, one, two] = take(&mut rest);
    let direction = direction(agreed);
    let piece = PIECES[usize::from(piece % 8)];
    let parts = messages(rest);
    let pool = Arc::default();
    if flags & 1 == 0 {
        for cuts in [[0, 0], [one, two], [1, 1]] {
            inflated_as_naively(&parts, direction, piece, &sizes(cuts), &pool);
        }
    } else {
        let level = Level::new(1 + (flags >> 1) % 9).expect("1 to 9");
        round_trip(&parts, direction, level, &sizes([one, two]), &pool);
    }
}

/// Messages behind one another, each with its length in two bytes before it.
fn messages(mut data: &[u8]) -> Vec<&[u8]> {
    let mut messages = Vec::new();
    while !data.is_empty() {
        let length = usize::from(u16::from_be_bytes(take(&mut data)));
        let (message, rest) = data.split_at(length.min(data.len()));
        messages.push(message);
        data = rest;
    }
    messages
}

/// All messages have the same fate as with the naive inflater.
fn inflated_as_naively(
    messages: &[&[u8]],
    direction: Direction,
    piece: usize,
    sizes: &[usize],
    pool: &Arc<Pool>,
) {
    let mut inflater = Inflater::new(direction, Arc::clone(pool));
    let enough = ENOUGH.min(piece * ENOUGH_PIECES);
    let mut window = Vec::new();
    let mut ledger = Ledger::default();
    let mut fed = 0;
    for (before, payload) in messages.iter().enumerate() {
        let fixed = FIXED + 2 * piece + STATE * STATES.min(before + 1);
        let mut naive = Message::new(&window);
        let pushed = naive.push(payload);
        let (mut output, mut verdict) = (Vec::new(), Ok(()));
        for chunk in cut(payload, sizes) {
            fed += chunk.len();
            verdict = fed_to(&mut inflater, chunk, piece, &mut output, &mut ledger);
            if verdict.is_err() || output.len() > enough {
                break;
            }
        }
        assert!(naive.inflated().starts_with(&output), "it begins alike");
        if output.len() > enough {
            return;
        }
        assert_eq!(verdict.is_err(), pushed.is_err(), "{verdict:?}");
        assert_eq!(output.len(), naive.inflated().len(), "all that can come out has come out");
        let mark = ledger.open();
        let verdict = verdict.and_then(|()| inflater.finish());
        ledger.close(mark);
        ledger.check(fixed, fed);
        assert_eq!(verdict.is_ok(), pushed.and_then(|()| naive.finish()).is_ok(), "{verdict:?}");
        if let Err(violation) = verdict {
            assert_eq!(violation.close_code().0, 1007);
            return;
        }
        window = match direction.takeover {
            Takeover::Context => naive.window(direction.max_window.size()).to_vec(),
            Takeover::NoContext => Vec::new(),
        };
    }
}

/// Inflates a chunk, piece by piece.
fn fed_to(
    inflater: &mut Inflater,
    chunk: &[u8],
    piece: usize,
    output: &mut Vec<u8>,
    ledger: &mut Ledger,
) -> Result<(), Violation> {
    let mut input = chunk;
    loop {
        let mark = ledger.open();
        let mut out = Vec::new();
        let result = inflater.inflate(&mut input, piece, &mut out);
        // What has come out belongs to whoever has asked.
        ledger.close(mark);
        assert!(out.len() <= piece, "a piece is not longer than was asked for");
        output.extend_from_slice(&out);
        let mark = ledger.open();
        drop(out);
        ledger.close(mark);
        if result? == Inflated::All {
            assert!(input.is_empty(), "all of the input is used");
            return Ok(());
        }
        if output.len() > ENOUGH.min(piece * ENOUGH_PIECES) {
            return Ok(());
        }
    }
}

/// What is deflated comes back, here and with the naive inflater, and refers no farther than agreed.
fn round_trip(
    messages: &[&[u8]],
    direction: Direction,
    level: Level,
    sizes: &[usize],
    pool: &Arc<Pool>,
) {
    let mut deflater = Deflater::new(direction, level, Arc::clone(pool));
    let mut inflater = Inflater::new(direction, Arc::clone(pool));
    let (mut window, mut ledger) = (Vec::new(), Ledger::default());
    for plain in messages {
        let mut naive = Message::new(&window);
        let (fragments, mut output) = (cut(plain, sizes), Vec::new());
        for fragment in &fragments {
            let payload = deflater.deflate(fragment, Fin::No).expect("zlib has an answer");
            naive.push(&payload).expect("DEFLATE");
            fed_to(&mut inflater, &payload, 65536, &mut output, &mut ledger).expect("DEFLATE");
            assert_eq!(output, naive.inflated(), "each fragment can be inflated as it comes");
        }
        let payload = deflater.deflate(b"", Fin::Yes).expect("zlib has an answer");
        naive.push(&payload).expect("DEFLATE");
        naive.finish().expect("it is whole");
        fed_to(&mut inflater, &payload, 65536, &mut output, &mut ledger).expect("DEFLATE");
        inflater.finish().expect("it is whole");
        assert_eq!((output.as_slice(), naive.inflated()), (*plain, *plain));
        assert!(naive.farthest <= direction.max_window.size(), "{} back", naive.farthest);
        window = match direction.takeover {
            Takeover::Context => naive.window(direction.max_window.size()).to_vec(),
            Takeover::NoContext => Vec::new(),
        };
    }
}

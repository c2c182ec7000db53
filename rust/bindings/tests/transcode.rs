//! The code points of a `str`, beside those that the standard library finds. On a processor for which
//! there is no code, nothing is tested.

#![cfg(target_arch = "x86_64")]

// The module is part of an extension module, which no test can link.
#[expect(dead_code, reason = "what takes a received piece is tested from Python")]
#[path = "../src/alloc/transcode/mod.rs"]
mod transcode;

use core::mem::MaybeUninit;

use transcode::{Unit, is_available, survey, transcode};

/// What stands in slots that must not be written.
const UNTOUCHED: u8 = 0xEE;

/// Transcodes `text` into the middle of a larger buffer, and compares with the standard library.
fn check_as<T: Unit + Into<u32>>(text: &str) {
    let expected: Vec<u32> = text.chars().map(u32::from).collect();
    for room in [expected.len(), expected.len() + 100, expected.len() / 2] {
        let mut slots = vec![MaybeUninit::new(T::from(UNTOUCHED)); 64 + room + 64];
        let count = transcode(text.as_bytes(), &mut slots[64..64 + room]);
        assert_eq!(count, room.min(expected.len()), "{text:?}");
        // SAFETY: all were initialised above.
        let units: Vec<u32> =
            slots.iter().map(|slot| unsafe { slot.assume_init() }.into()).collect();
        assert_eq!(units[64..64 + count], expected[..count], "{text:?}");
        let around = units[..64].iter().chain(&units[64 + room..]);
        assert!(around.copied().eq([u32::from(UNTOUCHED); 128]), "{text:?}");
    }
}

/// In the smallest unit that holds the text and in the larger ones.
fn check(text: &str) {
    if !is_available() {
        return;
    }
    let found = survey(text);
    assert_eq!(found.code_points(), text.chars().count(), "{text:?}");
    assert_eq!(found.largest_byte(), text.bytes().max().unwrap_or_default(), "{text:?}");
    let largest = text.chars().max().map_or(0, u32::from);
    if largest <= 0xFF {
        check_as::<u8>(text);
    }
    if largest <= 0xFFFF {
        check_as::<u16>(text);
    }
    check_as::<u32>(text);
}

/// The first and the last code point of each length and class, and some in between.
const SOME: [char; 16] = [
    '\0',
    'z',
    '\x7F',
    '\u{80}',
    'é',
    'ÿ',
    'Ā',
    'я',
    '\u{7FF}',
    '\u{800}',
    '€',
    '漢',
    '\u{FFFF}',
    '\u{10000}',
    '😀',
    '\u{10FFFF}',
];

#[test]
fn every_code_point_is_transcoded() {
    let all: Vec<char> = (0..=0x10_FFFF).filter_map(char::from_u32).collect();
    for block in all.chunks(100) {
        check(&block.iter().collect::<String>());
    }
}

#[test]
fn every_pair_is_transcoded_at_every_place_of_a_block() {
    for first in SOME {
        for second in SOME {
            for before in 0..70 {
                let filler = "x".repeat(before);
                for behind in ["", "y", "яя", "漢漢漢"] {
                    check(&format!("{filler}{first}{second}{behind}"));
                }
            }
        }
    }
}

#[test]
fn every_length_of_one_script_is_transcoded() {
    for code_point in SOME {
        for count in 0..300 {
            check(&code_point.to_string().repeat(count));
        }
    }
}

#[test]
fn random_texts_are_transcoded() {
    let mut state = 1u64;
    let mut random = |below: usize| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap_or_default() % below
    };
    for round in 0..3000 {
        let scripts = 1 + random(SOME.len());
        let count = random(if round % 100 == 0 { 70_000 } else { 300 });
        let run = 1 + random(20);
        let mut text = String::new();
        for _ in 0..count / run {
            let code_point = SOME[random(scripts)];
            text.extend(std::iter::repeat_n(code_point, 1 + random(run)));
        }
        check(&text);
    }
}

#[test]
fn what_is_not_utf8_stays_inside_the_room_too() {
    let mut state = 7u64;
    for length in 0..600 {
        let mut bytes = vec![0; length];
        for byte in &mut bytes {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            // Many continuation bytes, or none.
            *byte = state.to_le_bytes()[7] | if length % 2 == 0 { 0x80 } else { 0xC0 };
        }
        let mut slots = vec![MaybeUninit::new(u32::from(UNTOUCHED)); 64 + length / 2 + 64];
        let count = transcode(&bytes, &mut slots[64..64 + length / 2]);
        assert!(count <= length / 2);
        // SAFETY: all were initialised above.
        let mut units = slots.iter().map(|slot| unsafe { slot.assume_init() });
        assert!(units.by_ref().take(64).eq([u32::from(UNTOUCHED); 64]));
        assert!(units.skip(length / 2).eq([u32::from(UNTOUCHED); 64]));
    }
}

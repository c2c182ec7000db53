//! For x86-64 with AVX2.

use core::arch::x86_64::*;
use core::mem::MaybeUninit;

use ws13::{Block, Checked, Text};

use super::{Survey, Unit};

/// Bytes of a block.
const BLOCK: usize = 64;
/// Bytes that are looked at before them: the beginning of a code point that ends with the first.
const BEFORE: usize = 3;
/// The block with these, and the byte behind it, which tells whether a code point ends with the last.
const WINDOW: usize = BEFORE + BLOCK + 1;
/// Bytes in a register; a block has two of them.
const HALF: usize = BLOCK / 2;
/// Units that are written in one go.
const GROUP: usize = 8;

type Window = [u8; WINDOW];
type Room<T> = [MaybeUninit<T>; BLOCK];

/// Like [`super::check`].
#[target_feature(enable = "avx2,popcnt")]
pub fn check<'s>(text: Text<'s>, scratch: &'s mut Block) -> (Option<Checked<'s>>, Survey) {
    let mut survey = Survey::default();
    (text.check(scratch, |block| add(&mut survey, block.as_bytes())), survey)
}

/// Looks at more of a text.
#[target_feature(enable = "avx2,popcnt")]
pub fn add(survey: &mut Survey, text: &[u8]) {
    let zero = _mm256_setzero_si256();
    let (mut total, mut largest) = (zero, zero);
    let (blocks, rest) = text.as_chunks::<HALF>();
    // A byte counts to 255.
    for run in blocks.chunks(255) {
        let mut begun = zero;
        for block in run {
            // SAFETY: reads 32 bytes, which need not be aligned.
            let bytes = unsafe { _mm256_loadu_si256(block.as_ptr().cast()) };
            begun = _mm256_sub_epi8(begun, _mm256_cmpgt_epi8(bytes, all(0xBF)));
            largest = _mm256_max_epu8(largest, bytes);
        }
        total = _mm256_add_epi64(total, _mm256_sad_epu8(begun, zero));
    }
    let (mut totals, mut bytes) = ([0u64; 4], [0u8; HALF]);
    // SAFETY: each writes 32 bytes, which need not be aligned.
    unsafe {
        _mm256_storeu_si256(totals.as_mut_ptr().cast(), total);
        _mm256_storeu_si256(bytes.as_mut_ptr().cast(), largest);
    }
    survey.code_points += usize::try_from(totals.iter().sum::<u64>()).unwrap_or_default();
    survey.code_points +=
        rest.iter().filter(|byte| byte.cast_signed() > 0xBFu8.cast_signed()).count();
    survey.largest_byte = rest.iter().chain(&bytes).copied().fold(survey.largest_byte, u8::max);
}

/// Like [`super::transcode`].
#[target_feature(enable = "avx2,popcnt")]
pub fn transcode<T: Unit>(text: &[u8], target: &mut [MaybeUninit<T>]) -> usize {
    let (mut at, mut done) = (0, 0);
    while at < text.len() {
        let count = at_an_end(text, at, target.get_mut(done..).unwrap_or_default());
        (at, done) = (at.wrapping_add(BLOCK), done.wrapping_add(count));

        while let (Some(window), Some(room)) = (window(text, at), room(target, done)) {
            let bytes = _mm256_or_si256(load(window, BEFORE), load(window, BEFORE + HALF));
            let leads = _mm256_max_epu8(load(window, 0), load(window, HALF));
            let count = if _mm256_movemask_epi8(bytes) == 0 {
                ascii(window, room)
            } else if size_of::<T>() < 4 || _mm256_movemask_epi8(at_least(leads, 0xF0)) == 0 {
                step::<T, 3>(window, room)
            } else {
                step::<T, 4>(window, room)
            };
            (at, done) = (at.wrapping_add(BLOCK), done.wrapping_add(count));
        }
    }
    done
}

/// The block of `text` from `at` on; none at the beginning and at the end.
#[inline(always)]
fn window(text: &[u8], at: usize) -> Option<&Window> {
    text.get(at.wrapping_sub(BEFORE)..).and_then(<[u8]>::first_chunk)
}

/// The room for a block in `target`, behind the `done` units that are written: a unit for each of its
/// bytes, more than are needed; none towards the end.
#[inline(always)]
fn room<T>(target: &mut [MaybeUninit<T>], done: usize) -> Option<&mut Room<T>> {
    target.get_mut(done..).and_then(<[_]>::first_chunk_mut)
}

/// Takes the block at `at` where there is no window or no room, by way of copies of both.
#[inline(never)]
#[target_feature(enable = "avx2,popcnt")]
fn at_an_end<T: Unit>(text: &[u8], at: usize, target: &mut [MaybeUninit<T>]) -> usize {
    // Behind the text stands a byte that ends its last code point, and behind that what ends none.
    let mut window = [0x80; WINDOW];
    let start = at.saturating_sub(BEFORE);
    let bytes = text.get(start..).unwrap_or_default();
    let place = window.get_mut(start + BEFORE - at..).unwrap_or_default();
    let count = bytes.len().min(place.len());
    place[..count].copy_from_slice(&bytes[..count]);
    if let Some(behind) = place.get_mut(count) {
        *behind = 0;
    }

    let mut units = [MaybeUninit::uninit(); BLOCK];
    let count = step::<T, 4>(&window, &mut units).min(target.len());
    target[..count].copy_from_slice(&units[..count]);
    count
}

/// Writes the code points of up to `LONGEST` bytes that end in the block; returns how many.
#[inline]
#[target_feature(enable = "avx2,popcnt")]
fn step<T: Unit, const LONGEST: usize>(window: &Window, room: &mut Room<T>) -> usize {
    let to = room.as_mut_ptr();
    // SAFETY: there is room for 64 units, and the first half adds 32 at most.
    unsafe {
        let count = half::<T, LONGEST>(window, 0, to);
        count.wrapping_add(half::<T, LONGEST>(window, HALF, to.add(count)))
    }
}

/// The same for a block that is ASCII.
#[inline]
#[target_feature(enable = "avx2")]
fn ascii<T: Unit>(window: &Window, room: &mut Room<T>) -> usize {
    for (at, to) in room.as_chunks_mut::<GROUP>().0.iter_mut().enumerate() {
        let bytes = window[BEFORE + GROUP * at..].first_chunk::<GROUP>().unwrap_or(&[0; GROUP]);
        // SAFETY: reads eight bytes and writes eight units.
        unsafe {
            let units = _mm_cvtepu8_epi16(_mm_loadl_epi64(bytes.as_ptr().cast()));
            store(units, to.as_mut_ptr());
        }
    }
    BLOCK
}

/// Writes the code points of up to `LONGEST` bytes that end in the 32 bytes of the block from `at` on;
/// returns how many.
///
/// # Safety
///
/// There is room for 32 units at `to`.
#[inline]
#[target_feature(enable = "avx2,popcnt")]
unsafe fn half<T: Unit, const LONGEST: usize>(
    window: &Window,
    at: usize,
    mut to: *mut MaybeUninit<T>,
) -> usize {
    // Byte `i` of the last is byte `i` of these, of the first the one before it, and so on.
    let [third, second, first, last, next] =
        [0, 1, 2, 3, 4].map(|before| load(window, at + before));
    // A continuation byte, 10xxxxxx, is below 0xC0 as a signed number, and nothing else is.
    let ends = _mm256_cmpgt_epi8(next, all(0xBF));
    let ends = _mm256_movemask_epi8(ends).cast_unsigned();

    // Behind ASCII, what stands before does not belong to it.
    let first = _mm256_and_si256(first, _mm256_cmpgt_epi8(_mm256_setzero_si256(), last));
    // yyxxxxxx of ...yyyyy 10xxxxxx, or 0xxxxxxx.
    let low = _mm256_or_si256(
        _mm256_and_si256(last, all(0x7F)),
        _mm256_and_si256(_mm256_slli_epi16::<6>(first), all(0xC0)),
    );
    // 00000yyy of 110yyyyy, or zzzzyyyy of ....zzzz 10yyyyyy.
    let continues = _mm256_cmpgt_epi8(all(0xC0), first);
    let high = _mm256_or_si256(
        _mm256_and_si256(_mm256_srli_epi16::<2>(first), all(0x0F)),
        _mm256_and_si256(_mm256_slli_epi16::<4>(second), _mm256_and_si256(continues, all(0xF0))),
    );
    // 000wwwzz of 11110www 10zz....; elsewhere nothing.
    let plane = _mm256_or_si256(
        _mm256_and_si256(_mm256_srli_epi16::<4>(second), all(0x03)),
        _mm256_and_si256(_mm256_slli_epi16::<2>(third), all(0x1C)),
    );
    let plane = _mm256_and_si256(plane, at_least(third, 0xF0));

    let units = groups(low, high);
    let planes = groups(plane, _mm256_setzero_si256());
    let mut rest = ends;
    for (units, planes) in units.into_iter().zip(planes) {
        let [places, ..] = rest.to_le_bytes();
        // SAFETY: each of the four groups adds eight units at most, so there is room for eight.
        unsafe {
            if LONGEST == 4 && size_of::<T>() == 4 {
                store_wide(squeezed(units, places), squeezed(planes, places), to.cast());
            } else {
                store(squeezed(units, places), to);
            }
            to = to.add(places.count_ones() as usize);
        }
        rest >>= GROUP;
    }
    ends.count_ones() as usize
}

/// All bits set where a byte is at least `least`.
#[inline]
#[target_feature(enable = "avx2")]
fn at_least(bytes: __m256i, least: u8) -> __m256i {
    _mm256_cmpeq_epi8(_mm256_max_epu8(bytes, all(least)), bytes)
}

#[inline]
#[target_feature(enable = "avx2")]
fn all(byte: u8) -> __m256i {
    _mm256_set1_epi8(byte.cast_signed())
}

#[inline]
#[target_feature(enable = "avx2")]
fn load(window: &Window, from: usize) -> __m256i {
    let bytes = window[from..].first_chunk::<HALF>().unwrap_or(&[0; HALF]);
    // SAFETY: reads 32 bytes, which need not be aligned.
    unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
}

/// 32 units of two bytes, in groups of eight, in their order.
#[inline]
#[target_feature(enable = "avx2")]
fn groups(low: __m256i, high: __m256i) -> [__m128i; 4] {
    let outer = _mm256_unpacklo_epi8(low, high);
    let inner = _mm256_unpackhi_epi8(low, high);
    [
        _mm256_castsi256_si128(outer),
        _mm256_castsi256_si128(inner),
        _mm256_extracti128_si256::<1>(outer),
        _mm256_extracti128_si256::<1>(inner),
    ]
}

/// Those of the eight units whose bit is set, in front; zeros behind them.
#[inline]
#[target_feature(enable = "avx2")]
fn squeezed(units: __m128i, places: u8) -> __m128i {
    let order = &ORDERS.0[usize::from(places)];
    // SAFETY: reads 16 bytes, which need not be aligned.
    let order = unsafe { _mm_loadu_si128(order.as_ptr().cast()) };
    _mm_shuffle_epi8(units, order)
}

/// Writes eight units that are given in two bytes.
///
/// # Safety
///
/// There is room for eight units at `to`.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn store<T>(units: __m128i, to: *mut MaybeUninit<T>) {
    // SAFETY: each writes eight times the size of `T`, which need not be aligned.
    unsafe {
        match size_of::<T>() {
            1 => _mm_storel_epi64(to.cast(), _mm_packus_epi16(units, units)),
            2 => _mm_storeu_si128(to.cast(), units),
            4 => _mm256_storeu_si256(to.cast(), _mm256_cvtepu16_epi32(units)),
            _ => {}
        }
    }
}

/// Writes eight units of four bytes that are given in halves.
///
/// # Safety
///
/// There is room for eight units at `to`.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn store_wide(low: __m128i, high: __m128i, to: *mut [__m128i; 2]) {
    // SAFETY: writes 32 bytes, which need not be aligned.
    unsafe {
        _mm_storeu_si128(to.cast(), _mm_unpacklo_epi16(low, high));
        _mm_storeu_si128(to.cast::<__m128i>().add(1), _mm_unpackhi_epi16(low, high));
    }
}

/// For each set of places, which bytes of eight units come to the front.
#[repr(align(64))]
struct Orders([[u8; 2 * GROUP]; 256]);

static ORDERS: Orders = Orders(orders());

const fn orders() -> [[u8; 2 * GROUP]; 256] {
    // A set high bit asks for zero.
    let mut orders = [[0x80; 2 * GROUP]; 256];
    let mut places = 0;
    while places < orders.len() {
        let (mut from, mut to) = (0, 0);
        while from < 8 {
            if places >> from & 1 == 1 {
                orders[places][to] = 2 * from;
                orders[places][to + 1] = 2 * from + 1;
                to += 2;
            }
            from += 1;
        }
        places += 1;
    }
    orders
}

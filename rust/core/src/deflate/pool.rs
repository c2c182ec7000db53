//! States of DEFLATE that connections share, so that each needs one only while it works.
//!
//! A state remembers nothing but the stamp under which it was given back. Whoever comes with that stamp
//! finds it as it was; anybody else gets a state that has to be told the window.

use std::sync::{Mutex, PoisonError};

use zlib_rs::{Deflate, Inflate};

use super::{Level, WindowBits};

/// How many states are kept to receive with; 85 KiB each.
const INFLATES: usize = 16;
/// How many buffers for long output.
const SPARES: usize = 2;
/// How many are kept to send with; up to 300 KiB each.
const DEFLATES: usize = 4;

/// How much is inflated at once, in bytes: into memory that is there, as making room in the output for
/// what may come costs more than copying what has come. Three times this is a piece of 64 KiB; with 32 KiB
/// a connection would keep more than 128 KiB while a message is under way.
pub(super) const BUFFER: usize = 22 * 1024;

/// The longest payload that is inflated in one go, in bytes.
pub(super) const SHORT: usize = 4096;
/// What stands behind it, so that zlib-rs does not look at each byte whether it is the last one.
const MARGIN: usize = 32;

/// A state to receive with and the memory it writes to.
pub(super) struct Bench {
    pub state: Inflate,
    pub buffer: [u8; BUFFER],
    pub short: [u8; SHORT + MARGIN],
}

/// A store of states of DEFLATE, for any number of connections.
///
/// It keeps a few of those that are given back, the ones that were used last: at most 3 MiB.
#[derive(Default)]
pub struct Pool {
    states: Mutex<States>,
}

#[derive(Default)]
struct States {
    stamp: u64,
    inflates: Vec<Kept<(), Bench>>,
    deflates: Vec<Kept<Settings, Deflate>>,
    spares: Vec<Vec<u8>>,
}

/// A state, what it was made for, and the stamp of its last user.
struct Kept<S, T> {
    settings: S,
    stamp: Stamp,
    state: Box<T>,
}

/// What a state to send with is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Settings {
    pub level: Level,
    pub window: WindowBits,
}

/// The receipt for a state that was given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp(u64);

impl Stamp {
    /// For whoever does not want the state back as it was.
    pub const NONE: Self = Self(0);
}

/// A state out of the pool.
pub(super) enum Lent<T> {
    /// As it was when it was given back under the stamp.
    Known(Box<T>),
    /// It has to be reset.
    Other(Box<T>),
}

impl core::fmt::Debug for Pool {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Pool")
    }
}

impl Pool {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn with<R>(&self, work: impl FnOnce(&mut States) -> R) -> R {
        work(&mut self.states.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn take_bench(&self, stamp: Stamp) -> Lent<Bench> {
        self.with(|states| take(&mut states.inflates, INFLATES, (), stamp)).unwrap_or_else(|| {
            // The largest window, whatever was agreed: what lies farther back than the agreed one is
            // not told to the state.
            let state = Inflate::new(false, WindowBits::MAX.bits());
            Lent::Other(Box::new(Bench { state, buffer: [0; BUFFER], short: [0; SHORT + MARGIN] }))
        })
    }

    pub(super) fn give_bench(&self, state: Box<Bench>) -> Stamp {
        self.with(|states| {
            let stamp = states.next_stamp();
            give(&mut states.inflates, INFLATES, Kept { settings: (), stamp, state });
            stamp
        })
    }

    /// An empty buffer that has been long before, perhaps.
    pub(super) fn take_spare(&self) -> Vec<u8> {
        self.with(|states| states.spares.pop().unwrap_or_default())
    }

    pub(super) fn give_spare(&self, mut spare: Vec<u8>) {
        spare.clear();
        self.with(|states| {
            if states.spares.len() < SPARES {
                states.spares.push(spare);
            }
        });
    }

    pub(super) fn take_deflate(&self, settings: Settings, stamp: Stamp) -> Lent<Deflate> {
        self.with(|states| take(&mut states.deflates, DEFLATES, settings, stamp)).unwrap_or_else(
            || {
                // zlib deflates raw data with windows of 512 bytes and more, and refers 262 bytes less far
                // back than its window is large: so the one of 512 bytes honours a limit of 256.
                let bits = settings.window.bits().max(9);
                Lent::Other(Box::new(Deflate::new(settings.level.number(), false, bits)))
            },
        )
    }

    pub(super) fn give_deflate(&self, settings: Settings, state: Box<Deflate>) -> Stamp {
        self.with(|states| {
            let stamp = states.next_stamp();
            give(&mut states.deflates, DEFLATES, Kept { settings, stamp, state });
            stamp
        })
    }
}

impl States {
    const fn next_stamp(&mut self) -> Stamp {
        self.stamp = self.stamp.wrapping_add(1);
        Stamp(self.stamp)
    }
}

/// The state with this stamp, or, when there are enough of them, the one that has not been used for the
/// longest time.
fn take<S: PartialEq, T>(
    kept: &mut Vec<Kept<S, T>>,
    most: usize,
    settings: S,
    stamp: Stamp,
) -> Option<Lent<T>> {
    if stamp != Stamp::NONE
        && let Some(place) = kept.iter().rposition(|kept| kept.stamp == stamp)
    {
        return Some(Lent::Known(kept.remove(place).state));
    }
    if kept.len() < most {
        return None;
    }
    let place = kept.iter().position(|kept| kept.settings == settings)?;
    Some(Lent::Other(kept.remove(place).state))
}

fn give<S, T>(kept: &mut Vec<Kept<S, T>>, most: usize, state: Kept<S, T>) {
    if kept.len() >= most {
        kept.remove(0);
    }
    kept.push(state);
}

//! Memory asked for ahead of a scan: the value that a function will most likely be called with next.
//!
//! A scan hands a function values that lie as far apart as rows do in a page, from its end to its beginning, which no
//! processor foresees as far as a row reaches. The values of a table that is no longer in the cache are then waited for
//! most of the time, and the executor works on each row long enough for the next one to arrive.
//! A guess that is wrong costs the few instructions that ask; nothing is read.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes of a value from which it is worth asking for the next one: a processor foresees the rows of shorter ones.
const LEAST: usize = 160;
/// Bytes that are asked for at the most; of what is longer, the processor foresees the rest.
const MOST: usize = 2048;
/// The farthest that two values of one page, or of pages with one row each, lie apart.
const REACH: usize = 8192;

/// The address of the value that a function was called with last; 0 at first.
pub struct Ahead(AtomicUsize);

impl Ahead {
    /// Begin with none.
    #[allow(clippy::new_without_default, reason = "it is made for a static")]
    pub const fn new() -> Self {
        Ahead(AtomicUsize::new(0))
    }

    /// Ask for the value that follows this one.
    #[inline(always)]
    pub fn follow(&self, value: &[u8]) {
        if value.len() < LEAST {
            return;
        }
        let Some(next) = self.guess(value.as_ptr()) else { return };
        let length = if value.len() < MOST { value.len() } else { MOST };
        ask(next, next.wrapping_add(length));
    }

    /// Where the next value is, if it is as far from this one as this one is from the last.
    #[inline(always)]
    fn guess(&self, value: *const u8) -> Option<*const u8> {
        let step = value.addr().wrapping_sub(self.0.load(Ordering::Relaxed));
        self.0.store(value.addr(), Ordering::Relaxed);
        let is_near = step != 0 && step.wrapping_add(REACH) <= 2 * REACH;
        if is_near { Some(value.wrapping_add(step)) } else { None }
    }
}

/// Ask for the lines of these addresses, which may be any, and for up to four lines more.
///
/// Written out, for a loop that is unrolled takes so many registers that a short call would have to save some.
#[inline(always)]
pub fn ask(from: *const u8, end: *const u8) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: asking reads nothing and fails at no address; the loop ends, for it goes up.
    unsafe {
        std::arch::asm!(
            "2:",
            "prefetcht0 [{at}]",
            "prefetcht0 [{at} + 64]",
            "prefetcht0 [{at} + 128]",
            "prefetcht0 [{at} + 192]",
            "add {at}, 256",
            "cmp {at}, {end}",
            "jb 2b",
            at = inout(reg) from => _,
            end = in(reg) end,
            options(nostack, readonly)
        );
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: as above.
    unsafe {
        std::arch::asm!(
            "2:",
            "prfm pldl1keep, [{at}]",
            "prfm pldl1keep, [{at}, #64]",
            "prfm pldl1keep, [{at}, #128]",
            "prfm pldl1keep, [{at}, #192]",
            "add {at}, {at}, #256",
            "cmp {at}, {end}",
            "b.lo 2b",
            at = inout(reg) from => _,
            end = in(reg) end,
            options(nostack, readonly)
        );
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    let _ = (from, end);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_value_is_a_step_further() {
        let page = [0u8; 3 * REACH];
        let at = |offset: usize| page.as_ptr().wrapping_add(offset);
        let ahead = Ahead::new();
        assert_eq!(ahead.guess(at(9000)), None, "the first");
        assert_eq!(ahead.guess(at(9000)), None, "the same again");
        assert_eq!(ahead.guess(at(8000)), Some(at(7000)), "downwards");
        assert_eq!(ahead.guess(at(6500)), Some(at(5000)), "another step");
        assert_eq!(ahead.guess(at(6500 + REACH)), Some(at(6500 + 2 * REACH)), "upwards, a page");
        assert_eq!(ahead.guess(at(6500 + REACH + 1)), Some(at(6500 + REACH + 2)), "upwards, a byte");
        assert_eq!(ahead.guess(at(6500)), None, "too far");
    }

    /// Nothing is read, wherever the guess leads: there is nothing behind and before these.
    #[test]
    fn any_guess_may_be_asked_for() {
        let ahead = Ahead::new();
        let pages = vec![1u8; 4 * REACH];
        for length in [0, LEAST - 1, LEAST, MOST, MOST + 1, REACH] {
            for offset in [REACH, 1, REACH, 2 * REACH, REACH + 7, 0, 3 * REACH] {
                ahead.follow(&pages[offset..offset + length]);
            }
        }
    }
}

//! Which sizes pass, by trying larger and larger ones and then halving the gap. No I/O.

/// Sizes that are tried at most: far more than halving ever needs.
const MOST_TRIES: u32 = 60;

/// A search for the largest size that passes.
#[derive(Debug)]
pub(super) struct Ladder {
    /// Sizes to begin with, each larger than the one before.
    rungs: Vec<u16>,
    passes: Option<u16>,
    fails: Option<u16>,
    /// What fails has failed again, at the end: bad luck does not strike twice.
    confirmed: bool,
    tries: u32,
}

impl Ladder {
    /// Up these rungs.
    pub(super) fn new(mut rungs: Vec<u16>) -> Self {
        rungs.sort_unstable();
        rungs.dedup();
        Self { rungs, passes: None, fails: None, confirmed: false, tries: 0 }
    }

    /// The size to try; `None` when it is known.
    pub(super) fn next(&self) -> Option<u16> {
        if self.tries >= MOST_TRIES {
            return None;
        }
        match (self.passes, self.fails) {
            (passes, None) => self.rungs.iter().copied().find(|rung| Some(*rung) > passes),
            (Some(passes), Some(fails)) if fails - passes > 1 => Some(passes + (fails - passes) / 2),
            (_, Some(fails)) => (!self.confirmed).then_some(fails),
        }
    }

    /// Takes in whether `size` passes.
    pub(super) fn tell(&mut self, size: u16, passes: bool) {
        self.tries += 1;
        if passes {
            self.passes = self.passes.max(Some(size));
            if self.fails.is_some_and(|fails| fails <= size) {
                self.fails = None;
            }
        } else {
            self.confirmed = self.fails == Some(size);
            self.fails = Some(size);
        }
    }

    /// The largest size that is known to pass.
    pub(super) fn passes(&self) -> Option<u16> {
        self.passes
    }

    /// The smallest above it that is known to fail.
    pub(super) fn fails(&self) -> Option<u16> {
        self.fails
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RUNGS: [u16; 5] = [512, 1232, 1472, 2048, 4096];

    fn climb(mut passes: impl FnMut(u16) -> bool) -> Ladder {
        let mut ladder = Ladder::new(RUNGS.to_vec());
        while let Some(size) = ladder.next() {
            ladder.tell(size, passes(size));
        }
        ladder
    }

    #[test]
    fn what_passes_is_found_to_the_octet() {
        for (limit, passes, fails) in [
            (9000, Some(4096), None),
            (4096, Some(4096), None),
            (1372, Some(1372), Some(1373)),
            (1472, Some(1472), Some(1473)),
            (512, Some(512), Some(513)),
            (100, None, Some(512)),
        ] {
            let ladder = climb(|size| size <= limit);
            assert_eq!((ladder.passes(), ladder.fails()), (passes, fails), "{limit}");
            assert!(ladder.tries <= 16, "{limit}: {} tries", ladder.tries);
        }
    }

    #[test]
    fn a_hole_is_found_though_fragments_pass_above_it() {
        let ladder = climb(|size| size <= 1372 || size > 1472);
        assert_eq!((ladder.passes(), ladder.fails()), (Some(1372), Some(1373)));
    }

    proptest! {
        /// One loss by bad luck is made good, wherever it strikes.
        #[test]
        fn bad_luck_does_not_move_the_end(limit in 512u16..4096, unlucky in 0u32..14) {
            let mut n = 0;
            let ladder = climb(|size| { n += 1; size <= limit && n != unlucky + 1 });
            prop_assert_eq!((ladder.passes(), ladder.fails()), (Some(limit), Some(limit + 1)));
        }

        #[test]
        fn it_ends_whatever_it_is_told(told: [bool; 32]) {
            let mut n = 0;
            let ladder = climb(|_| { n += 1; told[n % 32] });
            prop_assert!(ladder.tries <= MOST_TRIES);
        }
    }
}

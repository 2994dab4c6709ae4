//! A server that has no time now: when to ask again.

use std::time::Duration;

/// The first wait; each is twice the one before, up to the longest.
const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(16);

/// Ever longer waits, for so long and no longer.
#[derive(Debug)]
pub(super) struct Backoff {
    next: Duration,
    left: Duration,
}

impl Backoff {
    /// Waits that take `patience` all together.
    pub(super) const fn new(patience: Duration) -> Self {
        Self { next: FIRST, left: patience }
    }

    /// How long to wait until the server is asked again; `None` once that was long enough.
    pub(super) fn next(&mut self) -> Option<Duration> {
        let time = self.next.min(self.left);
        self.next = (self.next * 2).min(LONGEST);
        self.left -= time;
        (!time.is_zero()).then_some(time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_and_end_with_the_patience() {
        let mut backoff = Backoff::new(Duration::from_secs(50));
        let waits: Vec<u64> = std::iter::from_fn(|| backoff.next()).map(|wait| wait.as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 16, 3]);
        assert_eq!(Backoff::new(Duration::ZERO).next(), None);
    }
}

//! What fails again and again is told once.

use std::fmt::Display;
use std::time::Duration;

use tokio::time::Instant;

/// How long something that fails must have worked before its failing is told again.
const AWAY: Duration = Duration::from_secs(60);

/// Something that may fail again and again: each cause is told once until it has been away for [`AWAY`].
#[derive(Default)]
pub(super) struct Repeated(Option<(String, Instant)>);

impl Repeated {
    /// Warns of `what`, unless it is known.
    pub(super) fn tell(&mut self, what: impl Display) {
        let (what, now) = (what.to_string(), Instant::now());
        let is_known = self.0.as_ref().is_some_and(|(told, last)| *told == what && now - *last < AWAY);
        if !is_known {
            tracing::warn!("{what}");
        }
        self.0 = Some((what, now));
    }
}

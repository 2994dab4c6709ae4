//! What a run shall do, options and defaults settled.

use std::time::Duration;

use crate::probe::pace::Pace;

/// What is to be sent.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Plan {
    /// When.
    pub(super) pace: Pace,
    /// How long each packet's reply is waited for.
    pub(super) timeout: Duration,
    /// Octets of UDP payload wanted.
    pub(super) size: usize,
}

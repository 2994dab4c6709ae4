//! Whose clock took a time, and the round trip between two moments that both the kernel and we have taken.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::{Now, nanos};

/// The two clocks may drift this far apart within one round trip; more means that the wall clock was stepped.
const STEP: i128 = 1_000_000;

/// Who took the times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Clock {
    /// The kernel, at the driver, for sending and receiving.
    Kernel,
    /// At least one of the two was read by this process around the system call.
    User,
}

/// RTT (RFC 2681) in ns between sending and arrival, each as we read the clocks and as the kernel stamped it; and whether
/// the kernel took both. A pair of stamps that the monotonic clock contradicts is not used.
pub(crate) fn round_trip(sent: (Now, Option<u64>), received: (Now, Option<u64>)) -> (u64, bool) {
    let mono = nanos(received.0.mono.saturating_duration_since(sent.0.mono));
    let step = i128::from(received.0.wall) - i128::from(sent.0.wall) - i128::from(mono);
    let stamps = sent.1.zip(received.1).filter(|_| step.abs() <= STEP);
    match stamps.and_then(|(sent, received)| received.checked_sub(sent)) {
        Some(whole) => (whole, true),
        None => (mono, false),
    }
}

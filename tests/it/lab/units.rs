//! Numbers that read as they are said: `20.ms()`, `2.pct()`, `10.mbit()`.

use std::time::Duration;

/// Whole numbers with a unit.
pub(crate) trait Units {
    /// Microseconds.
    fn us(self) -> Duration;
    /// Milliseconds.
    fn ms(self) -> Duration;
    /// Seconds.
    fn secs(self) -> Duration;
    /// Decimal megabits per second, as bits per second.
    fn mbit(self) -> u64;
    /// Decimal kilobytes, as bytes.
    fn kb(self) -> u64;
}

impl Units for u64 {
    fn us(self) -> Duration {
        Duration::from_micros(self)
    }

    fn ms(self) -> Duration {
        Duration::from_millis(self)
    }

    fn secs(self) -> Duration {
        Duration::from_secs(self)
    }

    fn mbit(self) -> u64 {
        self * 1_000_000
    }

    fn kb(self) -> u64 {
        self * 1_000
    }
}

/// Percentages, whole or not.
pub(crate) trait Percent {
    /// Percent, as a ratio from 0 to 1.
    fn pct(self) -> f64;
}

impl Percent for u32 {
    fn pct(self) -> f64 {
        f64::from(self) / 100.0
    }
}

impl Percent for f64 {
    fn pct(self) -> f64 {
        self / 100.0
    }
}

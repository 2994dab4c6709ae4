//! `--version`: the release, the commit it was built from, and what it was built with.

/// `0.1.0 (commit 25c726f, no features)`.
pub(super) const TEXT: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    " (commit ",
    env!("WADDLEPERF_COMMIT"),
    ", ",
    env!("WADDLEPERF_FEATURES"),
    ")"
);

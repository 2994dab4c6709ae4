//! Tiered tests on a schedule: thresholds, escalation, state.

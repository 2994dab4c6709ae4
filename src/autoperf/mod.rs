//! Measures on a schedule, judges what was measured, and looks closer where something is wrong.
//!
//! [`threshold`], [`judge`], [`state`], [`schedule`] and [`step`] are pure: no I/O, no clock, no randomness of their own.

pub mod judge;
pub mod schedule;
pub mod settings;
pub mod state;
pub mod step;
pub mod threshold;

pub use settings::Settings;

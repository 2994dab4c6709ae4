//! Measures on a schedule, judges what was measured, and looks closer where something is wrong.
//!
//! [`threshold`], [`judge`], [`state`], [`schedule`] and [`step`] are pure: no I/O, no clock, no randomness of their own.
//! [`Runner`] runs rounds: a round's tests (`tests`, `own_line`), what is remembered of its target ([`Watch`]), its
//! record. [`daemon()`] runs them on their schedule and
//! when [asked](desk); [`text`] tells of them.

mod budget;
mod check;
pub mod daemon;
pub mod desk;
pub mod judge;
pub mod lock;
mod own_line;
mod round;
pub mod schedule;
pub mod settings;
pub mod state;
pub mod step;
mod tests;
pub mod text;
pub mod threshold;
mod watch;

pub use daemon::daemon;
pub use round::{Round, Runner, moment};
pub use settings::{Settings, TargetConfig};
pub use watch::{Watch, left};

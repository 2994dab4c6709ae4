//! The highest rate over UDP of which no more is lost than is allowed (`--find-max`), found by short tests of ever other rates.
//!
//! [`seek`] says which rate is next, [`judge`] what a trial has shown, both without I/O; [`run`] holds the trials.

mod judge;
mod report;
mod run;
mod seek;
#[cfg(test)]
mod tests;

pub use report::{Bound, Search, SearchEnd, Trial, Verdict};

pub(super) use run::find;

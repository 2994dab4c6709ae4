//! waddleperf: is it the network, where, and since when?
//!
//! A **probe** is a value; running it yields a **measurement**, the one record that is printed, stored,
//! sent, charted and compared with thresholds. The modules, in reading order, each using only those after it:

pub mod cli;
pub mod config;

pub mod serve;

pub mod autoperf;

pub mod report;
pub mod store;

pub mod probe;

pub mod geo;
pub mod net;

pub mod sys;
pub mod wire;

pub mod failure;
pub mod stats;

pub mod units;

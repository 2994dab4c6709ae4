//! `udpping` against its reflector.

mod abuse;
mod loss;
mod order;
mod path;
mod rfc8762;
mod rtt;
mod schedule;
pub(crate) mod serving;
mod worlds;

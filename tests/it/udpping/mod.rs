//! `udpping` against its reflector.

mod abuse;
mod loss;
mod order;
mod path;
mod rfc8762;
mod rtt;
mod schedule;
mod serving;
mod worlds;

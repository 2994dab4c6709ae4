//! `udpping` against its reflector.

mod loss;
mod order;
mod path;
mod rtt;
mod serving;
mod worlds;

//! `mtr` in the lab, beside mtr, traceroute and scamper.

mod line;
mod peers;
mod trace;
mod truth;

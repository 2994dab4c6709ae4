//! `mtr` in the lab, beside mtr, traceroute and scamper.

mod line;
mod multipath;
mod peers;
mod trace;
mod truth;

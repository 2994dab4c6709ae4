//! `mtr` in the lab, beside mtr, traceroute and scamper.

mod flags;
mod line;
mod live;
mod multipath;
mod peers;
mod trace;
mod truth;

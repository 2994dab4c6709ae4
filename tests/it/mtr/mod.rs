//! `mtr` in the lab, beside mtr, traceroute and scamper.

mod flags;
mod hostile;
mod line;
mod live;
mod multipath;
mod nat;
mod peers;
mod relay;
mod rights;
mod shapes;
mod trace;
mod truth;

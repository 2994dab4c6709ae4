//! `mtr` in the lab, beside mtr, traceroute and scamper.

mod hostile;
mod line;
mod multipath;
mod nat;
mod peers;
mod relay;
mod rights;
mod shapes;
mod trace;
mod truth;

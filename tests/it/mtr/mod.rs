//! `mtr` in the lab, beside mtr, traceroute and scamper.

mod line;
mod hostile;
mod multipath;
mod nat;
mod peers;
mod relay;
mod rights;
mod shapes;
mod trace;
mod truth;

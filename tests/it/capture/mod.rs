//! `capture` beside tcpdump and tshark.

mod files;
mod filter;
mod limits;
mod packets;
mod running;
mod tcp;

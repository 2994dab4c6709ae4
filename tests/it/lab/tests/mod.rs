//! The lab, judged by itself.

mod cleanup;
mod impairments;
mod packets;
mod paths;
mod rules;
mod timing;

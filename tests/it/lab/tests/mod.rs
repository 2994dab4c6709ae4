//! The lab, judged by itself.

mod cleanup;
mod impairments;
mod packets;
mod paths;
mod privilege;
mod rules;
mod timing;

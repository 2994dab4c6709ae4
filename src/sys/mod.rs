//! The system calls: the only place with `unsafe`, one safe function per call, and the only clock.

pub mod addresses;
pub mod bulk;
pub mod capability;
pub mod clock;
pub mod connect;
pub mod datagram;
pub mod epoll;
pub mod ethtool;
pub mod filter;
pub mod flow_label;
pub mod host;
pub mod landlock;
pub mod link;
pub mod lock;
pub mod netlink;
mod option;
pub mod packet;
pub mod port;
pub mod privilege;
pub mod process;
pub mod random;
pub mod route;
pub mod secret;
pub mod service;
pub mod tcp;
pub mod wait;

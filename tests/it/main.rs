//! The one integration binary.

mod autoperf;
mod capture;
mod cli;
mod deploy;
mod drift;
mod geoip;
mod image;
mod install;
mod lab;
mod layering;
mod links;
mod mtr;
mod mtu;
mod ping;
mod portscan;
mod resolvertime;
mod results;
mod serve;
mod stage;
mod store;
mod sysinfo;
mod terminal;
mod tool;
mod udpping;

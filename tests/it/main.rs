//! The one integration binary.

mod autoperf;
mod deploy;
mod drift;
mod image;
mod install;
mod lab;
mod layering;
mod links;
mod store;
mod tool;
mod udpping;

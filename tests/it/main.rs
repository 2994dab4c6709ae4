//! The one integration binary.

mod deploy;
mod image;
mod install;
mod lab;
mod layering;
mod store;
mod tool;
mod udpping;

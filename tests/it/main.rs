//! The one integration binary.

mod deploy;
mod image;
mod install;
mod layering;
mod udpping;

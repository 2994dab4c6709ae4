//! The one integration binary.

mod layering;

//! The one integration binary.

mod udpping;

//! `udpping` against its reflector.

mod worlds;

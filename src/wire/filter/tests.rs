//! Expressions on packets.

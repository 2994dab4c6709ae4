//! Pure codecs: octets to views and back. No I/O, no clock, no panics.

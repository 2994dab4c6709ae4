#![no_main]
//! One body with the property tests: `waddleperf::geo::fuzz`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| waddleperf::geo::fuzz(bytes));

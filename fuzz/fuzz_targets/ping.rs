#![no_main]
//! One body with the property tests: `waddleperf::probe::ping::fuzz`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| waddleperf::probe::ping::fuzz(bytes));

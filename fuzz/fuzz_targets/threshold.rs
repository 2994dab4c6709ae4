#![no_main]
//! One body with the property tests: `waddleperf::autoperf::threshold::fuzz_threshold`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| waddleperf::autoperf::threshold::fuzz_threshold(bytes));

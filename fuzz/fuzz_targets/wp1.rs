#![no_main]
//! One body with the property tests: `waddleperf::wire::wp1::fuzz_wp1`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| waddleperf::wire::wp1::fuzz_wp1(bytes));

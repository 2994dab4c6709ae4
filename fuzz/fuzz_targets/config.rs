#![no_main]
//! One body with the property tests: `waddleperf::config::fuzz_config`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| waddleperf::config::fuzz_config(bytes));

#![no_main]
//! One body with the property tests: `waddleperf::probe::mtr::fuzz_mtr`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| waddleperf::probe::mtr::fuzz_mtr(bytes));

#![no_main]
//! One body with the property tests: `waddleperf::probe::capture::fuzz_tally`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| waddleperf::probe::capture::fuzz_tally(bytes));

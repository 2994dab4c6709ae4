#![no_main]
//! One body with the property tests: `waddleperf::wire::sff::fuzz_sff`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| waddleperf::wire::sff::fuzz_sff(bytes));

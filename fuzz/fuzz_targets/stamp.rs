#![no_main]
//! One body with the property tests: `waddleperf::wire::stamp::fuzz_stamp`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| waddleperf::wire::stamp::fuzz_stamp(bytes));

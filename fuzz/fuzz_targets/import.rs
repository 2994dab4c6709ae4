#![no_main]
//! One body with the property tests: `waddleperf::probe::imported::fuzz_import`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| waddleperf::probe::imported::fuzz_import(bytes));

#![no_main]
//! One body with the property tests: `waddleperf::probe::httptrace::fuzz_decode`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| waddleperf::probe::httptrace::fuzz_decode(bytes));

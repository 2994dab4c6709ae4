#![no_main]
//! One body with the property tests: `waddleperf::serve::reflector::fuzz_answer`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| waddleperf::serve::reflector::fuzz_answer(bytes));

#![no_main]
//! One body with the property tests: `waddleperf::wire::x509::fuzz`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| waddleperf::wire::x509::fuzz(bytes));

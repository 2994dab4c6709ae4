#![no_main]
//! One body with the property tests: `waddleperf::wire::tcp::fuzz_tcp`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| waddleperf::wire::tcp::fuzz_tcp(bytes));

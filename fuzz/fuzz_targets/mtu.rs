#![no_main]
//! One body with the property tests: `waddleperf::probe::mtu::fuzz_mtu`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| waddleperf::probe::mtu::fuzz_mtu(bytes));

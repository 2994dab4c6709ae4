#![no_main]
//! One body with the property tests: `waddleperf::wire::icmp::extension::fuzz_extension`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| waddleperf::wire::icmp::extension::fuzz_extension(bytes));

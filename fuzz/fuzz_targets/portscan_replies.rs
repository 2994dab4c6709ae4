#![no_main]
//! One body with the property tests: `waddleperf::probe::portscan::fuzz_replies`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| waddleperf::probe::portscan::fuzz_replies(bytes));

#![no_main]
//! One body with the property tests: `waddleperf::probe::portscan::fuzz_tls`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| waddleperf::probe::portscan::fuzz_tls(bytes));

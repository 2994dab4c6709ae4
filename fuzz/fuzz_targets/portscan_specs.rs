#![no_main]
//! One body with the property tests: `waddleperf::probe::portscan::fuzz_specs`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| waddleperf::probe::portscan::fuzz_specs(&String::from_utf8_lossy(bytes)));

#![no_main]
//! One body with the property tests: `waddleperf::probe::sshping::fuzz_banner`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| waddleperf::probe::sshping::fuzz_banner(bytes));

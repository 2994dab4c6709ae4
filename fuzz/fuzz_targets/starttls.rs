#![no_main]
//! One body with the property tests: `waddleperf::probe::tls::fuzz_starttls`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| waddleperf::probe::tls::fuzz_starttls(bytes));

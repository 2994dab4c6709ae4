#![no_main]
//! One body with the property tests: `waddleperf::wire::quic::fuzz_quic`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| waddleperf::wire::quic::fuzz_quic(bytes));

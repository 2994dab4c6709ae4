#![no_main]
//! One body with the property tests: `waddleperf::wire::dns::fuzz_message`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| waddleperf::wire::dns::fuzz_message(bytes));

#![no_main]
//! One body with the property tests: `waddleperf::wire::filter::fuzz_filter`, the expressions and the machine.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| waddleperf::wire::filter::fuzz_filter(bytes));

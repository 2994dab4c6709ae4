#![no_main]
//! One body with the property tests: `waddleperf::store::fuzz_spool_record`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| waddleperf::store::fuzz_spool_record(bytes));

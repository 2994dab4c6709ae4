#![no_main]
//! One body with the property tests: `waddleperf::wire::iperf3::fuzz_datagram`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| waddleperf::wire::iperf3::fuzz_datagram(bytes));

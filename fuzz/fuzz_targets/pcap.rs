#![no_main]
//! One body with the property tests: `waddleperf::wire::pcap::fuzz_pcap`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| waddleperf::wire::pcap::fuzz_pcap(bytes));

#![no_main]
//! One body with the property tests: `waddleperf::wire::tls::fuzz`; and the staple that comes with a handshake.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    waddleperf::wire::tls::fuzz(bytes);
    let _ = waddleperf::wire::ocsp::Ocsp::parse(bytes);
});

#![no_main]
//! One body with the property tests: `waddleperf::wire::tls::fuzz`; and what comes with certificates: the staple, timestamps of logs.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    waddleperf::wire::tls::fuzz(bytes);
    let _ = waddleperf::wire::ocsp::Ocsp::parse(bytes);
    let _ = waddleperf::wire::sct::Sct::list_in_der(bytes);
    let extension = waddleperf::wire::tls::own_extension(bytes, waddleperf::wire::tls::TIMESTAMPS);
    let _ = waddleperf::wire::sct::Sct::list(extension.flatten().unwrap_or(bytes));
});

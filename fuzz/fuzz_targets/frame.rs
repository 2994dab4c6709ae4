#![no_main]
//! One body with the property tests: `waddleperf::wire::frame::fuzz_frame`, and what is made of a frame.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    waddleperf::wire::frame::fuzz_frame(bytes);
    waddleperf::probe::capture::fuzz_private(bytes);
});

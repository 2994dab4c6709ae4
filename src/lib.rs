//! waddleperf

//! Starts the library's command line.

fn main() -> std::process::ExitCode {
    waddleperf::cli::main()
}

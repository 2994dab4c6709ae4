//! The command line: parses, builds the one runtime, runs, ends with the right exit code.

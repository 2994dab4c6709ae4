//! A list of targets in a file or on standard input.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::failure::{Class, Failure};

/// Octets of the longest list.
const MOST_LIST: u64 = 64 << 20;

/// The text of a list; `-` is standard input. Reads files: not for an async thread.
///
/// # Errors
/// That it cannot be read, or is too long.
pub fn read(path: &Path) -> Result<String, Failure> {
    let name =
        || if path.as_os_str() == "-" { "standard input".to_owned() } else { path.display().to_string() };
    let failure = |error: &io::Error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::InvalidData => {
            Class::Usage.because(format_args!("--file {}: {}", name(), crate::failure::reason(error)))
        }
        _ => Failure::from_io(format_args!("read {}", name()), error),
    };
    let mut text = String::new();
    let read = match path.as_os_str() == "-" {
        true => io::stdin().lock().take(MOST_LIST + 1).read_to_string(&mut text),
        false => File::open(path).and_then(|file| file.take(MOST_LIST + 1).read_to_string(&mut text)),
    };
    match read {
        Ok(length) if length as u64 > MOST_LIST => {
            Err(Class::Usage.because(format_args!("--file {}: is longer than 64 MiB", name())))
        }
        Ok(_) => Ok(text),
        Err(error) => Err(failure(&error)),
    }
}

/// The targets in the text of a list: the first word of each line that is neither empty nor a comment.
pub fn listed(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| line.split_whitespace().next()).filter(|word| !word.starts_with('#'))
}

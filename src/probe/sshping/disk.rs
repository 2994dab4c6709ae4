//! Files of this host that say who and how: read whole, bounded, and no longer than the run.

use std::path::{Path, PathBuf};

use super::config::Files;
use super::pattern;
use crate::failure::{Class, Failure};
use crate::probe::input::Input;
use crate::sys::wait::Stop;
use crate::wire::text::escape;

/// Octets of a configuration that is included.
const MOST_INCLUDED: u64 = 1 << 20;
/// What a configuration is called.
pub(super) const CONFIGURATION: &str = "ssh configuration";

/// The text of a file of at most `most` octets.
pub(super) fn text(what: &str, path: &Path, most: u64, stop: &Stop) -> Result<String, Failure> {
    let octets = Input::open(what, path)?.whole(most, stop)?;
    Ok(String::from_utf8_lossy(&octets).into_owned())
}

/// The text of a file that need not be there.
pub(super) fn text_if_any(what: &str, path: &Path, most: u64, stop: &Stop) -> Result<String, Failure> {
    if path.exists() { text(what, path, most, stop) } else { Ok(String::new()) }
}

/// Configurations that are included: files of this host.
pub(super) struct Disk<'a>(pub(super) &'a Stop);

impl Files for Disk<'_> {
    fn named(&self, pattern: &Path) -> Result<Vec<PathBuf>, Failure> {
        let (directory, name) =
            (pattern.parent().unwrap_or(pattern), pattern.file_name().unwrap_or_default());
        let (name, place) = (name.to_string_lossy(), directory.to_string_lossy());
        if place.contains(['*', '?', '[']) || name.contains('[') {
            return Err(Class::Usage.because(format_args!(
                "ssh configuration: of Include {} not all is understood: stars and question marks may stand in its last part; \
                 -F names another configuration",
                escape(&pattern.display().to_string())
            )));
        }
        if !name.contains(['*', '?']) {
            return Ok(vec![pattern.to_owned()]);
        }
        let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        let is_meant = |file: &String| !file.starts_with('.') && pattern::matches_any([&*name], file);
        let mut files: Vec<PathBuf> = names.filter(is_meant).map(|name| directory.join(name)).collect();
        files.retain(|file| file.is_file());
        files.sort();
        Ok(files)
    }

    fn text(&self, path: &Path) -> Result<String, Failure> {
        text_if_any(CONFIGURATION, path, MOST_INCLUDED, self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_are_included_are_named_in_their_order() {
        let directory = tempfile::tempdir().expect("a directory");
        let stop = Stop::new().expect("a switch");
        for name in ["b.conf", "a.conf", ".c.conf", "other"] {
            std::fs::write(directory.path().join(name), name).expect("a file");
        }
        std::fs::create_dir(directory.path().join("d.conf")).expect("a directory");
        let of = |name: &str| Disk(&stop).named(&directory.path().join(name));
        let texts = |name: &str| {
            let files = of(name).expect("names").into_iter();
            files.map(|file| Disk(&stop).text(&file).expect("readable")).collect::<Vec<_>>()
        };
        assert_eq!(
            (texts("*.conf"), texts("oth?r")),
            (vec!["a.conf".to_owned(), "b.conf".to_owned()], vec!["other".to_owned()])
        );
        assert_eq!(texts("none"), [""]);
        assert!(texts("none/x*").is_empty());
        assert!(
            of("*/x").is_err_and(|why| why.detail.contains("not all is understood")) && of("[ab]").is_err()
        );
    }
}

//! Generated files: a name, its contents, and one way to write them.

use std::fs;
use std::path::Path;

use crate::failure::Failure;

/// A generated file.
pub(super) struct File {
    pub(super) name: String,
    pub(super) text: String,
}

impl File {
    /// Writes `files` into `dir`, and names them.
    pub(super) fn write_all(dir: &Path, files: &[Self]) -> Result<u8, Failure> {
        fs::create_dir_all(dir)
            .map_err(|error| Failure::from_io(format_args!("create {}", dir.display()), &error))?;
        let mut names = String::new();
        for file in files {
            let path = dir.join(&file.name);
            fs::write(&path, &file.text)
                .map_err(|error| Failure::from_io(format_args!("write {}", path.display()), &error))?;
            names.extend([&path.display().to_string(), "\n"]);
        }
        crate::cli::say(&names)
    }
}

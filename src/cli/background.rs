//! A server in the background: a process of its own, a file with its number, a file for what it tells.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use crate::failure::{Class, Failure};
use crate::sys::process;

/// Files that are open, for what comes later: by then this process may open none outside of its data.
pub(super) struct Background {
    is_wanted: bool,
    pidfile: Option<(PathBuf, File)>,
    log: Option<File>,
    nothing: File,
}

impl Background {
    /// Opens the files.
    ///
    /// # Errors
    /// One that cannot be opened, or a number of a process that lives.
    pub(super) fn open(is_wanted: bool, pidfile: Option<&Path>, log: Option<&Path>) -> Result<Self, Failure> {
        let log = log.map(|path| process::log(path).map_err(|error| failed(path, &error))).transpose()?;
        let null = Path::new("/dev/null");
        let nothing = File::options().read(true).write(true).open(null);
        let nothing = nothing.map_err(|error| failed(null, &error))?;
        Ok(Self { is_wanted, pidfile: pidfile.map(own).transpose()?, log, nothing })
    }

    /// Leaves the one who has started this, where that is wanted, and writes the number. Call it before the first thread.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn enter(&self) -> Result<(), Failure> {
        if self.is_wanted {
            process::detach().map_err(|error| Failure::from_io("go to the background", &error))?;
        }
        if let Some((path, mut file)) = self.pidfile.as_ref().map(|(path, file)| (path, file)) {
            let written = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
            written.map_err(|error| failed(path, &error))?;
        }
        Ok(())
    }

    /// Tells from now on to the log, or to nobody where there is none and nobody is there.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn leave_terminal(&self) -> Result<(), Failure> {
        if !self.is_wanted && self.log.is_none() {
            return Ok(());
        }
        process::leave_terminal(self.log.as_ref().unwrap_or(&self.nothing), &self.nothing)
            .map_err(|error| Failure::from_io("leave the terminal", &error))
    }

    /// The number is nobody's any more.
    pub(super) fn clear(&self) {
        if let Some((_, file)) = &self.pidfile {
            let _ = file.set_len(0);
        }
    }
}

/// A file for a number, which is no living process's.
fn own(path: &Path) -> Result<(PathBuf, File), Failure> {
    let mut file = OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .open(path)
        .map_err(|error| failed(path, &error))?;
    let mut text = String::new();
    let read = (&mut file).take(32).read_to_string(&mut text);
    read.map_err(|error| failed(path, &error))?;
    match text.trim().parse() {
        Ok(pid) if process::lives(pid) => Err(Class::Usage.because(format_args!(
            "--pidfile {}: process {pid}, whose number is there, lives",
            path.display()
        ))),
        _ => Ok((path.to_owned(), file)),
    }
}

fn failed(path: &Path, error: &std::io::Error) -> Failure {
    Failure::from_io(format_args!("open {}", path.display()), error)
}

//! Files that a probe reads: a list of targets, a key, packets. None of them can hold a run up: a FIFO is opened without
//! waiting for who writes it, and whoever waits for octets waits for the wish to end, too.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use nix::libc;

use super::Ctx;
use super::own_thread::on_own_thread;
use crate::failure::{Class, Failure};
use crate::sys::wait::{Stop, wait};

/// Octets that are read at once of a whole file.
const PIECE: u64 = 64 * 1024;

/// A file, or standard input, that is read once from its beginning.
pub(super) struct Input {
    file: File,
    /// What it is, and its name: `--file hosts.txt`.
    what: String,
}

/// How `path` is called in messages.
pub(super) fn name(path: &Path) -> String {
    if path == Path::new("-") { "standard input".to_owned() } else { path.display().to_string() }
}

/// Whom a list at `path` names, in a person's words.
pub(super) fn subject(path: &Path) -> String {
    let word = if path == Path::new("-") { "on" } else { "in" };
    format!("those {word} {}", name(path))
}

/// All of the file at `path`, which is `what`; of `most` octets at most.
///
/// # Errors
/// As [`Input::open`] and [`Input::whole`].
pub(super) async fn whole(ctx: &Ctx, what: &'static str, path: &Path, most: u64) -> Result<Vec<u8>, Failure> {
    let path = path.to_owned();
    on_own_thread("input", ctx, move |stop| Input::open(what, &path)?.whole(most, stop)).await?
}

impl Input {
    /// Opens the file at `path` (`-` is standard input), which is `what`.
    ///
    /// # Errors
    /// Class `usage` where there is no such file, `permission` where it may not be read.
    pub(super) fn open(what: &str, path: &Path) -> Result<Self, Failure> {
        let what = format!("{what} {}", name(path));
        let opened = match path == Path::new("-") {
            true => io::stdin().as_fd().try_clone_to_owned().map(File::from),
            false => OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path),
        };
        match opened {
            Ok(file) => Ok(Self { file, what }),
            Err(error) => Err(failure(&what, &error)),
        }
    }

    /// Refuses a file that is not there, as [`Input::open`] does, without a look into it: a pipe is read once.
    ///
    /// # Errors
    /// As [`Input::open`].
    pub(super) fn check(what: &str, path: &Path) -> Result<(), Failure> {
        let there = if path == Path::new("-") { Ok(()) } else { std::fs::metadata(path).map(drop) };
        there.map_err(|error| failure(&format!("{what} {}", name(path)), &error))
    }

    /// What the system knows of it.
    ///
    /// # Errors
    /// What it says.
    pub(super) fn metadata(&self) -> Result<Metadata, Failure> {
        self.file.metadata().map_err(|error| self.failure(&error))
    }

    /// Whether it lies somewhere below `directory`, by whatever name it was opened.
    pub(super) fn is_beneath(&self, directory: &Path) -> bool {
        std::fs::read_link(format!("/proc/self/fd/{}", self.file.as_raw_fd()))
            .is_ok_and(|place| place.starts_with(directory))
    }

    /// Reads some octets, as soon as there are any: how many, 0 at the end; `None` when `stop` is set before.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn read(&mut self, into: &mut [u8], stop: &Stop) -> Result<Option<usize>, Failure> {
        loop {
            let woken = wait(&[self.file.as_fd()], Some(stop), None).map_err(|error| self.failure(&error))?;
            if woken.stop {
                return Ok(None);
            }
            if woken.readable | woken.errors == 0 {
                continue;
            }
            match self.file.read(into) {
                Err(error)
                    if matches!(error.kind(), io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock) => {}
                read => return read.map(Some).map_err(|error| self.failure(&error)),
            }
        }
    }

    /// Reads to the end.
    ///
    /// # Errors
    /// Class `usage` where there are more than `most` octets, `cancelled` where `stop` is set before the end, and what
    /// the system says.
    pub(super) fn whole(mut self, most: u64, stop: &Stop) -> Result<Vec<u8>, Failure> {
        let expected = self.metadata()?.len().min(most) as usize;
        let mut octets = Vec::with_capacity(expected);
        let mut piece = vec![0; most.saturating_add(1).min(PIECE) as usize];
        loop {
            match self.read(&mut piece, stop)? {
                None => return Err(Class::Cancelled.because(format_args!("{}: interrupted", self.what))),
                Some(0) => return Ok(octets),
                Some(count) => octets.extend(&piece[..count]),
            }
            if octets.len() as u64 > most {
                let what = &self.what;
                return Err(Class::Usage.because(format_args!("{what}: is longer than {most} octets")));
            }
        }
    }

    fn failure(&self, error: &io::Error) -> Failure {
        failure(&self.what, error)
    }
}

/// A file that is not there, or is none, was asked for wrongly; one that may not be read is this side's failure
/// (design §5).
fn failure(what: &str, error: &io::Error) -> Failure {
    use libc::{EISDIR, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR, ENXIO};
    match error.raw_os_error() {
        Some(ENOENT | ENOTDIR | EISDIR | ENXIO | ELOOP | ENAMETOOLONG) => {
            Class::Usage.because(format_args!("{what}: {}", crate::failure::reason(error)))
        }
        _ => Failure::from_io(what, error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::stat::Mode;
    use std::io::Write;
    use std::time::Duration;

    #[test]
    fn a_file_is_read_to_its_end_and_no_further_than_asked() {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        let octets: Vec<u8> = (0..200_000u32).map(|n| n as u8).collect();
        file.write_all(&octets).expect("written");
        let stop = Stop::new().expect("a switch");
        let read = |most| Input::open("list", file.path()).and_then(|input| input.whole(most, &stop));
        assert_eq!(read(200_000), Ok(octets));
        let refused = read(199_999).expect_err("too long");
        assert!(refused.class == Class::Usage && refused.detail.contains("199999 octets"), "{refused}");
    }

    #[test]
    fn a_fifo_that_nobody_writes_waits_for_the_wish_to_end() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("fifo");
        nix::unistd::mkfifo(&path, Mode::S_IRWXU).expect("a fifo");
        let stop = Stop::new().expect("a switch");
        let input = Input::open("list", &path).expect("opened without a writer");
        let nothing = wait(&[input.file.as_fd()], Some(&stop), Some(Duration::from_millis(1)));
        assert_eq!(nothing.expect("waited"), crate::sys::wait::Woken::default(), "no end without a writer");
        let mut writer = File::options().write(true).open(&path).expect("a reader is there");
        writer.write_all(b"a.example\n").expect("written");
        drop(writer);
        assert_eq!(input.whole(64, &stop), Ok(b"a.example\n".to_vec()));
        stop.set();
        let again = Input::open("list", &path).and_then(|input| input.whole(64, &stop));
        assert_eq!(again.expect_err("stopped").class, Class::Cancelled);
    }

    #[test]
    fn where_a_file_lies_is_not_what_its_name_says() {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path().canonicalize().expect("its name");
        let (inner, outer) = (folder.join("inner"), folder.join("outer"));
        for place in [&inner, &outer] {
            std::fs::create_dir(place).expect("a folder");
            std::fs::write(place.join("key"), "secret").expect("a file");
        }
        std::os::unix::fs::symlink(outer.join("key"), inner.join("out")).expect("a link");
        std::os::unix::fs::symlink(inner.join("key"), outer.join("in")).expect("a link");
        for (name, expected) in [
            ("inner/key", true),
            ("outer/in", true),
            ("outer/../inner/key", true),
            ("outer/key", false),
            ("inner/out", false),
            ("inner/../outer/key", false),
        ] {
            let input = Input::open("key", &folder.join(name)).expect(name);
            assert_eq!(input.is_beneath(&inner), expected, "{name}");
        }
    }

    #[test]
    fn what_is_no_file_was_asked_for_wrongly() {
        let stop = Stop::new().expect("a switch");
        for (path, word) in
            [("/no/such/list", "no such file"), ("/", "is a directory"), ("/dev/null/x", "not a")]
        {
            let read = Input::open("list", Path::new(path)).and_then(|input| input.whole(64, &stop));
            let failure = read.expect_err(path);
            assert!(failure.class == Class::Usage && failure.detail.contains(word), "{failure}");
        }
    }
}

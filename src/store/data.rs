//! `DATA`: the directory that holds the store, the spool, locks and sockets (design §6).

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};

use crate::failure::{Class, Failure};
use crate::sys;

/// The data directory. Making the value touches nothing; [`Data::make`] does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Data(PathBuf);

impl Data {
    /// The directory at `path`, whether or not it exists yet.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The directory itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The redb file.
    pub fn store(&self) -> PathBuf {
        self.0.join("results.redb")
    }

    /// Where processes without the store's lock leave their records.
    pub fn spool(&self) -> PathBuf {
        self.0.join("spool")
    }

    /// The owner's socket.
    pub fn socket(&self) -> PathBuf {
        self.0.join("control.sock")
    }

    /// Held by the one autoperf run (promise R7).
    pub fn autoperf_lock(&self) -> PathBuf {
        self.0.join("autoperf.lock")
    }

    /// Where the process that measures is asked for rounds.
    pub fn autoperf_socket(&self) -> PathBuf {
        self.0.join("autoperf.sock")
    }

    /// Where `geoip update` puts databases of places.
    pub fn geo(&self) -> PathBuf {
        self.0.join("geo")
    }

    /// Held while the store's file is created.
    pub(super) fn create_lock(&self) -> PathBuf {
        self.0.join("create.lock")
    }

    /// Creates the directory and its spool (0700), or checks that nobody else can put files into them.
    ///
    /// # Errors
    /// `permission` when it belongs to somebody else, when others may write to it, or when it cannot be made.
    pub fn make(&self) -> Result<(), Failure> {
        make_private(&self.0)?;
        make_private(&self.spool())
    }

    /// Creates the directory for databases of places, and the one that it is in.
    ///
    /// # Errors
    /// As [`make`](Self::make).
    pub fn make_geo(&self) -> Result<(), Failure> {
        make_private(&self.0)?;
        make_private(&self.geo())
    }

    /// Whether others may put files into the directory or its spool.
    pub(super) fn is_exposed(&self) -> bool {
        [self.path(), &self.spool()]
            .into_iter()
            .any(|path| fs::metadata(path).is_ok_and(|found| is_exposed(&found)))
    }

    /// Puts `octets` durably at `path`: a private file beside it, fsync, rename, fsync of the directory.
    ///
    /// # Errors
    /// The system's, with the path.
    pub fn put(&self, path: &Path, octets: &[u8]) -> Result<(), Failure> {
        let what = || format!("write {}", path.display());
        let dir = path.parent().unwrap_or(&self.0);
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let temporary = dir.join(format!(".{name}.{}", std::process::id()));
        let written = self
            .create(&temporary)
            .and_then(|mut file| file.write_all(octets).and_then(|()| file.sync_all()))
            .and_then(|()| fs::rename(&temporary, path))
            .and_then(|()| sync_dir(dir));
        if written.is_err() {
            let _ = fs::remove_file(&temporary);
        }
        written.map_err(|error| Failure::from_io(what(), &error))
    }

    /// A fresh private file that belongs to whom the directory belongs to, also when root makes it.
    pub(super) fn create(&self, path: &Path) -> std::io::Result<File> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true).mode(0o600);
        let file = options.custom_flags(nix::libc::O_NOFOLLOW).open(path)?;
        let owner = fs::metadata(&self.0)?;
        // Root's are root's as they are: a server that stays root has no right to give any away.
        if sys::host::is_root() && owner.uid() != 0 {
            fchown(&file, Some(owner.uid()), Some(owner.gid()))?;
        }
        Ok(file)
    }
}

/// Makes a rename or a removal in `dir` durable.
pub(super) fn sync_dir(dir: &Path) -> std::io::Result<()> {
    File::open(dir)?.sync_all()
}

fn make_private(path: &Path) -> Result<(), Failure> {
    let shown = path.display();
    let mut builder = DirBuilder::new();
    match fs::metadata(path) {
        Ok(found) => return check_private(path, &found),
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(Failure::from_io(format_args!("open {shown}"), &error));
        }
        Err(_) => {}
    }
    match builder.recursive(true).mode(0o700).create(path) {
        Ok(()) => {
            hand_over(path);
            Ok(())
        }
        Err(error) => Err(Failure::from_io(format_args!("create {shown}"), &error)),
    }
}

/// What root makes inside somebody's data directory belongs to that somebody. Best effort: root can read it anyway.
fn hand_over(path: &Path) {
    let Some(Ok(above)) = path.parent().map(fs::metadata) else {
        return;
    };
    if sys::host::is_root() && path.file_name().is_some_and(|name| name == "spool" || name == "rejected") {
        let _ = std::os::unix::fs::chown(path, Some(above.uid()), Some(above.gid()));
    }
}

fn check_private(path: &Path, found: &fs::Metadata) -> Result<(), Failure> {
    let shown = path.display();
    let me = nix::unistd::geteuid();
    let wrong = |text: String| Err(Class::Permission.because(text));
    if !found.is_dir() {
        return wrong(format!("{shown}: not a directory"));
    }
    if found.uid() != me.as_raw() && !me.is_root() {
        return wrong(format!(
            "{shown}: belongs to uid {}, this is uid {me}; run as its owner or name another directory with --data",
            found.uid()
        ));
    }
    if is_exposed(found) {
        return wrong(format!("{shown}: others may write to it; chmod 700 {shown}"));
    }
    Ok(())
}

fn is_exposed(found: &fs::Metadata) -> bool {
    found.mode() & 0o022 != 0
}

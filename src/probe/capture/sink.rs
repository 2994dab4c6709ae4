//! Where packets are written: one file, a ring of them, or stdout.
//!
//! A file is made for its owner only, and never through a link or over what is somebody else's. Octets are gathered and
//! go out in large pieces; when the disk is full, the file is cut back to its last whole packet.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use aws_lc_rs::digest::{Context, SHA256};
use nix::libc::{O_CLOEXEC, O_NOFOLLOW, O_NONBLOCK};

use super::Capture;
use super::names::Names;
use super::report::Kept;
use crate::failure::{Class, Failure, reason};
use crate::sys::wait::{Stop, wait, wait_writable};
use crate::sys::{clock, host, landlock, privilege};
use crate::units::nanos;
use crate::wire::pcap::{Packet, Writer};

/// Octets that are gathered before they are written.
const PIECE: usize = 128 * 1024;
/// Octets that a pipe takes whole once it says that it is ready: `PIPE_BUF`.
const PIPE: usize = 4096;
/// How long whoever reads a stream may take for so much once the run is over.
const GRACE: Duration = Duration::from_millis(300);
/// Files that a report lists.
const MOST_LISTED: usize = 1000;
const MIB: u64 = 1 << 20;
const MB: u64 = 1_000_000;

/// What became of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    /// It is in the file, or on its way there.
    Kept,
    /// The file has no room for it: the limit.
    Full,
    /// Nobody reads any more.
    Unread,
}

/// The files of a capture.
pub(super) struct Sink {
    writer: Writer,
    names: Names,
    rules: Rules,
    open: Open,
    /// Octets of the files before it.
    before: u64,
    done: VecDeque<Kept>,
    /// The file before, on its way to the disk.
    syncing: Option<JoinHandle<io::Result<()>>>,
    received: u64,
    dropped: u64,
    /// Whoever reads is gone, or did not come back in time.
    is_unread: bool,
    end: End,
}

/// What ends waiting for who reads a stream.
#[derive(Default)]
struct End {
    /// Readable once the run shall end.
    stop: Option<OwnedFd>,
    /// When the run ends by itself.
    until: Option<Instant>,
}

/// When a file ends, and all of them.
struct Rules {
    most: u64,
    file_size: Option<u64>,
    every: Option<u64>,
    files: Option<u64>,
}

/// The file that is written to.
struct Open {
    path: PathBuf,
    file: File,
    kind: Kind,
    buffer: Vec<u8>,
    digest: Context,
    /// Octets that have left the buffer, and packets in them.
    written: u64,
    safe: u64,
    packets: u64,
    began: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A file of its own.
    Regular,
    /// Stdout, or a device.
    Stream,
}

impl Sink {
    /// Opens the first file, which begins at `moment`, nanoseconds since the epoch.
    pub(super) fn open(asked: &Capture, path: &Path, writer: Writer, moment: u64) -> Result<Self, Failure> {
        let rules = Rules {
            // A ring bounds itself.
            most: if asked.file_size.is_some() && asked.files.is_some() {
                u64::MAX
            } else {
                asked.size.saturating_mul(MIB)
            },
            file_size: asked.file_size.map(|size| size.saturating_mul(MB)),
            every: asked.rotate.map(|time| nanos(time.0)),
            files: asked.files.map(u64::from),
        };
        let mut names = Names::of(asked, path)?;
        let open = Open::at(names.next(moment)?, &writer)?;
        Ok(Self {
            writer,
            names,
            rules,
            open,
            before: 0,
            done: VecDeque::new(),
            syncing: None,
            received: 0,
            dropped: 0,
            is_unread: false,
            end: End::default(),
        })
    }

    /// Waits for a reader no longer than until `stop` is set, or `until` is there.
    pub(super) fn heed(&mut self, stop: &Stop, until: Option<Instant>) -> Result<(), Failure> {
        let stop = stop.as_fd().try_clone_to_owned();
        let stop = stop.map_err(|error| Failure::from_io("share a descriptor", &error))?;
        self.end = End { stop: Some(stop), until };
        Ok(())
    }

    /// Leaves the calling thread, and those that it starts, no file to open but the next ones. Not every kernel can.
    pub(super) fn confine(&self) {
        let rotates = self.rules.file_size.is_some() || self.rules.every.is_some();
        let Some(directory) = self.names.directory() else { return };
        let writable = [directory];
        let writable = if rotates { &writable[..] } else { &[] };
        let confined = privilege::forbid_new().and_then(|()| landlock::confine(writable, &[]));
        if let Err(error) = confined {
            tracing::debug!("files are not confined to {}: {error}", directory.display());
        }
    }

    /// The kernel's counts so far, for the files' ends.
    pub(super) const fn count(&mut self, received: u64, dropped: u64) {
        (self.received, self.dropped) = (received, dropped);
    }

    /// Writes `packet`.
    pub(super) fn packet(&mut self, packet: &Packet<'_>) -> Result<Written, Failure> {
        let octets = self.writer.octets(packet.data.len()) as u64;
        if self.before + self.open.octets() + octets > self.rules.most {
            return Ok(Written::Full);
        }
        if self.is_over(packet, octets) {
            self.next(packet.stamp.unwrap_or_else(|| clock::now().wall))?;
        }
        self.open.began = self.open.began.or(packet.stamp);
        self.open.packets += 1;
        self.writer.packet(&mut self.open.buffer, packet);
        if self.open.buffer.len() >= PIECE {
            self.flush()?;
        }
        Ok(if self.is_unread { Written::Unread } else { Written::Kept })
    }

    /// Whether `packet` goes into another file.
    fn is_over(&self, packet: &Packet<'_>, octets: u64) -> bool {
        let is_full = self.rules.file_size.is_some_and(|size| self.open.octets() + octets > size);
        let age = packet.stamp.zip(self.open.began).map(|(now, began)| now.saturating_sub(began));
        let is_old = self.rules.every.is_some_and(|every| age >= Some(every));
        self.open.packets > 0 && (is_full || is_old)
    }

    /// Writes what was gathered. Whether somebody still reads.
    pub(super) fn flush(&mut self) -> Result<bool, Failure> {
        if self.is_unread {
            self.open.buffer.clear();
            return Ok(false);
        }
        match self.open.flush(&self.end) {
            Ok(()) => Ok(true),
            Err(error) if matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::TimedOut) => {
                self.is_unread = true;
                self.open.buffer.clear();
                Ok(false)
            }
            Err(error) => Err(self.open.failure(&error)),
        }
    }

    fn next(&mut self, moment: u64) -> Result<(), Failure> {
        self.close()?;
        self.before += self.open.octets();
        let path = self.names.next(moment)?;
        // A name may come again: a file of the ring, or a date without its day.
        self.done.retain(|kept| kept.file != path);
        while self.rules.files.is_some_and(|files| self.done.len() as u64 >= files) {
            if let Some(oldest) = self.done.pop_front() {
                std::fs::remove_file(&oldest.file).map_err(|error| {
                    Failure::from_io(format_args!("remove {}", oldest.file.display()), &error)
                })?;
            }
        }
        self.open = Open::at(path, &self.writer)?;
        Ok(())
    }

    /// Ends the file that is open; it goes to the disk meanwhile.
    fn close(&mut self) -> Result<(), Failure> {
        let stamp = clock::now().wall;
        self.writer.end(&mut self.open.buffer, stamp, self.received, self.dropped);
        self.flush()?;
        self.synced()?;
        if self.open.kind == Kind::Regular {
            let file = self.open.file.try_clone().map_err(|error| self.open.failure(&error))?;
            let thread = std::thread::Builder::new().name("fsync".to_owned());
            let syncing = thread.spawn(move || file.sync_all());
            self.syncing = Some(syncing.map_err(|error| Failure::from_io("start a thread", &error))?);
        }
        let digest = std::mem::replace(&mut self.open.digest, Context::new(&SHA256)).finish();
        self.done.push_back(Kept {
            file: self.open.path.clone(),
            packets: if self.is_unread { self.open.safe } else { self.open.packets },
            bytes: self.open.octets(),
            sha256: digest.as_ref().iter().map(|octet| format!("{octet:02x}")).collect(),
        });
        // A ring must know its files; of others only those are of use that a report has room for.
        if self.rules.files.is_none() && self.done.len() > MOST_LISTED {
            self.done.pop_front();
        }
        Ok(())
    }

    /// Waits until the file before is on the disk.
    fn synced(&mut self) -> Result<(), Failure> {
        let Some(syncing) = self.syncing.take() else {
            return Ok(());
        };
        let done = syncing.join().unwrap_or_else(|_| Err(io::ErrorKind::Other.into()));
        done.map_err(|error| self.open.failure(&error))
    }

    /// Ends the last file: all is on the disk when this returns.
    pub(super) fn finish(mut self) -> Result<Vec<Kept>, Failure> {
        // What is left is the end of the file: nobody is waited for any more.
        self.end = End::default();
        self.close()?;
        self.synced()?;
        self.done.drain(..self.done.len().saturating_sub(MOST_LISTED));
        Ok(self.done.into())
    }
}

impl Open {
    fn at(path: PathBuf, writer: &Writer) -> Result<Self, Failure> {
        let (file, kind) = open(&path)?;
        let mut buffer = Vec::with_capacity(PIECE + PIECE / 2);
        writer.begin(&mut buffer);
        Ok(Self {
            path,
            file,
            kind,
            buffer,
            digest: Context::new(&SHA256),
            written: 0,
            safe: 0,
            packets: 0,
            began: None,
        })
    }

    const fn octets(&self) -> u64 {
        self.written + self.buffer.len() as u64
    }

    fn flush(&mut self, end: &End) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let written = match self.kind {
            Kind::Regular => self.file.write_all(&self.buffer),
            Kind::Stream => self.pour(end),
        };
        if let Err(error) = written {
            if self.kind == Kind::Regular {
                // What was written of this piece ends anywhere.
                let _ = self.file.set_len(self.written).and_then(|()| self.file.sync_all());
            }
            return Err(error);
        }
        self.digest.update(&self.buffer);
        self.written += self.buffer.len() as u64;
        self.safe = self.packets;
        self.buffer.clear();
        Ok(())
    }

    /// Writes to a reader, who may be slow, or asleep: what he does not take at once he is asked for again, until the run
    /// ends; then he has [`GRACE`] for each [`PIPE`]: who reads slowly loses nothing.
    fn pour(&mut self, end: &End) -> io::Result<()> {
        let mut rest = &self.buffer[..];
        while !rest.is_empty() {
            if !wait_writable(self.file.as_fd(), None, Duration::ZERO)? {
                let left =
                    end.until.map_or(PATIENCE, |until| until.saturating_duration_since(clock::now().mono));
                let stop = end.stop.as_ref().map(AsFd::as_fd);
                let is_stopped =
                    |stop| wait(&[stop], None, Some(Duration::ZERO)).is_ok_and(|woken| woken.readable > 0);
                let is_over = left.is_zero() || stop.is_none_or(is_stopped);
                let (stop, patience) = if is_over { (None, GRACE) } else { (stop, left.min(PATIENCE)) };
                match wait_writable(self.file.as_fd(), stop, patience)? {
                    true => {}
                    false if is_over => return Err(io::ErrorKind::TimedOut.into()),
                    false => continue,
                }
            }
            // A pipe that is ready takes so much without making us wait.
            let taken = self.file.write(&rest[..rest.len().min(PIPE)])?;
            rest = &rest[taken..];
        }
        Ok(())
    }

    /// Why writing failed, and what is there nevertheless.
    fn failure(&self, error: &io::Error) -> Failure {
        let (path, why) = (self.path.display(), reason(error));
        let kept = format_args!("{} packets, {} octets", self.safe, self.written);
        Class::Internal.because(format_args!("write {path}: {why}; {kept} of it are whole"))
    }
}

/// Whether `path` is a name of stdout.
pub(super) fn is_stdout(path: &Path) -> bool {
    ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"].iter().any(|name| path == Path::new(name))
}

/// Opens `path`, which `-` makes stdout, for its owner only.
fn open(path: &Path) -> Result<(File, Kind), Failure> {
    let failed = |error: &io::Error| Failure::from_io(format_args!("write {}", path.display()), error);
    if is_stdout(path) {
        let stdout = io::stdout().as_fd().try_clone_to_owned().map_err(|error| failed(&error))?;
        return Ok((stdout.into(), Kind::Stream));
    }
    let mut options = OpenOptions::new();
    options.write(true).mode(0o600).custom_flags(O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    match options.clone().create_new(true).open(path) {
        Ok(file) => return Ok((file, Kind::Regular)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(failed(&error)),
    }
    let refused = |why: &str| Class::Usage.because(format_args!("write {}: {why}", path.display()));
    let found = std::fs::symlink_metadata(path).map_err(|error| failed(&error))?;
    if found.is_symlink() {
        return Err(refused("it is a link; name the file itself"));
    }
    let file = options.open(path).map_err(|error| failed(&error))?;
    // What was opened, whatever stands there now.
    let found = file.metadata().map_err(|error| failed(&error))?;
    if found.file_type().is_char_device() {
        return Ok((file, Kind::Stream));
    }
    if !found.is_file() {
        return Err(refused("it is no file"));
    }
    if found.uid() != host::user() || found.nlink() != 1 {
        return Err(refused("it is somebody else's, or has another name; remove it first"));
    }
    let emptied = file.set_permissions(PermissionsExt::from_mode(0o600)).and_then(|()| file.set_len(0));
    emptied.map_err(|error| failed(&error))?;
    Ok((file, Kind::Regular))
}

/// How long after the last packet a file may wait for the next before what was gathered is written.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Span;
    use crate::wire::pcap::{Format, Link};

    fn writer() -> Writer {
        Writer::new(Format::Ng, Link::Ethernet, 128, "lo", "")
    }

    #[test]
    fn nothing_is_written_through_a_link_or_over_what_has_two_names() {
        let dir = tempfile::tempdir().expect("a directory");
        let (victim, link, twin) =
            (dir.path().join("victim"), dir.path().join("link"), dir.path().join("twin"));
        std::fs::write(&victim, "precious").expect("write");
        std::os::unix::fs::symlink(&victim, &link).expect("link");
        let asked = Capture::default();
        let why = |path: &Path| Sink::open(&asked, path, writer(), 0).err().expect("refused").to_string();
        assert!(why(&link).ends_with("it is a link; name the file itself"), "{}", why(&link));
        std::fs::hard_link(&victim, &twin).expect("link");
        assert!(why(&twin).contains("another name"), "{}", why(&twin));
        assert!(why(dir.path()).starts_with("write "), "{}", why(dir.path()));
        assert_eq!(std::fs::read_to_string(&victim).expect("read"), "precious");
    }

    #[test]
    fn a_file_is_its_owners_and_its_digest_is_true() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("a.pcapng");
        std::fs::write(&path, vec![7; 100_000]).expect("an older file, which others may read");
        let mut sink = Sink::open(&Capture::default(), &path, writer(), 0).expect("a file");
        let packet = Packet { stamp: Some(1), link: Link::Ethernet, wire_length: 60, data: &[1; 60] };
        assert_eq!(sink.packet(&packet).expect("written"), Written::Kept);
        let kept = sink.finish().expect("closed");
        let octets = std::fs::read(&path).expect("read");
        let digest = aws_lc_rs::digest::digest(&SHA256, &octets);
        let digits: String = digest.as_ref().iter().map(|octet| format!("{octet:02x}")).collect();
        assert_eq!(
            (kept[0].sha256.as_str(), kept[0].bytes, kept[0].packets),
            (digits.as_str(), octets.len() as u64, 1)
        );
        assert_eq!(std::fs::metadata(&path).expect("there").mode() & 0o777, 0o600);
    }

    #[test]
    fn a_confined_thread_opens_the_next_files_and_no_other() {
        let (dir, other) = (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("another"));
        let asked = Capture {
            rotate: Some(Span::secs(1)),
            files: Some(2),
            write: Some(dir.path().join("a-%s")),
            ..Capture::default()
        };
        let path = asked.write.clone().expect("a name");
        let mut sink = Sink::open(&asked, &path, writer(), 0).expect("a file");
        let elsewhere = other.path().join("b");
        let files = std::thread::spawn(move || {
            sink.confine();
            let refused = std::fs::write(elsewhere, "").map_err(|error| error.kind());
            for seconds in [0, 1, 2, 3] {
                let stamp = Some(seconds * 1_000_000_000);
                let packet = Packet { stamp, link: Link::Ethernet, wire_length: 60, data: &[1; 60] };
                assert_eq!(sink.packet(&packet).expect("written"), Written::Kept);
            }
            (sink.finish().expect("closed"), refused)
        });
        let (files, refused) = files.join().expect("it ends");
        let names: Vec<_> = files.into_iter().map(|kept| kept.file).collect();
        assert_eq!(names, ["a-2", "a-3"].map(|name| dir.path().join(name)), "the latest two");
        let mut there: Vec<_> =
            std::fs::read_dir(dir.path()).expect("readable").flatten().map(|e| e.path()).collect();
        there.sort();
        assert_eq!(there, names, "and no other");
        let is_known = || privilege::forbid_new().and_then(|()| landlock::confine(&[], &[])).is_ok();
        let is_known = std::thread::spawn(is_known).join().expect("it ends");
        assert_eq!(refused.is_err(), is_known, "{refused:?}");
    }

    #[test]
    fn a_limit_is_never_passed() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("a.pcapng");
        let asked = Capture { size: 1, ..Capture::default() };
        let mut sink = Sink::open(&asked, &path, writer(), 0).expect("a file");
        let packet = Packet { stamp: Some(1), link: Link::Ethernet, wire_length: 1500, data: &[1; 1500] };
        let kept = (0..2000).take_while(|_| sink.packet(&packet).expect("written") == Written::Kept).count();
        assert_eq!(sink.packet(&packet).expect("refused"), Written::Full);
        let files = sink.finish().expect("closed");
        assert_eq!(files[0].packets, kept as u64);
        // The end of the file, with the kernel's counts, comes on top.
        assert!(files[0].bytes > MIB - 1600 && files[0].bytes < MIB + 100, "{}", files[0].bytes);
    }
}

//! The file that a body is written into: by a thread beside, so that who reads the body waits for no disk; and not before there is
//! much of it or it has taken long, because beside a short one the thread would take the time that is measured.

use std::fs::File;
use std::io::{self, Write};
use std::mem::take;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use hyper::body::Bytes;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::failure::{Class, Failure};
use crate::sys::clock;

/// Octets that are gathered before they are written, and for how long.
const MUCH: usize = 1 << 20;
const LONG: Duration = Duration::from_millis(50);
/// What was gathered so many times may wait to be written; who has more waits.
const MOST_WAITING: usize = 4;

/// Writes a body. What was put into it is written even where it is dropped.
pub(super) struct Sink {
    path: PathBuf,
    began: Instant,
    gathered: Vec<Bytes>,
    octets: usize,
    writer: Option<Writer>,
}

/// The thread that writes.
struct Writer {
    pieces: mpsc::Sender<Vec<Bytes>>,
    ended: JoinHandle<io::Result<()>>,
}

impl Writer {
    fn start(path: PathBuf) -> Self {
        let (pieces, mut waiting) = mpsc::channel::<Vec<Bytes>>(MOST_WAITING);
        let ended = tokio::task::spawn_blocking(move || {
            let mut file = match path == Path::new("-") {
                true => File::from(io::stdout().as_fd().try_clone_to_owned()?),
                false => File::create(&path)?,
            };
            while let Some(pieces) = waiting.blocking_recv() {
                pieces.iter().try_for_each(|piece| file.write_all(piece))?;
            }
            file.flush()
        });
        Self { pieces, ended }
    }
}

impl Sink {
    /// Writes into the file at `path`, which `-` makes stdout.
    pub(super) fn new(path: &Path) -> Self {
        let path = path.to_owned();
        Self { path, began: clock::now().mono, gathered: Vec::new(), octets: 0, writer: None }
    }

    /// Writes `piece` sometime.
    ///
    /// # Errors
    /// Those of what was written before.
    pub(super) async fn put(&mut self, piece: Bytes) -> Result<(), Failure> {
        self.octets += piece.len();
        self.gathered.push(piece);
        let is_short = self.octets < MUCH && clock::now().mono - self.began < LONG;
        if is_short { Ok(()) } else { self.hand_over().await }
    }

    async fn hand_over(&mut self) -> Result<(), Failure> {
        let writer = self.writer.get_or_insert_with(|| Writer::start(self.path.clone()));
        // Whoever drops this while it waits for room loses nothing.
        if let Ok(room) = writer.pieces.reserve().await {
            self.octets = 0;
            room.send(take(&mut self.gathered));
            return Ok(());
        }
        // It has ended early.
        self.gathered.clear();
        self.written().await
    }

    /// Waits until all is written.
    ///
    /// # Errors
    /// Why it cannot be.
    pub(super) async fn end(mut self) -> Result<(), Failure> {
        self.hand_over().await?;
        self.written().await
    }

    async fn written(&mut self) -> Result<(), Failure> {
        let Some(Writer { pieces, ended }) = self.writer.take() else { return Ok(()) };
        drop(pieces);
        let path = self.path.display();
        let ended = ended.await.map_err(|_| {
            Class::Internal
                .because(format_args!("write the body into {path}: the thread that writes panicked"))
        })?;
        ended.map_err(|error| Failure::from_io(format_args!("write the body into {path}"), &error))
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        let gathered = take(&mut self.gathered);
        if let (false, Ok(runtime)) = (gathered.is_empty(), Handle::try_current()) {
            let writer = self.writer.take().unwrap_or_else(|| Writer::start(take(&mut self.path)));
            runtime.spawn_blocking(move || writer.pieces.blocking_send(gathered));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn all_that_was_put_is_there_in_its_order() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("body");
        // Less than is gathered, and more than may wait.
        for size in [1000, 100_000] {
            let mut sink = Sink::new(&path);
            for n in 0..100u8 {
                sink.put(Bytes::from(vec![n; size])).await.expect("written");
            }
            assert_eq!(sink.writer.is_some(), size * 100 > MUCH);
            sink.end().await.expect("written");
            let written = std::fs::read(&path).expect("a file");
            assert!(written.len() == size * 100 && written.is_sorted());
        }
        Sink::new(&path).end().await.expect("written");
        assert_eq!(std::fs::read(&path).expect("a file"), b"", "nothing is a body, too");
    }

    #[test]
    fn what_was_put_is_written_even_where_it_is_dropped() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("body");
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            let mut sink = Sink::new(&path);
            sink.put(Bytes::from_static(b"half")).await.expect("gathered");
        });
        // It waits for what blocks.
        drop(runtime);
        assert_eq!(std::fs::read(&path).expect("a file"), b"half");
    }

    #[tokio::test]
    async fn a_full_disk_is_told() {
        let full = Path::new("/dev/full");
        let mut sink = Sink::new(full);
        let mut told = Ok(());
        while told.is_ok() {
            told = sink.put(Bytes::from_static(&[0; 1000])).await;
        }
        assert!(told.is_err_and(|failure| failure.detail.starts_with("write the body into /dev/full: ")));
        let mut sink = Sink::new(full);
        sink.put(Bytes::from_static(b"x")).await.expect("it waits");
        assert!(sink.end().await.is_err_and(|failure| failure.detail.starts_with("write the body into ")));
    }
}

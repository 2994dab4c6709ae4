//! The file that a body is written into: by a thread beside, so that who reads the body waits for no disk.

use std::fs::File;
use std::io::{self, Write};

use hyper::body::Bytes;
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, spawn_blocking};

use crate::failure::{Class, Failure};

/// Pieces of a body that may wait to be written, each of a megabyte at most (what is decoded at once); who has more waits.
const PIECES: usize = 8;

/// Writes a body. What was put into it is written even where it is dropped.
pub(super) struct Sink {
    pieces: mpsc::Sender<Bytes>,
    writer: JoinHandle<io::Result<()>>,
}

impl Sink {
    /// Writes into `file`, which may block.
    pub(super) fn new(mut file: File) -> Self {
        let (pieces, mut waiting) = mpsc::channel::<Bytes>(PIECES);
        let writer = spawn_blocking(move || {
            while let Some(piece) = waiting.blocking_recv() {
                file.write_all(&piece)?;
            }
            file.flush()
        });
        Self { pieces, writer }
    }

    /// Has the thread exist that will write, as it would be made while a body comes.
    pub(super) async fn prepare() {
        let _ = spawn_blocking(|| ()).await;
    }

    /// Writes `piece` sometime.
    ///
    /// # Errors
    /// Those of what was written before.
    pub(super) async fn put(&mut self, piece: Bytes) -> Result<(), Failure> {
        if self.pieces.send(piece).await.is_ok() {
            return Ok(());
        }
        let ended = || Class::Internal.because("write the body: the thread that writes has ended");
        written((&mut self.writer).await).and_then(|()| Err(ended()))
    }

    /// Waits until all is written.
    ///
    /// # Errors
    /// Why it cannot be.
    pub(super) async fn end(self) -> Result<(), Failure> {
        let Self { pieces, writer } = self;
        drop(pieces);
        written(writer.await)
    }
}

fn written(ended: Result<io::Result<()>, tokio::task::JoinError>) -> Result<(), Failure> {
    let ended =
        ended.map_err(|_| Class::Internal.because("write the body: the thread that writes panicked"))?;
    ended.map_err(|error| Failure::from_io("write the body", &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn all_that_was_put_is_there_in_its_order() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("body");
        Sink::prepare().await;
        let mut sink = Sink::new(File::create(&path).expect("a file"));
        // More than may wait.
        for n in 0..100u8 {
            sink.put(Bytes::from(vec![n; 1000])).await.expect("written");
        }
        sink.end().await.expect("written");
        let written = std::fs::read(&path).expect("a file");
        assert!(written.len() == 100_000 && written.is_sorted());
    }

    #[tokio::test]
    async fn a_full_disk_is_told() {
        let mut sink = Sink::new(File::create("/dev/full").expect("Linux has it"));
        let mut told = Ok(());
        while told.is_ok() {
            told = sink.put(Bytes::from_static(b"x")).await;
        }
        assert!(told.is_err_and(|failure| failure.detail.starts_with("write the body: ")));
        let mut sink = Sink::new(File::create("/dev/full").expect("Linux has it"));
        sink.put(Bytes::from_static(b"x")).await.expect("it waits");
        assert!(sink.end().await.is_err_and(|failure| failure.detail.starts_with("write the body: ")));
    }
}

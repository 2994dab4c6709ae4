//! A control connection, for a task that waits for other things beside it.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};

use super::end::End;
use crate::wire::iperf3::{Frame, Frames, Refusal, State};

/// Octets that are taken in at once.
const CHUNK: usize = 4 << 10;
/// How long a few octets may take to leave.
const WRITING: Duration = Duration::from_secs(5);
/// How long the far side may take to close once it was told why.
const LEAVING: Duration = Duration::from_secs(1);
/// What it may say meanwhile.
const MOST_LEFT: usize = 256 << 10;

/// A control connection.
#[derive(Debug)]
pub(super) struct Talk {
    stream: TcpStream,
    frames: Frames,
}

impl Talk {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self { stream, frames: Frames::default() }
    }

    /// Says states, one after the other.
    pub(super) async fn say(&mut self, states: &[State]) -> Result<(), End> {
        let octets: Vec<u8> = states.iter().map(|state| state.byte()).collect();
        self.write(&octets).await
    }

    /// Writes octets.
    pub(super) async fn write(&mut self, octets: &[u8]) -> Result<(), End> {
        match timeout(WRITING, self.stream.write_all(octets)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(End::Gone("all was said")),
            Err(_) => Err(End::Late("room to write")),
        }
    }

    /// Takes in more; can be given up at any time without losing anything.
    async fn fill(&mut self, before: &'static str) -> Result<(), End> {
        let mut chunk = [0; CHUNK];
        match self.stream.read(&mut chunk).await {
            Ok(0) | Err(_) => Err(End::Gone(before)),
            Ok(read) => {
                self.frames.push(&chunk[..read]);
                Ok(())
            }
        }
    }

    /// The next state that the client says. That it was interrupted is an error; so is what no client says.
    pub(super) async fn heard(&mut self, before: &'static str) -> Result<State, End> {
        loop {
            match self.frames.state(before)? {
                Some(State::ClientTerminate) => return Err(End::Interrupted),
                Some(state) => return Ok(state),
                None => {}
            }
            self.fill(before).await?;
        }
    }

    /// The state that the client says by `until`, which must be `wanted`.
    pub(super) async fn expect(
        &mut self,
        wanted: State,
        what: &'static str,
        until: Instant,
    ) -> Result<(), End> {
        match timeout_at(until, self.heard(what)).await {
            Ok(Ok(state)) if state == wanted => Ok(()),
            Ok(Ok(state)) => Err(unexpected(state, what)),
            Ok(Err(end)) => Err(end),
            Err(_) => Err(End::Late(what)),
        }
    }

    /// The next frame.
    pub(super) async fn frame(
        &mut self,
        awaited: Frame,
        what: &'static str,
        until: Instant,
    ) -> Result<Vec<u8>, End> {
        let whole = async {
            loop {
                if let Some(frame) = self.frames.frame(awaited)? {
                    return Ok(frame);
                }
                self.fill(what).await?;
            }
        };
        timeout_at(until, whole).await.unwrap_or(Err(End::Late(what)))
    }

    /// Says `last`, and closes so that it arrives: what the client still says would make this host reset the connection.
    pub(super) async fn leave(mut self, last: &[u8]) {
        if !last.is_empty() && self.write(last).await.is_err() {
            return;
        }
        let mut read = 0;
        let closing = async {
            let _ = self.stream.shutdown().await;
            let mut chunk = [0; CHUNK];
            while let Ok(octets @ 1..) = self.stream.read(&mut chunk).await {
                read += octets;
                if read > MOST_LEFT {
                    break;
                }
            }
        };
        let _ = timeout(LEAVING, closing).await;
    }
}

/// What the client says where something else was awaited.
pub(super) fn unexpected(said: State, awaited: &'static str) -> End {
    Refusal::unexpected(format_args!("{said:?}"), awaited).into()
}

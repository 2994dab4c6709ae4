//! Sockets of one user in DATA: made, accepted from, and their frames. `control.sock` is one, autoperf's another.

use std::fs::{self, Permissions};
use std::future::Future;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::MOST_OCTETS;
use super::repeated::Repeated;
use crate::failure::Failure;

/// Connections served at once; more wait in the kernel's queue.
const MOST_CONNECTIONS: usize = 64;
/// How long nobody is accepted after an error.
const REST: Duration = Duration::from_secs(1);

/// Makes the socket. Only the holder of what it stands for (a lock) comes here, so one that is there already is a dead
/// process's.
pub(crate) fn listen(path: &Path) -> Result<UnixListener, Failure> {
    let failed =
        |error: &std::io::Error| Failure::from_io(format_args!("listen on {}", path.display()), error);
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(&error)),
        _ => {}
    }
    let listener = UnixListener::bind(path).map_err(|error| failed(&error))?;
    fs::set_permissions(path, Permissions::from_mode(0o600)).map_err(|error| failed(&error))?;
    Ok(listener)
}

/// Lets this user and root in until `cancel`, each in a task of `tasks` that does what `converse` says.
pub(crate) async fn accept<C: Future<Output = ()> + Send + 'static>(
    listener: &UnixListener,
    tasks: &mut JoinSet<()>,
    cancel: &CancellationToken,
    converse: impl Fn(UnixStream) -> C,
) {
    let mut trouble = Repeated::default();
    loop {
        while tasks.try_join_next().is_some() {}
        if tasks.len() > MOST_CONNECTIONS {
            tasks.join_next().await;
            continue;
        }
        let Some(accepted) = cancel.run_until_cancelled(listener.accept()).await else {
            return;
        };
        match accepted {
            Ok((stream, _)) if is_ours(&stream) => {
                tasks.spawn(converse(stream));
            }
            Ok(_) => tracing::warn!("a socket in DATA: another user was turned away"),
            // Out of file descriptors, most likely: no spinning (faults 29).
            Err(error) => {
                let path = listener.local_addr().ok().and_then(|at| at.as_pathname().map(Path::to_owned));
                let name = path.unwrap_or_default();
                trouble.tell(format_args!("{}: accept: {error}; goes on without it", name.display()));
                tokio::time::sleep(REST).await;
            }
        }
    }
}

fn is_ours(stream: &UnixStream) -> bool {
    let me = nix::unistd::geteuid().as_raw();
    stream.peer_cred().is_ok_and(|peer| peer.uid() == me || peer.uid() == 0)
}

/// One frame's octets; `None` when the other side has hung up.
pub(crate) async fn read_frame(stream: &mut UnixStream) -> std::io::Result<Option<Vec<u8>>> {
    let mut length = [0; 4];
    match stream.read_exact(&mut length).await {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let length = u32::from_be_bytes(length);
    if length > MOST_OCTETS {
        return Err(ErrorKind::InvalidData.into());
    }
    let mut octets = Vec::new();
    stream.take(u64::from(length)).read_to_end(&mut octets).await?;
    Ok((octets.len() == length as usize).then_some(octets))
}

/// Writes `octets` as one frame.
pub(crate) async fn write_frame(stream: &mut UnixStream, octets: &[u8]) -> std::io::Result<()> {
    let length = u32::try_from(octets.len()).map_err(|_| ErrorKind::InvalidData)?;
    stream.write_all(&length.to_be_bytes()).await?;
    stream.write_all(octets).await
}

//! The answering side: run by whoever holds the store for longer than one command (`serve`, `autoperf daemon`).
//!
//! It also takes in the spool, every second or when nudged, and keeps roll-ups and retention going.

use std::fs::{self, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;

use super::{DEADLINE, Health, MOST_OCTETS, Reply, Request};
use crate::failure::{Class, Failure};
use crate::store::{Access, Data, Holder, blocking};

/// Connections served at once; more wait in the kernel's queue.
const MOST_CONNECTIONS: usize = 64;
/// How often the spool is looked at, or a store that another process holds is tried again.
const LOOK: Duration = Duration::from_secs(1);
/// How often roll-ups and retention are looked at.
const TIDY: Duration = Duration::from_secs(60);

/// Serves the control socket until `cancel`, taking the store over first where another process has it now.
///
/// # Errors
/// When the socket cannot be made, or the store cannot be opened.
pub async fn serve(access: Arc<Access>, cancel: CancellationToken) -> Result<(), Failure> {
    while blocking(&access, Access::try_own).await? == Holder::Other {
        if cancel.run_until_cancelled(tokio::time::sleep(LOOK)).await.is_none() {
            return Ok(());
        }
    }
    let listener = listen(access.data())?;
    let owner = Arc::new(Owner { access, nudged: Notify::new(), since: Instant::now() });
    let mut tasks = JoinSet::new();
    tasks.spawn(upkeep(Arc::clone(&owner), cancel.clone()));
    accept(&listener, &owner, &mut tasks, &cancel).await;
    drop(listener);
    let _ = fs::remove_file(owner.access.data().socket());
    while tasks.join_next().await.is_some() {}
    Ok(())
}

/// What a connection's task needs.
struct Owner {
    access: Arc<Access>,
    nudged: Notify,
    since: Instant,
}

/// Makes the socket. Only the store's holder comes here, so one that is there already is a dead process's.
fn listen(data: &Data) -> Result<UnixListener, Failure> {
    let path = data.socket();
    let failed =
        |error: &std::io::Error| Failure::from_io(format_args!("listen on {}", path.display()), error);
    match fs::remove_file(&path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(&error)),
        _ => {}
    }
    let listener = UnixListener::bind(&path).map_err(|error| failed(&error))?;
    fs::set_permissions(&path, Permissions::from_mode(0o600)).map_err(|error| failed(&error))?;
    Ok(listener)
}

async fn accept(
    listener: &UnixListener,
    owner: &Arc<Owner>,
    tasks: &mut JoinSet<()>,
    cancel: &CancellationToken,
) {
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
                let (owner, cancel) = (Arc::clone(owner), cancel.clone());
                tasks.spawn(async move {
                    cancel.run_until_cancelled(converse(stream, &owner)).await;
                });
            }
            Ok(_) => tracing::warn!("control socket: another user was turned away"),
            // Out of file descriptors, most likely: no spinning (faults 29).
            Err(error) => {
                tracing::warn!(%error, "control socket: cannot accept");
                tokio::time::sleep(LOOK).await;
            }
        }
    }
}

fn is_ours(stream: &UnixStream) -> bool {
    let me = nix::unistd::geteuid().as_raw();
    stream.peer_cred().is_ok_and(|peer| peer.uid() == me || peer.uid() == 0)
}

async fn converse(mut stream: UnixStream, owner: &Owner) {
    while let Ok(Some(request)) = timeout(DEADLINE, read_frame(&mut stream)).await.unwrap_or(Ok(None)) {
        let reply = match serde_json::from_slice(&request) {
            Ok(request) => reply_to(owner, request).await,
            Err(error) => {
                failed(Class::Protocol.because(format_args!("control socket: unreadable question: {error}")))
            }
        };
        let octets = serde_json::to_vec(&reply).unwrap_or_default();
        if !matches!(timeout(DEADLINE, write_frame(&mut stream, &octets)).await, Ok(Ok(()))) {
            return;
        }
    }
}

async fn reply_to(owner: &Owner, request: Request) -> Reply {
    let access = &owner.access;
    match request {
        Request::Health => Reply::Health { health: health(owner).await },
        Request::Query { query } => match blocking(access, move |access| access.ask(&query)).await {
            Ok(answer) => Reply::Answer { answer: Box::new(answer) },
            Err(failure) => failed(failure),
        },
        Request::Load { key } => match blocking(access, move |access| access.load(&key)).await {
            Ok(value) => Reply::Value { value },
            Err(failure) => failed(failure),
        },
        Request::Commit { records, states } => {
            let states: Vec<_> = states.into_iter().collect();
            match blocking(access, move |access| access.commit(&records, &states)).await {
                Ok(()) => Reply::Done,
                Err(failure) => failed(failure),
            }
        }
        Request::Nudge => {
            owner.nudged.notify_one();
            Reply::Done
        }
    }
}

async fn health(owner: &Owner) -> Health {
    let count = |access: &Access| access.store().map_or(Ok(0), |store| store.count());
    let (records, why) = match blocking(&owner.access, count).await {
        Ok(records) => (records, None),
        Err(failure) => (0, Some(failure.detail)),
    };
    let waiting = owner.access.waiting();
    Health {
        well: why.is_none(),
        why,
        held: waiting.as_ref().map_or(0, |waiting| waiting.records),
        held_why: waiting.map(|waiting| waiting.why.detail),
        pid: std::process::id(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        uptime_s: owner.since.elapsed().as_secs(),
        records,
    }
}

const fn failed(failure: Failure) -> Reply {
    Reply::Failure { failure }
}

/// Takes in the spool and tidies until `cancel`.
async fn upkeep(owner: Arc<Owner>, cancel: CancellationToken) {
    let mut look = interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut tidied: Option<Instant> = None;
    loop {
        let woken = async {
            tokio::select! {
                _ = look.tick() => {}
                () = owner.nudged.notified() => {}
            }
        };
        if cancel.run_until_cancelled(woken).await.is_none() {
            return;
        }
        tell(blocking(&owner.access, |access| Ok(access.retry())).await);
        tell(blocking(&owner.access, Access::drain).await.map(drop));
        if tidied.is_none_or(|at| at.elapsed() >= TIDY) {
            tidied = Some(Instant::now());
            tell(blocking(&owner.access, Access::tidy).await.map(drop));
        }
    }
}

fn tell(result: Result<(), Failure>) {
    if let Err(failure) = result {
        tracing::warn!(%failure, "store: upkeep");
    }
}

/// One frame's octets; `None` when the other side has hung up.
async fn read_frame(stream: &mut UnixStream) -> std::io::Result<Option<Vec<u8>>> {
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

async fn write_frame(stream: &mut UnixStream, octets: &[u8]) -> std::io::Result<()> {
    let length = u32::try_from(octets.len()).map_err(|_| ErrorKind::InvalidData)?;
    stream.write_all(&length.to_be_bytes()).await?;
    stream.write_all(octets).await
}

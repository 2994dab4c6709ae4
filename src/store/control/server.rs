//! The answering side: run by whoever holds the store for longer than one command (`serve`, `autoperf daemon`).
//!
//! It also takes in the spool, every second or when nudged, and keeps roll-ups and retention going.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::UnixStream;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;

use super::repeated::Repeated;
use super::socket::{accept, listen, read_frame, write_frame};
use super::{DEADLINE, Health, Reply, Request};
use crate::failure::{Class, Failure};
use crate::store::{Access, Holder, blocking};

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
    let listener = listen(&access.data().socket())?;
    let owner = Arc::new(Owner { access, nudged: Notify::new(), since: Instant::now() });
    let mut tasks = JoinSet::new();
    tasks.spawn(upkeep(Arc::clone(&owner), cancel.clone()));
    let converse = |stream| {
        let (owner, cancel) = (Arc::clone(&owner), cancel.clone());
        async move {
            let _ = cancel.run_until_cancelled(converse(stream, &owner)).await;
        }
    };
    accept(&listener, &mut tasks, &cancel, converse).await;
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
    let mut trouble = Repeated::default();
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
        let take_in = |access: &Access| {
            access.retry();
            access.drain()
        };
        if let Err(failure) = blocking(&owner.access, take_in).await {
            trouble.tell(format_args!("store: upkeep: {failure}"));
        }
        if tidied.is_none_or(|at| at.elapsed() >= TIDY) {
            tidied = Some(Instant::now());
            if let Err(failure) = blocking(&owner.access, Access::tidy).await {
                trouble.tell(format_args!("store: upkeep: {failure}"));
            }
        }
    }
}

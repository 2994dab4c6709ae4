//! `DATA/autoperf.sock`: the process that measures on the schedule is asked for a round now, instead of measuring twice.
//!
//! Frames as on the control socket: one [`Order`], then what is [`Said`] until the connection closes.

use std::fs;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::round::Round;
use crate::failure::{Class, Failure, reason};
use crate::store::Data;
use crate::store::control::socket::{accept, listen, read_frame, write_frame};
use crate::store::run::Severity;

/// How long either side waits for the other within a frame.
const DEADLINE: Duration = Duration::from_secs(30);
/// How long the next word may take: a target's rounds come after the one that runs, each tier within its time and turn.
const PATIENCE: Duration = Duration::from_secs(1_200);
/// Orders that wait for the schedule; whoever comes later waits to hand his in.
const WAITING: usize = 16;
/// What one target has to say at most: a round of each tier, and how it is or what went wrong.
const WORDS: usize = 4;

/// What is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The names of the targets; without any, only what is [held](Said::Held) is told.
    pub targets: Vec<String>,
    /// Measure a host of that name where there is no such target.
    pub ad_hoc: bool,
    /// This tier, whatever the state.
    pub tier: Option<u8>,
    /// Although the day's budget is spent.
    pub ignore_budget: bool,
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "said", rename_all = "lowercase")]
pub enum Said {
    /// A tier of a target ran.
    Round {
        /// What was found.
        round: Box<Round>,
    },
    /// That was all of this target.
    Done {
        /// Its name.
        target: String,
        /// How bad it is now.
        severity: Severity,
    },
    /// Rounds wait in memory, because they cannot be kept.
    Held {
        /// Why.
        why: String,
    },
    /// Too many ask already.
    Busy,
    /// It could not be done.
    Failure {
        /// Why.
        failure: Failure,
    },
}

impl From<Failure> for Said {
    fn from(failure: Failure) -> Self {
        Self::Failure { failure }
    }
}

/// An order, and where the answers go. There is room for all of them; nobody waits for a slow reader.
pub(super) struct Ordered {
    pub(super) order: Order,
    pub(super) out: mpsc::Sender<Said>,
}

/// The socket, and the orders that came in over it.
pub(super) struct Desk {
    data: Data,
    pub(super) orders: mpsc::Receiver<Ordered>,
    tasks: JoinSet<()>,
    over: CancellationToken,
}

impl Desk {
    /// Opens the socket of `data`. Only the holder of autoperf's lock comes here.
    pub(super) fn open(data: &Data) -> Result<Self, Failure> {
        let listener = listen(&data.autoperf_socket())?;
        let (hand_in, orders) = mpsc::channel(WAITING);
        let (mut tasks, over) = (JoinSet::new(), CancellationToken::new());
        tasks.spawn(attend(listener, hand_in, over.clone()));
        Ok(Self { data: data.clone(), orders, tasks, over })
    }

    /// Closes it once what was said is delivered.
    pub(super) async fn close(mut self) {
        let _ = fs::remove_file(self.data.autoperf_socket());
        self.over.cancel();
        self.orders.close();
        while let Ok(Ordered { out, .. }) = self.orders.try_recv() {
            let _ = out.try_send(ending());
        }
        while self.tasks.join_next().await.is_some() {}
    }
}

fn ending() -> Said {
    Class::Cancelled.because("the process that measures is told to end").into()
}

async fn attend(listener: UnixListener, hand_in: mpsc::Sender<Ordered>, over: CancellationToken) {
    let mut tasks = JoinSet::new();
    accept(&listener, &mut tasks, &over, |stream| converse(stream, hand_in.clone())).await;
    drop(listener);
    while tasks.join_next().await.is_some() {}
}

async fn converse(mut stream: UnixStream, hand_in: mpsc::Sender<Ordered>) {
    let Ok(Ok(Some(asked))) = timeout(DEADLINE, read_frame(&mut stream)).await else {
        return;
    };
    let order: Option<Order> = serde_json::from_slice(&asked).ok();
    let (out, mut answers) = mpsc::channel(order.as_ref().map_or(1, |order| order.targets.len() * WORDS + 1));
    match order {
        Some(order) => {
            if let Err(ended) = hand_in.send(Ordered { order, out }).await {
                let _ = ended.0.out.try_send(ending());
            }
        }
        None => drop(out.try_send(Class::Protocol.because("autoperf's socket: unreadable order").into())),
    }
    while let Some(said) = answers.recv().await {
        let octets = serde_json::to_vec(&said).unwrap_or_default();
        if !matches!(timeout(DEADLINE, write_frame(&mut stream, &octets)).await, Ok(Ok(()))) {
            return;
        }
    }
}

/// The answers to an order.
pub struct Answers(UnixStream);

/// Hands `order` to the process that measures on `data`; `None` where nobody takes orders.
///
/// # Errors
/// When he breaks off.
pub async fn ask(data: &Data, order: &Order) -> Result<Option<Answers>, Failure> {
    let Ok(Ok(mut stream)) = timeout(DEADLINE, UnixStream::connect(data.autoperf_socket())).await else {
        return Ok(None);
    };
    let octets = serde_json::to_vec(order).map_err(|error| Class::Internal.because(error))?;
    match timeout(DEADLINE, write_frame(&mut stream, &octets)).await {
        Ok(Ok(())) => Ok(Some(Answers(stream))),
        Ok(Err(error)) => Err(broken(&reason(&error))),
        Err(_) => Err(broken("nobody reads")),
    }
}

/// Why the rounds of the process that measures on `data` cannot be kept; `None` where they can, or nobody says so.
///
/// # Errors
/// As [`ask`].
pub async fn trouble(data: &Data) -> Result<Option<String>, Failure> {
    let Some(mut answers) = ask(data, &Order::default()).await? else {
        return Ok(None);
    };
    match answers.next().await? {
        Some(Said::Held { why }) => Ok(Some(why)),
        Some(_) => Err(broken("an answer to another question")),
        None => Ok(None),
    }
}

impl Answers {
    /// The next answer; `None` when that was all.
    ///
    /// # Errors
    /// When he breaks off, or says nothing for long.
    pub async fn next(&mut self) -> Result<Option<Said>, Failure> {
        let read = timeout(PATIENCE, read_frame(&mut self.0)).await.map_err(|_| broken("no answer"))?;
        let Some(octets) = read.map_err(|error| broken(&reason(&error)))? else {
            return Ok(None);
        };
        serde_json::from_slice(&octets).map(Some).map_err(|error| broken(&error.to_string()))
    }
}

fn broken(why: &str) -> Failure {
    Class::Internal.because(format_args!("ask the process that measures: {why}"))
}

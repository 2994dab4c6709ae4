//! Sending on threads of their own. While the kernel sends (and over a virtual link does the far side's work as well), answers
//! are read and the next questions are chosen.

use std::net::SocketAddr;
use std::num::NonZero;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{Builder, Scope, available_parallelism};

use nix::libc;

use super::fleet::Question;
use super::packets::is_told_later;
use crate::failure::{Class, Failure};
use crate::sys::clock::now;
use crate::sys::datagram::{Batch, Outgoing, Socket};

/// Packets in one parcel, and in one system call.
pub(super) const PARCEL: usize = 64;
/// Parcels for each thread: one under way, one that waits, one that is being filled.
const EACH: usize = 3;
/// Threads that send: more would wait for each other in the network's queue.
const MOST: usize = 2;
/// How often one packet is tried, if an error of an earlier one ends the call.
const TRIES: u32 = 3;

/// Questions that leave together, and what became of them.
#[derive(Default)]
pub(super) struct Parcel {
    /// Each question, whom it goes to, and its place in the times of sending.
    pub(super) asked: Vec<(Question, SocketAddr, usize)>,
    /// The packets, one behind the other.
    bytes: Vec<u8>,
    ends: Vec<usize>,
    /// Which of them this host refused, and the error's number.
    pub(super) refused: Vec<(usize, Option<i32>)>,
    /// From which on there was no room.
    pub(super) unsent: Option<usize>,
}

impl Parcel {
    fn clear(&mut self) {
        self.asked.clear();
        self.bytes.clear();
        self.ends.clear();
        self.refused.clear();
        self.unsent = None;
    }

    /// Adds a packet, which `write` appends to what it gets.
    pub(super) fn add(&mut self, question: (Question, SocketAddr, usize), write: impl FnOnce(&mut Vec<u8>)) {
        self.asked.push(question);
        write(&mut self.bytes);
        self.ends.push(self.bytes.len());
    }
}

/// The threads that send, and the parcels that are free.
pub(super) struct Outbox {
    posts: Vec<Sender<Parcel>>,
    next: usize,
    back: Receiver<Parcel>,
    free: Vec<Parcel>,
}

impl Outbox {
    /// Starts the threads. `to` is where a socket is asked to send what goes to an address; the moment of each packet's
    /// sending is written to its place in `times`, in ns since the epoch.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(super) fn open<'scope>(
        scope: &'scope Scope<'scope, '_>,
        sockets: &'scope [Socket],
        times: &'scope [AtomicU64],
        to: fn(SocketAddr) -> SocketAddr,
    ) -> Result<Self, Failure> {
        let count = available_parallelism().map_or(1, NonZero::get).min(MOST);
        let (done, back) = channel();
        let mut posts = Vec::with_capacity(count);
        for _ in 0..count {
            let (post, inbox) = channel::<Parcel>();
            let done = done.clone();
            let work = move || {
                let mut batch = Batch::new(PARCEL, 0);
                for mut parcel in inbox {
                    deliver(&mut parcel, &mut batch, sockets, times, to);
                    if done.send(parcel).is_err() {
                        return;
                    }
                }
            };
            let thread = Builder::new().name("outbox".to_owned()).spawn_scoped(scope, work);
            thread.map_err(|error| Failure::from_io("start a thread", &error))?;
            posts.push(post);
        }
        let free = (0..EACH * count).map(|_| Parcel::default()).collect();
        Ok(Self { posts, next: 0, back, free })
    }

    /// An empty parcel; `None` while all are under way.
    pub(super) fn take(&mut self) -> Option<Parcel> {
        self.free.pop()
    }

    /// Sends a parcel.
    pub(super) fn post(&mut self, parcel: Parcel) {
        if parcel.asked.is_empty() {
            self.free.push(parcel);
            return;
        }
        self.next = (self.next + 1) % self.posts.len();
        // A thread that is gone is told by `wait`.
        let _ = self.posts[self.next].send(parcel);
    }

    /// A parcel whose packets have left, or have not; `None` while there is no other.
    pub(super) fn returned(&self) -> Option<Parcel> {
        self.back.try_recv().ok()
    }

    /// The same, once there is one.
    ///
    /// # Errors
    /// When nobody sends any more.
    pub(super) fn wait(&self) -> Result<Parcel, Failure> {
        self.back.recv().map_err(|_| Class::Internal.because("a sending thread panicked"))
    }

    /// Takes a parcel back that was read.
    pub(super) fn recycle(&mut self, mut parcel: Parcel) {
        parcel.clear();
        self.free.push(parcel);
    }
}

/// Sends what is in `parcel`.
fn deliver(
    parcel: &mut Parcel,
    batch: &mut Batch,
    sockets: &[Socket],
    times: &[AtomicU64],
    to: fn(SocketAddr) -> SocketAddr,
) {
    let begins = std::iter::once(0).chain(parcel.ends.iter().copied());
    let whole: Vec<Outgoing<'_>> = (begins.zip(&parcel.ends).zip(&parcel.asked))
        .map(|((begin, &end), &(_, address, _))| Outgoing {
            bytes: &parcel.bytes[begin..end],
            to: Some(to(address)),
            ..Outgoing::default()
        })
        .collect();
    let is_ipv6 = |at: usize| parcel.asked[at].1.is_ipv6();
    let (mut done, mut tries) = (0, 0);
    while done < whole.len() {
        let same = (done..whole.len()).take_while(|&at| is_ipv6(at) == is_ipv6(done)).count();
        let Some(socket) = sockets.iter().find(|socket| socket.is_ipv6() == is_ipv6(done)) else {
            return;
        };
        let at = now().wall;
        // Its answer may come while the call lasts.
        for &(.., place) in &parcel.asked[done..done + same] {
            times[place].store(at, Ordering::Relaxed);
        }
        match batch.send(socket, &whole[done..done + same]) {
            Ok(count) => (done, tries) = (done + count, 0),
            // An ICMP error that waits ends one call, which has then sent nothing.
            Err(error) if is_told_later(&error) && tries < TRIES => tries += 1,
            Err(error) => {
                let number = error.raw_os_error();
                if matches!(number, Some(libc::EAGAIN | libc::ENOBUFS | libc::ENOMEM)) {
                    parcel.unsent = Some(done);
                    return;
                }
                parcel.refused.push((done, number));
                (done, tries) = (done + 1, 0);
            }
        }
    }
}

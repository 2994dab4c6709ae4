//! From words to addresses: names are looked up many at a time, what cannot be measured is told on the way.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use tokio::task::JoinSet;

use super::list::Item;
use super::{Admission, List};
use crate::failure::{Class, Failure};
use crate::probe::{Ctx, Egress, Event};

/// Names that are looked up at the same time.
const LOOKUPS: usize = 64;
/// Addresses of one name that are measured at most, where all are wanted.
const MOST_ADDRESSES: usize = 64;

/// How a list is looked up.
pub(in crate::probe) struct Search<'a> {
    /// The way there.
    pub egress: &'a Egress,
    /// Which addresses are let through.
    pub admission: Admission<'a>,
    /// Where a word is looked for.
    pub place: Place<'a>,
    /// All addresses of a name, instead of the first.
    pub all: bool,
}

/// A target by its name, and where it is or why it cannot be measured.
type Found = (Box<str>, Result<SocketAddr, Failure>);

/// Tells the host and the port that a word names.
pub(in crate::probe) type Place<'a> = Box<dyn Fn(&str) -> (String, u16) + Send + Sync + 'a>;

/// What a look-up of the target at this place found.
type LookedUp = (usize, Result<Vec<SocketAddr>, Failure>);

impl Search<'_> {
    /// Looks all of `list` up, in its order. One of several that cannot be measured is told at once.
    pub(in crate::probe) async fn run(&self, ctx: &Ctx, list: List) -> Vec<Found> {
        let mut course = Course {
            search: self,
            ctx,
            tells: list.count() > 1,
            found: Vec::with_capacity(usize::try_from(list.count()).unwrap_or(0)),
            more: BTreeMap::new(),
            running: JoinSet::new(),
        };
        for item in list.items {
            if ctx.cancel.is_cancelled() {
                break;
            }
            match item {
                Item::One(name) => course.one(name).await,
                Item::Many(range) => {
                    for address in range.addresses() {
                        let name = address.to_string();
                        let (_, port) = (self.place)(&name);
                        course.address(name.into(), SocketAddr::new(address, port));
                    }
                }
                Item::Wrong(wrong) => {
                    let (word, why) = *wrong;
                    course.settle(word, Err(Class::Usage.because(why)));
                }
            }
        }
        while !course.running.is_empty() && course.take().await {}
        course.finish()
    }
}

/// A look-up under way.
struct Course<'a> {
    search: &'a Search<'a>,
    ctx: &'a Ctx,
    tells: bool,
    found: Vec<Found>,
    /// Addresses beyond the first, of the target at this place.
    more: BTreeMap<usize, Vec<SocketAddr>>,
    running: JoinSet<LookedUp>,
}

impl Course<'_> {
    /// An address, which is called `name`.
    fn address(&mut self, name: Box<str>, address: SocketAddr) {
        let found = match self.search.egress.admits(&address.ip()) {
            true => self.admitted(address),
            false => Err(Class::Usage.because(format_args!(
                "{name} is not of the address family that -4, -6 or the source asks for"
            ))),
        };
        self.settle(name, found);
    }

    /// A name or an address as it was written.
    async fn one(&mut self, name: Box<str>) {
        let (host, port) = (self.search.place)(&name);
        if let Ok(literal) = host.parse::<IpAddr>() {
            return self.address(name, SocketAddr::new(literal.to_canonical(), port));
        }
        let egress = self.search.egress.clone();
        let (resolver, all) = (self.ctx.resolver.clone(), self.search.all);
        while self.running.len() >= LOOKUPS {
            if !self.take().await {
                return;
            }
        }
        let at = self.found.len();
        self.running.spawn(async move {
            let admits = |address: &IpAddr| egress.admits(address);
            let first = resolver.first(&host, port, admits).await;
            let found = match first {
                Ok(first) if all && !host.contains(['%', '[']) => resolver.all(&host).await.map(|others| {
                    let others = others.into_iter().filter(|other| *other != first.ip() && admits(other));
                    let others = others.map(|other| SocketAddr::new(other, port));
                    std::iter::once(first).chain(others).take(MOST_ADDRESSES).collect()
                }),
                first => first.map(|first| vec![first]),
            };
            (at, found)
        });
        self.found.push((name, Err(Class::Cancelled.because("interrupted before its address was known"))));
    }

    /// Takes the next look-up that ends; `false` when nobody wants to wait for it.
    async fn take(&mut self) -> bool {
        let ended = tokio::select! {
            ended = self.running.join_next() => ended,
            () = self.ctx.cancel.cancelled() => return false,
        };
        if let Some(Ok((at, found))) = ended {
            let found = found.and_then(|mut all| {
                let first = all.remove(0);
                if !all.is_empty() {
                    self.more.insert(at, all);
                }
                self.admitted(first)
            });
            self.tell(&self.found[at].0, &found);
            self.found[at].1 = found;
        }
        true
    }

    fn admitted(&self, address: SocketAddr) -> Result<SocketAddr, Failure> {
        self.search.admission.check(address).map(|()| address)
    }

    fn settle(&mut self, name: Box<str>, found: Result<SocketAddr, Failure>) {
        self.tell(&name, &found);
        self.found.push((name, found));
    }

    fn tell(&self, name: &str, found: &Result<SocketAddr, Failure>) {
        if let Err(failure) = found
            && self.tells
        {
            self.ctx.events.tell(Event::unmeasured(name, failure));
        }
    }

    /// All that was found, further addresses behind the first of their name.
    fn finish(mut self) -> Vec<Found> {
        if self.more.is_empty() {
            return self.found;
        }
        let mut more = std::mem::take(&mut self.more);
        let mut all = Vec::with_capacity(self.found.len());
        for (at, (name, first)) in std::mem::take(&mut self.found).into_iter().enumerate() {
            let Some(others) = more.remove(&at) else {
                all.push((name, first));
                continue;
            };
            let each = |address: SocketAddr| format!("{name} ({})", address.ip()).into_boxed_str();
            all.push((first.as_ref().map_or_else(|_| name.clone(), |first| each(*first)), first));
            all.extend(others.into_iter().map(|other| (each(other), self.admitted(other))));
        }
        all
    }
}

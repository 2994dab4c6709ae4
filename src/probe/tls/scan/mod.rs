//! Everything that a server offers, asked by ClientHellos written by hand: all suites are offered, the one that is chosen is
//! left out of the next question, until the server refuses. Who asks over the network, and who answers in the tests, is
//! [`Ask`]'s business.

use std::cmp::Reverse;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::link::{Answer, Way};
use super::report::{Group, Offered, Scan, Versions};
use crate::sys::clock;
use crate::wire::tls::{
    FALLBACK_SCSV, Flight, GROUPS, HELLO_V2, Hello, SHARES, SIGNATURES, SSL2, SSL3, Suite, TLS1_0, TLS1_1,
    TLS1_2, TLS1_3, group_name, signature_name, signs_tls13, version_name,
};

/// Suites of one question: some servers read no more than 128 of them.
const AT_ONCE: usize = 120;
/// Connections at the same time (probes.md §7).
const ABREAST: usize = 4;
/// Questions in a row without an answer, each asked twice, after which no more are asked.
const HOPELESS: u32 = 4;
/// Versions that a ClientHello can ask for, the newest first.
const VERSIONS: [u16; 5] = [TLS1_3, TLS1_2, TLS1_1, TLS1_0, SSL3];
/// The alert of a server that knows a needless fallback (RFC 7507).
const INAPPROPRIATE_FALLBACK: u8 = 86;
/// Says that the client renegotiates safely, where it cannot by an extension (RFC 5746 §3.3).
const RENEGOTIATION_SCSV: u16 = 0x00ff;

/// Who is asked.
pub(super) trait Ask: Send + Sync + 'static {
    fn ask(&self, hello: &[u8]) -> impl Future<Output = Answer> + Send;
}

impl Ask for Way {
    fn ask(&self, hello: &[u8]) -> impl Future<Output = Answer> + Send {
        Self::ask(self, hello)
    }
}

/// How a scan goes about it.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// The name that is asked for.
    pub(super) name: Option<String>,
    /// The least time between two connections.
    pub(super) apart: Duration,
    /// When it ends, done or not.
    pub(super) end: Instant,
    /// Somebody's wish that it ends.
    pub(super) stop: CancellationToken,
}

/// ClientHellos of which whoever speaks TLS 1.2 or older can answer one.
pub(super) fn any(name: Option<&str>) -> Vec<Vec<u8>> {
    let suites = Suite::all(TLS1_2);
    suites.chunks(AT_ONCE).map(|suites| Offer::of(TLS1_2, suites).hello(name)).collect()
}

/// Every group, and every signature algorithm.
static ALL_GROUPS: [u16; GROUPS.len()] = numbers(&GROUPS);
static ALL_SIGNATURES: [u16; SIGNATURES.len()] = numbers(&SIGNATURES);

const fn numbers<const N: usize>(list: &[(u16, &str); N]) -> [u16; N] {
    let (mut numbers, mut n) = ([0; N], 0);
    while n < N {
        numbers[n] = list[n].0;
        n += 1;
    }
    numbers
}

/// What a question offers, of one version alone.
#[derive(Clone, Copy)]
struct Offer<'a> {
    version: u16,
    suites: &'a [u16],
    groups: &'a [u16],
    signatures: &'a [u16],
    /// Shares of groups, which a server of TLS 1.3 needs before it signs.
    shares: &'a [(u16, &'a [u8])],
    compresses: bool,
}

impl<'a> Offer<'a> {
    /// These suites, with all groups and signatures.
    fn of(version: u16, suites: &'a [u16]) -> Self {
        let signatures: &[u16] = if version >= TLS1_2 { &ALL_SIGNATURES } else { &[] };
        Self { version, suites, groups: &ALL_GROUPS, signatures, shares: &[], compresses: false }
    }

    /// The ClientHello.
    fn hello(&self, name: Option<&str>) -> Vec<u8> {
        let mut suites = self.suites.to_vec();
        if self.version == SSL3 {
            suites.push(RENEGOTIATION_SCSV);
        }
        let hello = Hello {
            version: self.version,
            versions: if self.version == TLS1_3 { &[TLS1_3] } else { &[] },
            suites: &suites,
            groups: self.groups,
            shares: self.shares,
            timestamps: false,
            signatures: self.signatures,
            name,
            alpn: &[],
            compresses: self.compresses,
            random: [0x57; 32],
        };
        let mut out = Vec::new();
        hello.write(&mut out);
        out
    }
}

/// A suite that was chosen.
#[derive(Clone, Debug)]
struct Chosen {
    version: u16,
    /// Which part of the suites was offered.
    part: usize,
    suite: Suite,
    flight: Flight,
}

/// What is known so far.
#[derive(Debug, Default)]
struct Known {
    chosen: Vec<Chosen>,
    /// Versions of which is known whether they are offered.
    offered: Vec<(u16, bool)>,
    groups: Vec<(u16, u16)>,
    signatures: Vec<u16>,
    /// The same of TLS 1.3; `None` where it cannot be asked.
    newer_signatures: Option<Vec<u16>>,
    orders: Vec<bool>,
    fallback: Option<bool>,
    compression: Option<bool>,
    questions: u64,
    unanswered: u64,
    in_a_row: u32,
    /// Why no more is asked.
    given_up: Option<String>,
    /// When the next connection may begin.
    next: Option<Instant>,
}

struct Scanner<A> {
    server: A,
    plan: Plan,
    gate: Semaphore,
    known: Mutex<Known>,
}

/// Asks `server` for everything.
pub(super) async fn scan(server: impl Ask, plan: Plan) -> Scan {
    let began = clock::now().mono;
    let scanner = Arc::new(Scanner { server, plan, gate: Semaphore::new(ABREAST), known: Mutex::default() });
    let mut asking = JoinSet::new();
    let each = |asking: &mut JoinSet<()>, what: What| {
        let scanner = Arc::clone(&scanner);
        asking.spawn(async move { scanner.find(what).await });
    };
    each(&mut asking, What::Old);
    for version in VERSIONS {
        let suites = Suite::all(version);
        suites.chunks(AT_ONCE).enumerate().for_each(|(part, suites)| {
            each(&mut asking, What::Suites { version, part, suites: suites.to_vec() });
        });
    }
    scanner.wait(&mut asking).await;
    for what in scanner.rest() {
        each(&mut asking, what);
    }
    scanner.wait(&mut asking).await;
    let known = std::mem::take(&mut *scanner.known());
    known.report(clock::now().mono.saturating_duration_since(began))
}

/// Something to be found out.
#[derive(Clone, Debug)]
enum What {
    /// SSL 2.0.
    Old,
    /// The suites of a version, a part of them.
    Suites { version: u16, part: usize, suites: Vec<u16> },
    /// Whether the server chooses from these as it did before, when they are offered the other way round.
    Order { version: u16, suites: Vec<u16> },
    /// The groups of a version, by these suites.
    Groups { version: u16, suites: Vec<u16> },
    /// The signatures of TLS 1.2, by these suites.
    Signatures { suites: Vec<u16> },
    /// The signatures of TLS 1.3, by these suites.
    NewerSignatures { suites: Vec<u16> },
    /// Whether it refuses a needless fallback to this version.
    Fallback { version: u16, suites: Vec<u16> },
    /// Whether it compresses.
    Compression { version: u16, suites: Vec<u16> },
}

impl<A: Ask> Scanner<A> {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn name(&self) -> Option<&str> {
        self.plan.name.as_deref()
    }

    /// Asks by `hello`. `None` where no answer came, or no more is asked.
    async fn put(&self, hello: &[u8]) -> Option<Flight> {
        let _turn = self.gate.acquire().await.ok()?;
        let mut why = String::new();
        for is_last in [false, true] {
            let (slot, is_over) = {
                let mut known = self.known();
                let slot = known.next.unwrap_or_else(|| clock::now().mono).max(clock::now().mono);
                known.next = Some(slot + self.plan.apart);
                (slot, known.given_up.is_some())
            };
            if is_over {
                return None;
            }
            let asking = async {
                tokio::time::sleep_until(slot.into()).await;
                self.server.ask(hello).await
            };
            let answer = tokio::select! {
                biased;
                () = self.plan.stop.cancelled() => return self.give_up("interrupted"),
                () = tokio::time::sleep_until(self.plan.end.into()) => {
                    return self.give_up("there was no time left (--deadline)");
                }
                answer = asking => answer,
            };
            let mut known = self.known();
            known.questions += 1;
            match answer {
                // Who hangs up without a word may only have had enough for the moment.
                Answer::Said(flight) if flight.is_empty() && !is_last => {}
                Answer::Said(flight) => {
                    known.in_a_row = 0;
                    return Some(*flight);
                }
                // What is no answer is no agreement.
                Answer::Garbled => {
                    known.in_a_row = 0;
                    return Some(Flight::default());
                }
                Answer::Silent => why = "nothing came in time".to_owned(),
                Answer::Unreached(failure) => why = failure.detail,
            }
        }
        let mut known = self.known();
        (known.unanswered, known.in_a_row) = (known.unanswered + 1, known.in_a_row + 1);
        if known.in_a_row >= HOPELESS {
            known.given_up = Some(format!("{HOPELESS} questions in a row got no answer: {why}"));
        }
        None
    }

    async fn wait(&self, asking: &mut JoinSet<()>) {
        while let Some(asked) = asking.join_next().await {
            if asked.is_err() {
                self.give_up("this program failed");
            }
        }
    }

    fn give_up(&self, why: &str) -> Option<Flight> {
        self.known().given_up.get_or_insert_with(|| why.to_owned());
        None
    }

    async fn find(&self, what: What) {
        match what {
            What::Old => {
                if let Some(flight) = self.put(&HELLO_V2).await {
                    let is_offered = flight.hello.is_some_and(|hello| hello.version == SSL2);
                    self.known().offered.push((SSL2, is_offered));
                }
            }
            What::Suites { version, part, suites } => self.suites(version, part, suites).await,
            What::Order { version, suites } => {
                let turned: Vec<u16> = suites.iter().rev().copied().collect();
                if let Some(chosen) = self.choice(Offer::of(version, &turned)).await {
                    self.known().orders.push(suites.first() == Some(&chosen.0.0));
                }
            }
            What::Groups { version, suites } => self.groups(version, &suites).await,
            What::Signatures { suites } => self.signatures(&suites).await,
            What::NewerSignatures { suites } => self.newer_signatures(&suites).await,
            What::Fallback { version, mut suites } => {
                suites.push(FALLBACK_SCSV);
                if let Some(flight) = self.put(&Offer::of(version, &suites).hello(self.name())).await {
                    let refuses = flight.alert == Some(INAPPROPRIATE_FALLBACK);
                    // Any other no is none to the fallback.
                    self.known().fallback = (refuses || flight.hello.is_some()).then_some(refuses);
                }
            }
            What::Compression { version, suites } => {
                let chosen = self.choice(Offer { compresses: true, ..Offer::of(version, &suites) }).await;
                let compresses = chosen.and_then(|(_, flight)| Some(flight.hello?.compresses));
                self.known().compression = compresses;
            }
        }
    }

    /// What the server chooses from `offer`.
    async fn choice(&self, offer: Offer<'_>) -> Option<(Suite, Flight)> {
        let flight = self.put(&offer.hello(self.name())).await?;
        let chosen = flight.hello.as_ref()?;
        let is_ours = chosen.version == offer.version && offer.suites.contains(&chosen.suite.0);
        is_ours.then_some((chosen.suite, flight))
    }

    async fn suites(&self, version: u16, part: usize, mut suites: Vec<u16>) {
        while !suites.is_empty() {
            let hello = Offer::of(version, &suites).hello(self.name());
            let Some(flight) = self.put(&hello).await else { return };
            let chosen = flight.hello.as_ref().filter(|hello| hello.version == version);
            let suite = chosen.map(|hello| hello.suite).filter(|suite| suites.contains(&suite.0));
            let mut known = self.known();
            known.offered.push((version, suite.is_some()));
            let Some(suite) = suite else { return };
            suites.retain(|other| *other != suite.0);
            known.chosen.push(Chosen { version, part, suite, flight });
        }
    }

    async fn groups(&self, version: u16, suites: &[u16]) {
        let mut groups = ALL_GROUPS.to_vec();
        while !groups.is_empty() {
            let hello = Offer { groups: &groups, ..Offer::of(version, suites) }.hello(self.name());
            let Some(flight) = self.put(&hello).await else { return };
            let chosen = flight.hello.as_ref().filter(|hello| hello.version == version);
            let exchanged = flight.exchange.and_then(|exchange| exchange.group);
            let group = chosen.and_then(|hello| hello.group.or(exchanged));
            let Some(group) = group.filter(|group| groups.contains(group)) else { return };
            groups.retain(|other| *other != group);
            self.known().groups.push((version, group));
        }
    }

    async fn signatures(&self, suites: &[u16]) {
        let mut signatures = ALL_SIGNATURES.to_vec();
        while !signatures.is_empty() {
            let hello = Offer { signatures: &signatures, ..Offer::of(TLS1_2, suites) }.hello(self.name());
            let Some(flight) = self.put(&hello).await else { return };
            let signature = flight.exchange.and_then(|exchange| exchange.signature);
            let Some(signature) = signature.filter(|signature| signatures.contains(signature)) else {
                return;
            };
            signatures.retain(|other| *other != signature);
            self.known().signatures.push(signature);
        }
    }

    /// What the server signs with in TLS 1.3 is encrypted: each algorithm is offered alone.
    async fn newer_signatures(&self, suites: &[u16]) {
        let newer = ALL_SIGNATURES.iter().copied().filter(|signature| signs_tls13(*signature));
        let newer: Vec<u16> = newer.collect();
        // A server that takes none of the shares says nothing about signatures.
        if self.signs(suites, &newer).await != Some(true) {
            return;
        }
        let mut signatures = Vec::new();
        for signature in newer {
            match self.signs(suites, &[signature]).await {
                Some(true) => signatures.push(signature),
                Some(false) => {}
                None => return,
            }
        }
        self.known().newer_signatures = Some(signatures);
    }

    /// Whether the server goes on in TLS 1.3 where it may sign with these.
    async fn signs(&self, suites: &[u16], signatures: &[u16]) -> Option<bool> {
        let groups = SHARES.map(|(group, _)| group);
        let offer = Offer { signatures, shares: &SHARES, groups: &groups, ..Offer::of(TLS1_3, suites) };
        let flight = self.put(&offer.hello(self.name())).await?;
        Some(flight.hello.is_some_and(|hello| hello.version == TLS1_3 && !hello.is_retry))
    }

    /// What is left to be found out when the suites are known.
    fn rest(&self) -> Vec<What> {
        let mut known = self.known();
        known.chosen.sort_by_key(|one| (Reverse(one.version), one.part));
        let of = |version: u16| -> Vec<u16> {
            let chosen = known.chosen.iter().filter(|one| one.version == version);
            chosen.map(|one| one.suite.0).take(AT_ONCE).collect()
        };
        let offered: Vec<(u16, Vec<u16>)> = VERSIONS
            .into_iter()
            .map(|version| (version, of(version)))
            .filter(|(_, suites)| !suites.is_empty())
            .collect();
        let mut rest = Vec::new();
        for (version, suites) in offered.iter().filter(|(_, suites)| suites.len() > 1) {
            rest.push(What::Order { version: *version, suites: suites.clone() });
        }
        // Where a lower version is offered, too: that is what a client falls back to.
        if let Some((version, suites)) = offered.get(1) {
            rest.push(What::Fallback { version: *version, suites: suites.clone() });
        }
        let mut old = offered.iter().filter(|(version, _)| *version < TLS1_3);
        if let Some((version, suites)) = old.next() {
            rest.push(What::Compression { version: *version, suites: suites.clone() });
            let by = |begin: &[&str]| -> Vec<u16> {
                let is = |suite: &Suite| begin.iter().any(|word| suite.exchange().starts_with(word));
                suites.iter().map(|suite| Suite(*suite)).filter(is).map(|suite| suite.0).collect()
            };
            let elliptic = by(&["ECDHE", "ECDH_anon"]);
            if !elliptic.is_empty() {
                rest.push(What::Groups { version: *version, suites: elliptic });
            }
            let signed = by(&["ECDHE_RSA", "ECDHE_ECDSA", "DHE_RSA", "DHE_DSS"]);
            if *version == TLS1_2 && !signed.is_empty() {
                rest.push(What::Signatures { suites: signed });
            }
        }
        if let Some((version, suites)) = offered.iter().find(|(version, _)| *version == TLS1_3) {
            rest.push(What::Groups { version: *version, suites: suites.clone() });
            rest.push(What::NewerSignatures { suites: suites.clone() });
        }
        rest
    }
}

impl Known {
    fn report(self, lasted: Duration) -> Scan {
        let is_offered = |version: u16| {
            let mut told = self.offered.iter().filter(|(of, _)| *of == version).peekable();
            told.peek()?;
            Some(told.any(|(_, is_offered)| *is_offered))
        };
        let versions = Versions {
            sslv2: is_offered(SSL2),
            sslv3: is_offered(SSL3),
            tlsv1_0: is_offered(TLS1_0),
            tlsv1_1: is_offered(TLS1_1),
            tlsv1_2: is_offered(TLS1_2),
            tlsv1_3: is_offered(TLS1_3),
        };
        let old = self.chosen.iter().filter(|one| one.version < TLS1_3);
        let hello = old.filter_map(|one| one.flight.hello.as_ref()).next();
        Scan {
            versions,
            suites: self.chosen.iter().map(Offered::of).collect(),
            groups: groups(&self.groups),
            signatures: names(&self.signatures),
            newer_signatures: self.newer_signatures.as_deref().map(names),
            server_order: (!self.orders.is_empty()).then(|| self.orders.iter().all(|order| *order)),
            secure_renegotiation: hello.map(|hello| hello.renegotiates_safely),
            compression: self.compression,
            fallback_scsv: self.fallback,
            heartbeat: hello.map(|hello| hello.has_heartbeat),
            questions: self.questions,
            unanswered: self.unanswered,
            incomplete: self.given_up,
            lasted,
        }
    }
}

impl Offered {
    fn of(chosen: &Chosen) -> Self {
        let exchange = chosen.flight.exchange;
        let named = chosen.flight.hello.as_ref().and_then(|hello| hello.group);
        Self {
            version: version_name(chosen.version),
            suite: chosen.suite.name(),
            code: chosen.suite.0,
            bits: chosen.suite.bits(),
            group: named.or(exchange.and_then(|exchange| exchange.group)).map(group_name),
            dh_bits: exchange.and_then(|exchange| exchange.bits),
        }
    }
}

fn names(signatures: &[u16]) -> Vec<String> {
    signatures.iter().map(|signature| signature_name(*signature)).collect()
}

/// Each group once, with all versions in which it was chosen.
fn groups(chosen: &[(u16, u16)]) -> Vec<Group> {
    let known = GROUPS.iter().map(|(group, _)| *group);
    let versions = |group: u16| -> Vec<String> {
        let mut of: Vec<u16> =
            chosen.iter().filter(|(_, other)| *other == group).map(|(version, _)| *version).collect();
        of.sort_by_key(|version| Reverse(*version));
        of.into_iter().map(version_name).collect()
    };
    let all = known.map(|group| Group { group: group_name(group), versions: versions(group) });
    all.filter(|group| !group.versions.is_empty()).collect()
}

#[cfg(test)]
mod tests;

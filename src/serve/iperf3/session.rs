//! A test from its cookie to its end: what is said over the control connection, in which order and by when.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::{Instant, interval, sleep_until, timeout_at};
use tokio_util::sync::CancellationToken;

use super::end::End;
use super::greeter::Flow;
use super::registry::Ticket;
use super::running::{Outcome, Running};
use super::screen::Teller;
use super::streams::{Carrier, Line};
use super::talk::{Talk, unexpected};
use super::waiting::Pass;
use super::{Place, Shared, limits, record, tally, text};
use crate::probe::Measurement;
use crate::sys::clock;
use crate::wire::iperf3::{Code, Cookie, Frame, Params, Refusal, Results, State, Transport, encode};

/// How long parameters may take.
const PARAMS: Duration = Duration::from_secs(5);
/// How long all data connections may take, or all flows.
const STREAMS: Duration = Duration::from_secs(10);
/// How long another test of the same source may hold our greetings up.
const TURN: Duration = Duration::from_secs(15);
/// How long results may take.
const RESULTS: Duration = Duration::from_secs(10);
/// How long the last word may take.
const DONE: Duration = Duration::from_secs(5);
/// How often flows are asked whether their peers greet again.
const AGAIN: Duration = Duration::from_millis(100);

/// A test.
pub(super) struct Session {
    pub(super) shared: Arc<Shared>,
    talk: Talk,
    ticket: Ticket,
    cookie: Cookie,
    pub(super) peer: SocketAddr,
    source: IpAddr,
    pub(super) params: Params,
    /// Who has logged in.
    pub(super) user: Option<String>,
    lines: Vec<Line>,
    /// Its streams have come.
    pub(super) has_run: bool,
    /// A record that the store has no time for yet, and the place of its test.
    unkept: Option<(Measurement, Place)>,
}

impl Session {
    /// A test of the client at `peer`, which has shown its cookie.
    pub(super) fn new(
        shared: Arc<Shared>,
        stream: TcpStream,
        peer: SocketAddr,
        cookie: Cookie,
        ticket: Ticket,
    ) -> Self {
        Self {
            shared,
            talk: Talk::new(stream),
            ticket,
            cookie,
            peer,
            source: peer.ip(),
            params: Params::default(),
            user: None,
            lines: Vec::new(),
            has_run: false,
            unkept: None,
        }
    }

    /// Holds the test, and tells the client and the log how it ended.
    pub(super) async fn hold(mut self, pass: Pass) {
        let last = match self.test(pass).await {
            Ok(()) => Some(Vec::new()),
            Err(end) => {
                record::ended(&self, &end);
                (end != End::Displaced).then(|| end.farewell())
            }
        };
        let Self { shared, talk, ticket, lines, unkept, .. } = self;
        drop(ticket);
        if let Some(last) = last {
            shared.part(talk, &last).await;
        }
        // Had they closed before, the client would complain of that and not of what it was told.
        drop(lines);
        // Who tests more than the store can take in waits for it.
        if let Some((measurement, _place)) = unkept {
            shared.keeper.keep(measurement).await;
        }
    }

    async fn test(&mut self, pass: Pass) -> Result<(), End> {
        let ended = self.shared.ended.clone();
        let place = unless(&ended, self.admit(pass)).await?;
        self.lines = unless(&ended, self.all_lines()).await?;
        self.has_run = true;
        let began = clock::now();
        let screen = self.shared.screen.as_ref();
        let teller = screen.map(|screen| screen.test(self.peer, &self.cookie, &self.params, &self.lines));
        let mut running = Running::start(&self.params, &self.shared, self.source, &mut self.lines, teller)?;
        let ran = async {
            self.talk.say(&[State::TestStart, State::TestRunning]).await?;
            running.start_sending(&mut self.lines)?;
            running.watch(&mut self.talk, &mut self.lines).await
        };
        let ran = ran.await;
        let (outcome, mut teller) = running.finish(&mut self.lines, ran.is_ok()).await;
        record::ran(self, &outcome, ran.as_ref().err());
        let told = match ran {
            Ok(()) => {
                self.lines.clear();
                unless(&ended, self.exchange(&outcome, teller.as_mut())).await
            }
            Err(end) => Err(end),
        };
        if let Some(teller) = teller {
            teller.end(&outcome, &told);
        }
        let measurement = record::measurement(self, began, &outcome, &told, &self.shared.keeper.ctx());
        let unkept = self.shared.keeper.offer(measurement);
        self.unkept = unkept.map(|measurement| (measurement, place));
        told.map(drop)
    }

    /// Asks for the parameters, and gives the test a place.
    async fn admit(&mut self, pass: Pass) -> Result<Place, End> {
        let (pass, place) = match self.shared.has_room(self.source) {
            true => (pass, None),
            false => self.wait_for_room(pass).await.map(|(pass, place)| (pass, Some(place)))?,
        };
        let asked = async {
            self.talk.say(&[State::ParamExchange]).await?;
            let until = Instant::now() + PARAMS;
            self.talk.frame(Frame::Params, "parameters", until).await
        };
        let frame = tokio::select! {
            frame = asked => frame?,
            () = pass.displaced() => return Err(End::Displaced),
        };
        self.params = Params::parse(&frame)?;
        let token = self.params.token.take();
        if let Some(gate) = &self.shared.gate {
            self.user = Some(gate.admit(self.source, token).await?);
        }
        limits::check(&self.shared.settings, &self.params)?;
        if !self.shared.ledger.spend(self.source, 0, clock::now().mono) {
            return Err(Refusal::new(Code::RATE, "the day's octets are used up").into());
        }
        let (begun, most) = (&self.shared.begun, self.shared.settings.tests_per_minute);
        if most > 0 && begun.add(self.source, clock::now().mono) > most {
            return Err(End::Busy);
        }
        match place.or_else(|| Place::enter(&self.shared, self.source)) {
            Some(place) => Ok(place),
            // Somebody else was faster.
            None => self.wait_for_room(pass).await.map(|(_, place)| place),
        }
    }

    /// Waits for a place, where the settings allow it; who waits is one of few, and no longer in the crowd of those who have
    /// not shown what they are.
    async fn wait_for_room(&mut self, pass: Pass) -> Result<(Pass, Place), End> {
        let settings = &self.shared.settings;
        let (longest, most) = (settings.queue.0, settings.queue_length as usize);
        let room = (!longest.is_zero()).then(|| self.shared.queue.enter(self.source, most)).flatten();
        let comes = room.ok_or(End::Busy)?;
        drop(pass);
        let place = tokio::select! {
            place = timeout_at(Instant::now() + longest, comes) => place.ok().and_then(Result::ok),
            said = self.talk.heard("its turn") => return Err(surprised(said)),
        };
        Ok((self.shared.waiting.enter(self.source), place.ok_or(End::Busy)?))
    }

    /// Waits for all streams.
    async fn all_lines(&mut self) -> Result<Vec<Line>, End> {
        let carriers = match self.params.transport {
            Transport::Tcp => self.connections().await?,
            Transport::Udp => self.flows().await?,
        };
        let lines = Line::all(carriers, &self.params, &self.shared.settings)?;
        record::differs(self, &lines);
        Ok(lines)
    }

    async fn connections(&mut self) -> Result<Vec<Carrier>, End> {
        let count = self.params.streams();
        let mut arrivals = self.ticket.open(count);
        self.talk.say(&[State::CreateStreams]).await?;
        let until = Instant::now() + STREAMS;
        let mut streams = BTreeMap::new();
        while streams.len() < count {
            tokio::select! {
                Some((order, stream)) = arrivals.recv() => drop(streams.insert(order, stream)),
                said = self.talk.heard("all data connections") => return Err(surprised(said)),
                () = sleep_until(until) => return Err(missing(streams.len(), count)),
            }
        }
        self.ticket.close();
        let carrier = |stream: TcpStream| stream.into_std().map(Carrier::Tcp);
        let carriers = streams.into_values().map(carrier).collect::<Result<_, _>>();
        carriers.map_err(|error| Refusal::new(Code::STREAM_ACCEPT, error).into())
    }

    async fn flows(&mut self) -> Result<Vec<Carrier>, End> {
        let count = self.params.streams();
        let registry = Arc::clone(&self.shared.registry);
        // Nothing but the answer to a greeting goes to an address that has not proved itself by its control connection.
        let sends = self.params.reverse || self.params.bidirectional;
        let from_anywhere = self.shared.settings.udp_allow_nat && !sends;
        let turn = registry.flows_of(self.source, from_anywhere);
        let (_turn, mut hellos) = tokio::select! {
            turn = timeout_at(Instant::now() + TURN, turn) => {
                turn.map_err(|_| missing(0, count))?
            }
            said = self.talk.heard("all flows") => return Err(surprised(said)),
        };
        self.talk.say(&[State::CreateStreams]).await?;
        let until = Instant::now() + STREAMS;
        let mut flows: Vec<Flow> = Vec::with_capacity(count);
        let mut again = interval(AGAIN);
        while flows.len() < count {
            tokio::select! {
                Some(hello) = hellos.recv() => match flows.iter().find(|flow| flow.peer == hello.from) {
                    Some(flow) => {
                        let _ = flow.welcome();
                    }
                    None => {
                        let flow = Flow::open(hello, &self.params, &registry)
                            .map_err(|error| Refusal::new(Code::STREAM_ACCEPT, error))?;
                        flows.push(flow);
                    }
                },
                _ = again.tick() => flows.iter().for_each(Flow::welcome_again),
                said = self.talk.heard("all flows") => return Err(surprised(said)),
                () = sleep_until(until) => return Err(missing(flows.len(), count)),
            }
        }
        Ok(flows.into_iter().map(Carrier::Udp).collect())
    }

    /// Each end tells what it has seen: what the client has.
    async fn exchange(&mut self, outcome: &Outcome, teller: Option<&mut Teller>) -> Result<Results, End> {
        self.talk.say(&[State::ExchangeResults]).await?;
        let until = Instant::now() + RESULTS;
        let frame = self.talk.frame(Frame::ClientResults, "results", until).await?;
        let theirs = Results::parse(&frame)?.of_streams(self.params.streams())?;
        let mut ours = tally::results(&self.params, outcome, Some(&theirs));
        ours.inside = self.params.is_of_waddleperf().then_some(outcome.inside);
        if self.params.wants_output {
            let document = teller.and_then(|teller| teller.document(outcome, &theirs));
            let text = || text::output(self.peer, &self.params, outcome).into();
            ours.output = Some(document.unwrap_or_else(text));
        }
        let mut last = encode(&ours.to_json());
        last.push(State::DisplayResults.byte());
        self.talk.write(&last).await?;
        // Either end may close first.
        match self.talk.expect(State::Done, "the last word", Instant::now() + DONE).await {
            Ok(()) | Err(End::Gone(_)) => Ok(theirs),
            Err(end) => Err(end),
        }
    }
}

/// What comes of `what`, unless we end meanwhile.
async fn unless<T>(ended: &CancellationToken, what: impl Future<Output = Result<T, End>>) -> Result<T, End> {
    ended.run_until_cancelled(what).await.unwrap_or(Err(End::Stopping))
}

/// What the client says while it should open streams.
fn surprised(said: Result<State, End>) -> End {
    match said {
        // What a client says that cannot open a stream itself.
        Ok(State::Done) => End::Gone("all streams"),
        Ok(state) => unexpected(state, "all streams"),
        Err(end) => end,
    }
}

fn missing(there: usize, count: usize) -> End {
    let what = format_args!("{there} of {count} streams in time");
    Refusal::new(Code::STREAM_ACCEPT, what).into()
}

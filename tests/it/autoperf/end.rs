//! The end of a process that comes just as a round does.

use std::net::UdpSocket;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use waddleperf::autoperf::Runner;
use waddleperf::config::Config;
use waddleperf::net::{Policy, Resolver};
use waddleperf::probe::{Agent, Ctx, Outcome, Probe};
use waddleperf::serve::reflector::{Reflector, Request, Service, UdpPingSettings};
use waddleperf::store::{Access, Data, Settings, run};
use waddleperf::sys::clock;
use waddleperf::wire::wp1::Kind;

use super::{Place, silent_port};

/// The packets of a short round.
const FEW: &str = "count = 5\ninterval = \"10ms\"\n";

/// A reflector that calls `told` with the type of each packet before it answers it; it lasts as long as the tests.
fn reflector(told: impl Fn(u8) + Send + 'static) -> u16 {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let port = socket.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        let mut reflector = Reflector::new(&UdpPingSettings::default(), None, vec![port], clock::now());
        let mut buffer = [0; 2048];
        while let Ok((length, from)) = socket.recv_from(&mut buffer) {
            let (bytes, now) = (&buffer[..length], clock::now());
            told(bytes[3]);
            let request = Request {
                service: Service::UdpPing,
                bytes,
                from,
                stamp: Some(now.wall),
                ttl: Some(64),
                tos: Some(0),
            };
            let mut answer = Vec::new();
            if reflector.answer(&|| now, &request, &mut answer).is_ok() {
                socket.send_to(&answer, from).expect("loopback takes it");
            }
        }
    });
    port
}

/// One round of the target `shop`, of `packets`, told to end when a packet of type `kind` arrives at its reflector. The
/// references have not answered by then.
fn round_ended_at(kind: Kind, packets: &str) -> (waddleperf::autoperf::Round, Option<bool>) {
    let cancel = CancellationToken::new();
    let end = cancel.clone();
    let port = reflector(move |seen| {
        if seen == kind as u8 {
            end.cancel();
        }
    });
    let place = Place::new(port);
    let text = std::fs::read_to_string(place.config()).expect("the configuration");
    let text = text.replacen("count = 5\ninterval = \"10ms\"\n", packets, 1);
    let silent = [silent_port(), silent_port()];
    let references = silent.each_ref().map(|(_, port)| format!("127.0.0.1:{port}"));
    let text = text.replace("[autoperf]\n", &format!("[autoperf]\nreferences = {references:?}\n"));
    let settings = Config::parse(&text, Path::new("x.toml")).expect("a configuration").autoperf;
    let access = Access::open(&Data::at(place.data()), &Settings::default()).expect("the store");
    let agent = Agent { id: uuid::Uuid::nil(), host: "test".into(), version: "0".into() };
    let ctx = move || Ctx::new(Arc::new(agent.clone()), Arc::new(Policy::Operator), Resolver::default());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let runner = Runner::open(&settings, Arc::new(access), ctx, cancel).await.expect("a runner");
        let target = settings.targets().expect("targets").remove(0);
        let mut watch = runner.watch(target, false).await.expect("a watch");
        let mut rounds = Vec::new();
        let ran = tokio::time::timeout(
            Duration::from_secs(20),
            runner.round(&mut watch, |round| rounds.push(round)),
        );
        ran.await.expect("in time").expect("kept");
        let round = rounds.remove(0);
        let partial = round.measurements.first().map(|found| found.partial);
        (round, partial)
    })
}

#[test]
fn a_round_that_was_complete_when_the_end_came_counts() {
    let (round, partial) = round_ended_at(Kind::Close, FEW);
    assert_eq!((round.run.round, partial), (run::Round::Good, Some(false)), "{round:?}");
    assert_eq!((round.run.skipped, round.run.own_line), (vec![], run::OwnLine::Weak));
    let Outcome::Report(waddleperf::probe::Report::UdpPing(report)) = &round.measurements[0].outcome else {
        panic!("a report")
    };
    let Probe::UdpPing(probe) = &round.measurements[0].probe else { panic!("a ping") };
    assert_eq!(report.counts.received, probe.count);
}

#[test]
fn a_round_whose_deadline_was_over_when_the_end_came_counts() {
    let (round, partial) =
        round_ended_at(Kind::Close, "count = 100\ninterval = \"300ms\"\ndeadline = \"450ms\"\n");
    assert_eq!((round.run.round, partial), (run::Round::Good, Some(false)), "{round:?}");
}

#[test]
fn a_round_that_the_end_cuts_short_says_nothing() {
    let (round, partial) = round_ended_at(Kind::Echo, FEW);
    assert_eq!((round.run.round, partial), (run::Round::Void, Some(true)), "{round:?}");
    assert_eq!(round.run.skipped, [run::Skipped { tier: 1, why: run::Why::Aborted }]);
}

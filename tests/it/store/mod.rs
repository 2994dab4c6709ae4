//! The store: what is kept stays kept, and is found again.

mod broken;
mod contents;
mod crash;
mod disk;
mod kill;
mod processes;
mod spool;
mod sync;

use std::collections::BTreeMap;
use std::time::Duration;

use uuid::Uuid;
use waddleperf::failure::Class;
use waddleperf::probe::imported::{self, Imported};
use waddleperf::probe::{Agent, Measurement, Outcome, Probe, Scalar, Target};
use waddleperf::store::{Answer, Data, Filter, Order, Query, Record, Store};
use waddleperf::units::{Timestamp, Unit};

/// 2026-11-23T10:00:00Z.
const START: u64 = 1_795_428_000_000;

/// A moment, in milliseconds since the epoch.
fn at(ms: u64) -> Timestamp {
    Timestamp::from_millisecond(i64::try_from(ms).expect("a time")).expect("a time")
}

fn agent() -> Agent {
    Agent { id: Uuid::from_u128(7), host: "test".to_owned(), version: "0".to_owned() }
}

/// A measurement of `target` at `ms`, number `n` of its millisecond, with these samples (milliseconds, none is lost).
fn sampled(target: &str, ms: u64, n: u32, samples_ms: &[Option<f64>]) -> Record {
    let known: Vec<f64> = samples_ms.iter().flatten().copied().collect();
    let mean = known.iter().sum::<f64>() / known.len().max(1) as f64 / 1e3;
    let scalar =
        |name: &'static str, unit, value: f64| Scalar { name: name.into(), unit, value: Some(value) };
    let lost = (samples_ms.len() - known.len()) as f64 / samples_ms.len().max(1) as f64;
    let report = imported::Report {
        scalars: vec![
            scalar("rtt_mean", Unit::Seconds, mean),
            scalar("loss_ratio", Unit::Ratio, lost),
            scalar("connect", Unit::Seconds, mean * 2.0),
        ],
        samples_ms: samples_ms.to_vec(),
        details: BTreeMap::new(),
    };
    Record::Measurement(Box::new(Measurement {
        outcome: Outcome::Report(report.into()),
        ..bare(target, ms, n)
    }))
}

/// One that failed.
fn failed(target: &str, ms: u64, n: u32, class: Class) -> Record {
    Record::Measurement(Box::new(Measurement {
        outcome: Outcome::Failure(class.because("as the test wants it")),
        ..bare(target, ms, n)
    }))
}

fn bare(target: &str, ms: u64, n: u32) -> Measurement {
    Measurement {
        v: 1,
        id: id(ms, n),
        at: at(ms),
        elapsed: Duration::from_millis(5),
        clock_step_ms: None,
        agent: agent(),
        probe: Probe::Imported(Imported {
            tool: "ping".to_owned(),
            mode: "icmp".to_owned(),
            target: Target::from(target),
        }),
        address: None,
        labels: BTreeMap::new(),
        partial: false,
        outcome: Outcome::Failure(Class::Internal.because("not filled in")),
    }
}

/// A UUID v7 of that millisecond, numbered.
fn id(ms: u64, n: u32) -> Uuid {
    Uuid::from_u128(u128::from(ms) << 80 | 7 << 76 | 2 << 62 | u128::from(n))
}

/// A plain record of one sample.
fn plain(n: u32) -> Record {
    sampled("a.example", START + u64::from(n), n, &[Some(1.0)])
}

/// A data directory of its own.
fn data() -> (tempfile::TempDir, Data) {
    let dir = tempfile::tempdir().expect("a directory");
    let data = Data::at(dir.path().join("data"));
    (dir, data)
}

fn store(data: &Data) -> Store {
    Store::take(data).expect("a store").expect("free")
}

fn list(filter: Filter) -> Query {
    Query::List { filter, after: None, limit: 1000, order: Order::Oldest }
}

fn records(answer: Answer) -> Vec<Record> {
    match answer {
        Answer::List(page) => page.records,
        other => panic!("another answer: {other:?}"),
    }
}

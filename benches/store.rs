//! What the store costs: batches beside SQLite, a long series for a chart, and the opening of a large file.
//!
//! Both sides get the same records and make the same promise: JSON body, an index by series and time, one row for an
//! id however often it comes, durable when the commit returns. `cargo bench --bench store`.

#![expect(clippy::print_stdout, reason = "a bench prints")]

mod common;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, params};
use uuid::Uuid;
use waddleperf::probe::imported::{self, Imported};
use waddleperf::probe::{Agent, Measurement, Outcome, Probe, Scalar, Target};
use waddleperf::store::{Answer, Data, Filter, Query, Record, Store};
use waddleperf::units::{Timestamp, Unit};

use common::{median, timed};

/// 2026-11-23T10:00:00Z.
const START: u64 = 1_795_428_000_000;
const BATCH: u64 = 1_000;
const BATCHES: u64 = 40;
const TARGETS: u64 = 20;
const POINTS: u64 = 100_000;
const RUNS: usize = 11;
/// Records of 400 samples that make 1 GB.
const LARGE: u64 = 160_000;

fn main() {
    let dir = tempfile::tempdir().expect("a directory");
    println!("store: profile bench, on {}", dir.path().display());
    insert(dir.path());
    one_by_one(dir.path());
    series(dir.path());
    opening(dir.path());
}

/// Batches of 1,000 records, ours and SQLite's in turn, so that both meet the same machine.
fn insert(dir: &Path) {
    let store = store(&dir.join("batch"));
    let mut sqlite = Sqlite::at(&dir.join("batch.sqlite"));
    let (mut ours, mut theirs) = (Duration::ZERO, Duration::ZERO);
    for batch in 0..BATCHES {
        let records: Vec<Record> = (batch * BATCH..(batch + 1) * BATCH).map(|n| record(n, 8)).collect();
        ours += time(|| assert_eq!(store.commit(&records, &[]), Ok(records.len() as u64)));
        theirs += time(|| sqlite.insert(&records));
    }
    assert_eq!((store.count(), sqlite.count()), (Ok(BATCH * BATCHES), BATCH * BATCHES));
    rates("insert, 1,000 a batch", BATCH * BATCHES, ours, theirs, "(goal: 1.0x)");
}

/// Records that are each durable before the next one comes.
fn one_by_one(dir: &Path) {
    let store = store(&dir.join("single"));
    let mut sqlite = Sqlite::at(&dir.join("single.sqlite"));
    let (mut ours, mut theirs) = (Duration::ZERO, Duration::ZERO);
    for n in 0..BATCH {
        let records = [record(n, 8)];
        ours += time(|| assert_eq!(store.commit(&records, &[]), Ok(records.len() as u64)));
        theirs += time(|| sqlite.insert(&records));
    }
    rates("insert, one by one", BATCH, ours, theirs, "");
}

fn rates(what: &str, records: u64, ours: Duration, theirs: Duration, goal: &str) {
    let rate = |span: Duration| records as f64 / span.as_secs_f64();
    let (ours, theirs) = (rate(ours), rate(theirs));
    println!(
        "{what:<24}{ours:>9.0} records/s   {:.2}x SQLite ({theirs:.0} records/s)   {goal}",
        ours / theirs
    );
}

fn series(dir: &Path) {
    let store = store(&dir.join("series"));
    let mut n = 0;
    while n < POINTS {
        // One target: every record is one point of one line.
        let records: Vec<Record> = (n..n + BATCH).map(|n| record(n * TARGETS, 8)).collect();
        store.commit(&records, &[]).expect("kept");
        n += BATCH;
    }
    let query = Query::Series { filter: Filter::default(), scalar: "rtt_p95".to_owned(), points: 1_000 };
    let one = || {
        let Ok(Answer::Series(lines)) = store.ask(&query) else { panic!("another answer") };
        assert_eq!((lines.len(), lines[0].total), (1, POINTS));
        assert!(lines[0].points.len() <= 1_000);
    };
    let median = median((0..RUNS).map(|_| time(one)));
    println!("{:<24}{:>9.1} ms   (goal: 150 ms)", "100,000 points to 1,000", ms(median));
}

/// A file of 1 GB: closed in order, and as a killed process leaves it.
fn opening(dir: &Path) {
    let (closed, killed) = (Data::at(dir.join("large")), Data::at(dir.join("killed")));
    let open = store(closed.path());
    for n in (0..LARGE).step_by(BATCH as usize) {
        let records: Vec<Record> = (n..n + BATCH).map(|n| record(n, 400)).collect();
        open.commit(&records, &[]).expect("kept");
    }
    // What a killed process leaves is what is on the disk while it runs: everything is synced with each commit.
    killed.make().expect("a directory");
    std::fs::copy(closed.store(), killed.store()).expect("a copy of the open file");
    std::fs::File::open(killed.store()).and_then(|file| file.sync_all()).expect("on the disk");
    drop(open);
    for (what, data, runs) in [("opening, closed", &closed, RUNS), ("opening, killed", &killed, 1)] {
        let worst = (0..runs).map(|_| time_to_open(data)).max().unwrap_or_default();
        let size = std::fs::metadata(data.store()).expect("the file").len() as f64 / 1e9;
        assert!(size >= 1.0, "{size} GB is less than the goal speaks of");
        println!(
            "{what:<24}{:>9.1} ms   worst of {runs}, {size:.2} GB, {LARGE} records   (goal: 200 ms)",
            ms(worst)
        );
    }
}

/// How long it takes until the store answers; closing it is not part of that.
fn time_to_open(data: &Data) -> Duration {
    let (_store, span, _) = timed(|| {
        let store = store(data.path());
        assert_eq!(store.count(), Ok(LARGE));
        store
    });
    span
}

fn store(dir: &Path) -> Store {
    Store::take(&Data::at(dir)).expect("a store").expect("free")
}

fn ms(span: Duration) -> f64 {
    span.as_secs_f64() * 1e3
}

fn time(work: impl FnOnce()) -> Duration {
    timed(work).1
}

/// The peer: what one would write with SQLite for the same promise.
struct Sqlite(Connection);

impl Sqlite {
    fn at(path: &Path) -> Self {
        let connection = Connection::open(path).expect("SQLite");
        connection
            .execute_batch(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
                 CREATE TABLE series (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
                 CREATE TABLE record (id BLOB PRIMARY KEY, at INTEGER NOT NULL, series INTEGER NOT NULL, value REAL, body BLOB NOT NULL) WITHOUT ROWID;
                 CREATE INDEX record_series ON record (series, at, value);",
            )
            .expect("a schema");
        Self(connection)
    }

    fn insert(&mut self, records: &[Record]) {
        let transaction = self.0.transaction().expect("a transaction");
        {
            let mut name =
                transaction.prepare_cached("INSERT OR IGNORE INTO series (name) VALUES (?1)").expect("SQL");
            let mut insert = transaction
                .prepare_cached(
                    "INSERT OR IGNORE INTO record SELECT ?1, ?2, (SELECT id FROM series WHERE name = ?3), ?4, ?5",
                )
                .expect("SQL");
            for record in records {
                let series = record.target();
                let body = serde_json::to_vec(record).expect("JSON");
                name.execute(params![series]).expect("a row");
                let id = record.id();
                let row = params![id.as_bytes(), record.at().as_millisecond(), series, value(record), body];
                insert.execute(row).expect("a row");
            }
        }
        transaction.commit().expect("durable");
    }

    fn count(&self) -> u64 {
        let count = self.0.query_row("SELECT count(*) FROM record", [], |row| row.get::<_, i64>(0));
        count.expect("a count").unsigned_abs()
    }
}

fn value(record: &Record) -> Option<f64> {
    let Record::Measurement(measured) = record else { return None };
    measured.scalars().iter().find(|scalar| scalar.name == "rtt_p95").and_then(|scalar| scalar.value)
}

/// Record `n`: the headline numbers of a ping and `samples` of its samples.
fn record(n: u64, samples: u64) -> Record {
    let at = START + n * 1_000;
    let rtt = 10.0 + (n * 7_919 % 1_000) as f64 / 100.0;
    let names = ["rtt_min", "rtt_mean", "rtt_p50", "rtt_p95", "rtt_p99", "rtt_max", "jitter"];
    let mut scalars: Vec<Scalar> = names
        .iter()
        .map(|&name| Scalar { name: name.into(), unit: Unit::Seconds, value: Some(rtt / 1e3) })
        .collect();
    scalars.push(Scalar { name: "loss_ratio".into(), unit: Unit::Ratio, value: Some(0.0) });
    let report = imported::Report {
        scalars,
        samples_ms: (0..samples).map(|nth| Some(rtt + nth as f64 / 100.0)).collect(),
        details: BTreeMap::new(),
    };
    Record::Measurement(Box::new(Measurement {
        v: Measurement::VERSION,
        id: Uuid::from_u128(u128::from(at) << 80 | 7 << 76 | 2 << 62 | u128::from(n)),
        at: Timestamp::from_millisecond(at.cast_signed()).expect("a time"),
        elapsed: Duration::from_secs(1),
        clock_step_ms: None,
        agent: Agent { id: Uuid::from_u128(7), host: "bench".to_owned(), version: "0".to_owned() },
        probe: Probe::Imported(Imported {
            tool: "ping".to_owned(),
            mode: "icmp".to_owned(),
            target: Target::from(format!("host-{}.example", n % TARGETS).as_str()),
        }),
        address: "192.0.2.1".parse().ok(),
        labels: [("site".to_owned(), "ams".to_owned())].into(),
        partial: false,
        outcome: Outcome::Report(report.into()),
    }))
}

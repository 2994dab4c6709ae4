//! `kill -9` of a writing process (promises R1 and R2): what was acknowledged is there, in the store and in the spool.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Child;
use std::thread::park_timeout;
use std::time::Duration;

use uuid::Uuid;
use waddleperf::store::{Access, Answer, Data, Filter, Holder, Order, Query, Settings};

use super::{data, plain};
use crate::lab::shared;
use crate::stage;

const ROUNDS: u32 = 20;
const FIRST: &str = "WADDLEPERF_TEST_FIRST";
/// Acknowledge before keeping: the mistake that these tests are there to find.
const EARLY: &str = "WADDLEPERF_TEST_EARLY";

#[test]
#[ignore = "a stage: the tests below start it"]
fn writes_until_killed() {
    let Some(place) = stage::place() else { return };
    let first: u32 = std::env::var(FIRST).expect("a number").parse().expect("a number");
    let early = std::env::var_os(EARLY).is_some();
    let access = Access::open(&Data::at(place), &Settings::default()).expect("access");
    for n in first.. {
        if early {
            eprintln!("{n}");
        }
        access.keep(&[plain(n)]).expect("kept");
        if !early {
            eprintln!("{n}");
        }
    }
}

#[test]
fn nothing_acknowledged_is_lost_from_the_store() {
    let (_dir, data) = data();
    assert_eq!(lost(&data, ROUNDS, false, None), 0);
}

#[test]
fn nothing_acknowledged_is_lost_from_the_spool() {
    let (_dir, data) = data();
    let owner = access(&data);
    assert_eq!(owner.try_own(), Ok(Holder::Us));
    assert_eq!(lost(&data, ROUNDS, false, Some(owner)), 0);
}

#[test]
fn a_writer_that_acknowledges_early_does_lose() {
    let (_dir, data) = data();
    assert!(lost(&data, ROUNDS, true, None) > 0, "the tests above could not fail");
}

/// Starts a writer again and again, kills each at a random moment, and counts what it had acknowledged and is not there.
/// With an `owner` the writers cannot have the store, and spool.
fn lost(data: &Data, rounds: u32, early: bool, owner: Option<Access>) -> usize {
    let _turn = shared();
    let (mut expected, mut first, mut random) = (BTreeSet::new(), 0, 1u64);
    for _ in 0..rounds {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let acknowledged = killed_after(data.path(), first, (random >> 33) % 20 + 1, random >> 53, early);
        assert!(!acknowledged.is_empty(), "a writer that wrote nothing");
        // One more may be in: kept, but not acknowledged any more.
        first = acknowledged.last().expect("a number") + 2;
        expected.extend(acknowledged.into_iter().map(|n| plain(n).id()));
    }
    let found = everything(&owner.unwrap_or_else(|| access(data)));
    assert!(found.len() <= expected.len() + rounds as usize, "records that nobody wrote");
    expected.difference(&found).count()
}

/// What a writer acknowledged before it was killed, which was `micros` after it had acknowledged `lines`.
fn killed_after(place: &Path, first: u32, lines: u64, micros: u64, early: bool) -> Vec<u32> {
    let mut command = stage::command("store::kill::writes_until_killed", place);
    command.env(FIRST, first.to_string());
    if early {
        command.env(EARLY, "1");
    }
    let mut writer: Child = command.spawn().expect("a process");
    let said = BufReader::new(writer.stderr.take().expect("a pipe"));
    let mut acknowledged = Vec::new();
    for line in said.lines() {
        let line = line.expect("text");
        acknowledged.push(line.parse().unwrap_or_else(|_| panic!("the writer says: {line}")));
        if acknowledged.len() as u64 == lines {
            park_timeout(Duration::from_micros(if early { 0 } else { micros }));
            writer.kill().expect("killed");
        }
    }
    writer.wait().expect("ended");
    acknowledged
}

fn access(data: &Data) -> Access {
    Access::open(data, &Settings::default()).expect("access")
}

/// The ids of all records, after a check of everything.
fn everything(access: &Access) -> BTreeSet<Uuid> {
    let verified = access.ask(&Query::Verify);
    assert!(matches!(&verified, Ok(Answer::Verify(verified)) if verified.wrong == 0), "{verified:?}");
    let (mut found, mut after) = (BTreeSet::new(), None);
    loop {
        let query = Query::Ids { filter: Filter::default(), after, limit: 1_000, order: Order::Oldest };
        let Ok(Answer::Ids(ids, next)) = access.ask(&query) else { panic!("another answer") };
        found.extend(ids);
        after = next;
        if after.is_none() {
            return found;
        }
    }
}

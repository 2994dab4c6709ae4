//! The spool is bounded (promise R4): raw samples go first, then the oldest records are counted, and none is silent.

use std::fs;

use serde_json::{Value, json};
use waddleperf::store::{Access, Data, Filter, Record, Settings};

use super::{START, data, id, list, plain, records, store};

/// The smallest spool that the settings allow.
const BOUND: u64 = 1 << 20;

fn spooling(data: &Data) -> Access {
    let settings = Settings { spool_bytes: BOUND, ..Settings::default() };
    let access = Access::open(data, &settings).expect("access");
    assert!(access.store().is_none(), "somebody else has the store");
    access
}

fn octets(data: &Data) -> u64 {
    let files = fs::read_dir(data.spool()).expect("the spool");
    let sizes = files.map(|file| file.expect("a file").metadata().expect("a size").len());
    sizes.map(|size| size.next_multiple_of(4096)).sum()
}

fn everything(owner: waddleperf::store::Store, data: &Data) -> Vec<Record> {
    drop(owner);
    let access = Access::open(data, &Settings::default()).expect("access");
    records(access.ask(&list(Filter::default())).expect("an answer"))
}

/// A ping with `samples` raw samples, and the sketch that stands for them.
fn pinged(n: u32, samples: usize) -> Record {
    let way = json!({"lost": 0, "loss_ratio": 0.0, "ipdv_ms": null, "delay": null, "duplicates": 0,
        "reordered": 0, "ttl": null, "dscp": null, "ecn_ce": null});
    let ms = START + u64::from(n);
    let record = json!({
        "v": 1, "id": id(ms, n), "at": super::at(ms).to_string(), "elapsed_ms": 1.0,
        "agent": {"id": uuid::Uuid::nil(), "host": "test", "version": "0"},
        "probe": {"kind": "udpping", "target": "a.example"}, "address": null,
        "outcome": {"report": {
            "kind": "udpping",
            "counts": {"sent": samples, "received": samples, "duplicates": 0, "reordered": 0, "late": 0, "skipped": 0,
                "send_errors": 0, "pending": 0, "receive_overflow": 0},
            "loss_ratio": 0.0, "rtt": null, "clock": "kernel", "schedule_error": null,
            "loss_bursts": {"count": 0, "longest": 0}, "up": way, "down": way, "lost_unknown": 0,
            "server_processing": null, "clock_offset_ms": null, "clock_error_ms": null, "payload_bytes": 80,
            "interval_ms": 10.0, "restarts": 0, "errors": [],
            "rtt_sketch": {"zero": 0, "bins": [[1, samples]]},
            "samples_ms": vec![1.234_567; samples],
        }}
    });
    Record::decode(&serde_json::to_vec(&record).expect("JSON")).expect("a record")
}

#[test]
fn a_full_spool_stays_within_its_bound_and_counts_what_it_gives_up() {
    let (_dir, data) = data();
    let owner = store(&data);
    let access = spooling(&data);
    for n in 0..600 {
        access.keep(&[plain(n)]).expect("kept");
        assert!(octets(&data) <= BOUND, "after {n}: {} octets", octets(&data));
    }
    let found = everything(owner, &data);
    let lost: u64 = found.iter().map(|record| if let Record::Gap(gap) = record { gap.lost } else { 0 }).sum();
    let kept = found.iter().filter(|record| !matches!(record, Record::Gap(_))).count() as u64;
    assert!(lost > 300, "600 blocks of 4 KiB do not fit 1 MiB, and {lost} are given up");
    assert_eq!(kept + lost, 600, "every record is there or counted");
    let newest = plain(599);
    assert!(found.contains(&newest), "the newest is the last to go");
}

#[test]
fn raw_samples_go_before_any_record() {
    let (_dir, data) = data();
    let owner = store(&data);
    let access = spooling(&data);
    // 60 records of some 45 kB each: beyond the bound with their samples, far below without.
    for n in 0..60 {
        access.keep(&[pinged(n, 5_000)]).expect("kept");
        assert!(octets(&data) <= BOUND, "after {n}: {} octets", octets(&data));
    }
    let found = everything(owner, &data);
    assert_eq!(found.len(), 60);
    let thinned = |record: &Record| {
        let value: Value = serde_json::to_value(record).expect("JSON");
        let report = &value["outcome"]["report"];
        assert_eq!(report["counts"]["sent"], 5_000);
        assert_eq!(report["rtt_sketch"]["bins"][0][1], 5_000, "the sketch stays");
        report["samples_ms"].is_null()
    };
    let thin = found.iter().filter(|record| thinned(record)).count();
    assert!((30..60).contains(&thin), "{thin} were thinned");
    assert!(!thinned(&found[59]), "the newest keeps its samples");
}

#[test]
fn what_waits_too_long_is_counted() {
    let (_dir, data) = data();
    let owner = store(&data);
    let settings = Settings { spool_age: "1s".parse().expect("a span"), ..Settings::default() };
    let access = Access::open(&data, &settings).expect("access");
    access.keep(&[plain(0), plain(1)]).expect("kept");
    access.keep(&[plain(60_000)]).expect("kept");
    access.keep(&[plain(60_001)]).expect("kept");
    let found = everything(owner, &data);
    let gaps: Vec<_> = found
        .iter()
        .filter_map(|record| if let Record::Gap(gap) = record { Some(gap) } else { None })
        .collect();
    assert_eq!((gaps.len(), gaps[0].lost, found.len()), (1, 2, 3), "{found:?}");
    assert!(gaps[0].why.contains("too long"));
}

#[test]
fn a_spool_that_is_gone_is_made_again() {
    let (_dir, data) = data();
    let owner = store(&data);
    let access = spooling(&data);
    fs::remove_dir_all(data.spool()).expect("gone");
    access.keep(&[plain(0)]).expect("kept");
    assert_eq!(everything(owner, &data), [plain(0)]);
}

#[test]
fn what_is_no_record_is_put_aside_and_holds_nothing_up() {
    let (_dir, data) = data();
    let owner = store(&data);
    let access = spooling(&data);
    access.keep(&[plain(0)]).expect("kept");
    let file = |name: String| data.spool().join(name);
    fs::write(file("nonsense.json".to_owned()), "{}").expect("written");
    fs::write(file(format!("{}.json", plain(7).id())), b"\xff\x00").expect("written");
    // A record under another's name.
    let other = serde_json::to_vec(&plain(8)).expect("JSON");
    fs::write(file(format!("{}.json", plain(9).id())), other).expect("written");
    std::os::unix::fs::symlink("/etc/passwd", file(format!("{}.json", plain(10).id()))).expect("linked");
    nix::unistd::mkfifo(&file(format!("{}.json", plain(11).id())), nix::sys::stat::Mode::S_IRWXU)
        .expect("a pipe");
    assert_eq!(everything(owner, &data), [plain(0)]);
    assert_eq!(fs::read_dir(data.spool().join("rejected")).expect("put aside").count(), 5);
}

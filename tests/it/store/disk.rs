//! Disks that are full or cannot be written (promise R3): a clear refusal, reads go on, and all is well afterwards.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use nix::mount::{MsFlags, mount};
use uuid::Uuid;
use waddleperf::failure::Failure;
use waddleperf::store::{Access, Answer, Data, Filter, Query, Record, Settings};
use waddleperf::sys::clock;

use super::processes::{Owner, ids, import_one, refusal};
use super::{START, list, plain, records, sampled};
use crate::stage;
use crate::tool::{WADDLEPERF, stdout};

#[test]
fn a_full_disk_refuses_reads_on_and_recovers() {
    let dir = tempfile::tempdir().expect("a directory");
    stage::play_with_mounts("store::disk::full", dir.path());
}

#[test]
#[ignore = "a stage: the test above starts it"]
fn full() {
    let Some(place) = stage::place() else { return };
    tmpfs(&place);
    let filler = place.join("filler");
    fs::write(&filler, vec![1; 2 << 20]).expect("a filler");
    let access = open(&place);
    let (kept, failure) = fill(&access);
    assert_is_told(&failure, "no space left on device");
    assert!(kept.len() > 50, "{} records fit", kept.len());
    // It stays full, and stays calm: every further record is refused, everything kept can be read.
    for n in 0..5 {
        assert_is_told(&access.keep(&[large(100_000 + n)]).expect_err("no room"), "no space left on device");
        assert!(all(&access).is_superset(&kept));
    }
    fs::remove_file(&filler).expect("room");
    let begin = clock::now().mono;
    access.keep(&[plain(1)]).expect("room again");
    assert!(clock::now().mono.saturating_duration_since(begin) < Duration::from_secs(5));
    assert_whole(&access, &kept);
    drop(access);
    assert_whole(&open(&place), &kept);
}

#[test]
fn a_full_disk_refuses_what_would_be_spooled() {
    let dir = tempfile::tempdir().expect("a directory");
    stage::play_with_mounts("store::disk::full_spool", dir.path());
}

#[test]
#[ignore = "a stage: the test above starts it"]
fn full_spool() {
    let Some(place) = stage::place() else { return };
    tmpfs(&place);
    let filler = place.join("filler");
    // What waits in the spool takes as much again in the store, before its files go.
    fs::write(&filler, vec![1; 5 << 20]).expect("a filler");
    let owner = open(&place);
    let other = open(&place);
    assert!(other.store().is_none(), "the store has one owner");
    let (kept, failure) = fill(&other);
    assert_is_told(&failure, "no space left on device");
    let left: Vec<_> = fs::read_dir(place.join("data/spool"))
        .expect("the spool")
        .map(|file| file.expect("a file").file_name().into_string().expect("a name"))
        .filter(|name| name.starts_with('.') && name != ".room")
        .collect();
    assert!(left.is_empty(), "half-written files stay: {left:?}");
    fs::remove_file(&filler).expect("room");
    other.keep(&[plain(1)]).expect("room again");
    assert!(all(&owner).is_superset(&kept));
}

#[test]
fn a_server_outlives_a_full_disk() {
    let dir = tempfile::tempdir().expect("a directory");
    stage::play_with_mounts("store::disk::full_server", dir.path());
}

#[test]
#[ignore = "a stage: the test above starts it"]
fn full_server() {
    let Some(place) = stage::place() else { return };
    tmpfs(&place);
    let (data, filler) = (place.join("data"), place.join("filler"));
    let _server = Owner::of(&data);
    stdout(&mut import_one(&data, 0));
    assert_eq!(ids(&data).len(), 1);
    fs::write(&filler, vec![1; 9 << 20]).expect_err("a full disk");
    for n in 1..4 {
        assert!(refusal(&mut import_one(&data, n)).contains("no space left on device"));
        assert_eq!(ids(&data).len(), 1, "reads go on");
    }
    fs::remove_file(&filler).expect("room");
    stdout(&mut import_one(&data, 4));
    assert_eq!(ids(&data).len(), 2, "and all is well without a restart");
}

#[test]
fn what_fits_nowhere_is_held_counted_and_kept_when_there_is_room() {
    let dir = tempfile::tempdir().expect("a directory");
    stage::play_with_mounts("store::disk::full_for_long", dir.path());
}

#[test]
#[ignore = "a stage: the test above starts it"]
fn full_for_long() {
    let Some(place) = stage::place() else { return };
    stage::tmpfs(&place, "32m");
    let access = open(&place);
    access.commit_or_hold(&[large(0)], &[]).expect("kept");
    assert_eq!(access.waiting(), None);
    fs::write(place.join("filler"), vec![1; 32 << 20]).expect_err("a full disk");
    // 12 MB, of which 8 MiB are held.
    for n in 1..600 {
        let state = ("autoperf/target/x".to_owned(), n.to_string().into_bytes());
        access.commit_or_hold(&[large(n)], &[state]).expect("held");
    }
    let waiting = access.waiting().expect("something waits");
    assert_is_told(&waiting.why, "no space left on device");
    assert!((300..500).contains(&waiting.records), "{waiting:?}");
    assert_eq!(access.load("autoperf/target/x"), Ok(Some(b"599".to_vec())), "the newest state is known");
    let lost = access.finish().expect_err("nothing can be kept");
    assert_is_told(&lost, "of autoperf's records could not be kept: ");
    fs::remove_file(place.join("filler")).expect("room");
    access.finish().expect("kept");
    assert_eq!((access.waiting(), access.load("autoperf/target/x")), (None, Ok(Some(b"599".to_vec()))));
    let told = records(access.ask(&list(Filter::default())).expect("an answer"));
    let lost: u64 = told.iter().map(|record| if let Record::Gap(gap) = record { gap.lost } else { 0 }).sum();
    let kept = told.iter().filter(|record| matches!(record, Record::Measurement(_))).count() as u64;
    assert!(lost > 0 && kept > 300, "{lost} lost, {kept} kept");
    assert_eq!(lost + kept, 600, "each is there or counted");
    let newest = told.iter().map(Record::id).max();
    assert_eq!(newest, Some(large(599).id()));
}

#[test]
fn a_store_that_cannot_be_made_leaves_nothing_behind() {
    let dir = tempfile::tempdir().expect("a directory");
    stage::play_with_mounts("store::disk::full_from_the_start", dir.path());
}

#[test]
#[ignore = "a stage: the test above starts it"]
fn full_from_the_start() {
    let Some(place) = stage::place() else { return };
    tmpfs(&place);
    let filler = place.join("filler");
    // More than there is room for.
    fs::write(&filler, vec![1; 9 << 20]).expect_err("a full disk");
    let data = Data::at(place.join("data"));
    let Err(failure) = Access::open(&data, &Settings::default()) else { panic!("a store on a full disk") };
    assert_is_told(&failure, "no space left on device");
    assert!(!data.store().exists() && !data.path().join("results.redb.new").exists());
    fs::remove_file(&filler).expect("room");
    open(&place).keep(&[plain(1)]).expect("kept");
}

#[test]
fn a_disk_that_cannot_be_written_is_read_and_written_again_when_it_can() {
    let dir = tempfile::tempdir().expect("a directory");
    stage::play_with_mounts("store::disk::read_only", dir.path());
}

#[test]
#[ignore = "a stage: the test above starts it"]
fn read_only() {
    let Some(place) = stage::place() else { return };
    tmpfs(&place);
    let written: Vec<Record> = (0..20).map(plain).collect();
    open(&place).keep(&written).expect("kept");
    let kept: BTreeSet<Uuid> = written.iter().map(Record::id).collect();
    remount(&place, MsFlags::MS_RDONLY);
    let access = open(&place);
    for n in 0..3 {
        assert_eq!(all(&access), kept);
        assert_is_told(&access.keep(&[plain(100 + n)]).expect_err("read-only"), "read-only filesystem");
    }
    assert_eq!(all(&access), kept);
    // Whole processes find it so as well.
    let results = |command: &str| {
        let mut results = Command::new(WADDLEPERF);
        results.arg("--data").arg(place.join("data")).args(["results", command]);
        stdout(&mut results).lines().count()
    };
    assert_eq!((results("ids"), results("list"), results("export")), (20, 20, 20));
    remount(&place, MsFlags::empty());
    access.keep(&[plain(200)]).expect("writable again, in the same process");
    assert_whole(&access, &kept);
}

fn tmpfs(at: &Path) {
    stage::tmpfs(at, "8m");
}

fn remount(at: &Path, flags: MsFlags) {
    let flags = MsFlags::MS_REMOUNT | flags;
    mount(None::<&str>, at, None::<&str>, flags, Some("size=8m")).expect("a remount");
}

fn open(place: &Path) -> Access {
    Access::open(&Data::at(place.join("data")), &Settings::default()).expect("access")
}

/// A record of some 20 kB.
fn large(n: u32) -> Record {
    sampled("large.example", START + u64::from(n), n, &vec![Some(1.234_567); 2_000])
}

/// Keeps records until the disk refuses; what was acknowledged, and the refusal.
fn fill(access: &Access) -> (BTreeSet<Uuid>, Failure) {
    let mut kept = BTreeSet::new();
    for n in 1_000..3_000 {
        let record = large(n);
        match access.keep(std::slice::from_ref(&record)) {
            Ok(()) => kept.insert(record.id()),
            Err(failure) => return (kept, failure),
        };
    }
    panic!("40 MB fit on 8 MiB");
}

#[track_caller]
fn assert_is_told(failure: &Failure, why: &str) {
    assert_eq!(failure.class.exit_code(), 3, "{failure}");
    assert!(failure.detail.contains(why) && !failure.detail.contains('\n'), "{failure}");
}

fn all(access: &Access) -> BTreeSet<Uuid> {
    records(access.ask(&list(Filter::default())).expect("an answer")).iter().map(Record::id).collect()
}

#[track_caller]
fn assert_whole(access: &Access, kept: &BTreeSet<Uuid>) {
    assert!(all(access).is_superset(kept), "records that were acknowledged are gone");
    let Ok(Answer::Verify(verified)) = access.ask(&Query::Verify) else { panic!("another answer") };
    assert_eq!(verified.wrong, 0, "{verified:?}");
}

//! Power loss in memory: writes that were not synced are lost, reordered and torn.

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex};

use redb::StorageBackend;
use redb::backends::InMemoryBackend;
use uuid::Uuid;
use waddleperf::store::{Answer, Filter, Order, Query, Store};

use super::plain;
use crate::lab::shared;

/// Storage that forgets everything when it is closed.
pub(super) fn memory() -> InMemoryBackend {
    InMemoryBackend::new()
}

/// A disk with a cache: what is written is on the platter only after a sync, and after a power cut in any part.
#[derive(Clone, Debug)]
struct Disk(Arc<Mutex<Platter>>);

#[derive(Debug, Default)]
struct Platter {
    /// As the process sees it.
    seen: Vec<u8>,
    /// As it was at the last sync.
    synced: Vec<u8>,
    /// Since then, in order.
    pending: Vec<Change>,
    /// A disk that lies: sync does nothing.
    lies: bool,
    /// After so many changes, the power goes; images are made there.
    changes: u64,
    images: Vec<(u64, Vec<u8>)>,
    /// How many commits were acknowledged when a change came.
    acknowledged: usize,
    wanted: BTreeSet<u64>,
    random: u64,
}

#[derive(Clone, Debug)]
enum Change {
    Length(u64),
    Write(u64, Vec<u8>),
}

/// What a disk writes whole.
const SECTOR: usize = 512;

impl Platter {
    fn next(&mut self) -> u64 {
        // SplitMix64.
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn change(&mut self, change: Change) {
        apply(&mut self.seen, &change, |_| true);
        self.pending.push(change);
        self.changes += 1;
        if self.wanted.contains(&self.changes) {
            let image = self.cut();
            self.images.push((self.acknowledged as u64, image));
        }
    }

    /// What is on the platter when the power goes now: any sectors of any pending writes, in any order.
    fn cut(&mut self) -> Vec<u8> {
        let mut image = self.synced.clone();
        let mut pending = self.pending.clone();
        // Mostly nothing, everything, or a random part survives.
        let keep = [0, 50, 90, 100][(self.next() % 4) as usize];
        for at in (1..pending.len()).rev() {
            let other = (self.next() % (at as u64 + 1)) as usize;
            pending.swap(at, other);
        }
        for change in pending {
            let mut seed = self.next();
            apply(&mut image, &change, |_| {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (seed >> 33) % 100 < keep
            });
        }
        image
    }
}

fn apply(image: &mut Vec<u8>, change: &Change, mut survives: impl FnMut(usize) -> bool) {
    match change {
        Change::Length(length) => {
            if survives(0) {
                image.resize(*length as usize, 0);
            }
        }
        Change::Write(offset, octets) => {
            let mut done = 0;
            while done < octets.len() {
                let at = *offset as usize + done;
                let part = (SECTOR - at % SECTOR).min(octets.len() - done);
                if survives(at) {
                    if image.len() < at + part {
                        image.resize(at + part, 0);
                    }
                    image[at..at + part].copy_from_slice(&octets[done..done + part]);
                }
                done += part;
            }
        }
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.lock().expect("disk").seen.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let disk = self.0.lock().expect("disk");
        let from = offset as usize;
        let part = disk.seen.get(from..from + out.len());
        out.copy_from_slice(part.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.lock().expect("disk").change(Change::Length(len));
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut disk = self.0.lock().expect("disk");
        if !disk.lies {
            disk.synced = disk.seen.clone();
            disk.pending.clear();
        }
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.lock().expect("disk").change(Change::Write(offset, data.to_vec()));
        Ok(())
    }
}

const COMMITS: usize = 60;

/// Runs a history of commits; answers the images of the disk when the power went at random moments.
fn history(seed: u64, images: usize, lies: bool) -> Vec<(u64, Vec<u8>)> {
    // One run to learn how many changes there are, one to cut.
    let run = |wanted: BTreeSet<u64>| {
        let disk =
            Disk(Arc::new(Mutex::new(Platter { lies: false, random: seed, wanted, ..Platter::default() })));
        let handle = disk.clone();
        let store = Store::on(move || handle.clone()).expect("a store");
        // The store exists from here on: creation is by rename, so no image is older.
        let born = {
            let mut platter = disk.0.lock().expect("disk");
            platter.lies = lies;
            platter.changes
        };
        for commit in 0..COMMITS {
            let records = [plain(2 * commit as u32), plain(2 * commit as u32 + 1)];
            let state = ("state".to_owned(), (commit as u64).to_le_bytes().to_vec());
            store.commit(&records, &[state]).expect("kept");
            disk.0.lock().expect("disk").acknowledged = commit + 1;
        }
        let mut platter = disk.0.lock().expect("disk");
        (born, platter.changes, std::mem::take(&mut platter.images))
    };
    let (born, total, _) = run(BTreeSet::new());
    let mut dice = Platter { random: !seed, ..Platter::default() };
    let wanted = (0..images).map(|_| born + 1 + dice.next() % (total - born)).collect();
    run(wanted).2
}

/// What an image holds: how many commits, all of them whole. `None` when it does not open.
fn commits_in(image: Vec<u8>) -> Option<u64> {
    let disk = Disk(Arc::new(Mutex::new(Platter { seen: image, ..Platter::default() })));
    let store = Store::on(move || disk.clone()).ok()?;
    let query = Query::Ids { filter: Filter::default(), after: None, limit: 1000, order: Order::Oldest };
    let Ok(Answer::Ids(ids, None)) = store.ask(&query) else {
        return None;
    };
    let expected: Vec<Uuid> = (0..ids.len() as u32).map(|n| plain(n).id()).collect();
    let commits = ids.len() as u64 / 2;
    let state = store.load("state").ok()?;
    let expected_state = commits.checked_sub(1).map(|last| last.to_le_bytes().to_vec());
    (ids == expected && ids.len().is_multiple_of(2) && state == expected_state).then_some(commits)
}

#[test]
fn no_power_cut_loses_what_was_acknowledged() {
    let _turn = shared();
    cut_the_power(1_000);
}

#[test]
#[ignore = "takes minutes: cargo test --release --test it ten_thousand_power_cuts -- --ignored"]
fn ten_thousand_power_cuts_lose_nothing() {
    cut_the_power(10_000);
}

/// Opens `images` images, each of another moment, and finds in each all that was acknowledged by then.
fn cut_the_power(images: u64) {
    let (mut seen, mut seed) = (0, 1);
    while seen < images {
        for (acknowledged, image) in history(seed, 200, false) {
            let commits = commits_in(image);
            assert!(
                commits.is_some_and(|commits| commits == acknowledged || commits == acknowledged + 1),
                "seed {seed}, image {seen}: {commits:?} commits for {acknowledged} acknowledged"
            );
            seen += 1;
        }
        seed += 1;
    }
}

#[test]
fn a_disk_that_lies_about_its_syncs_does_lose() {
    let lost = history(1, 100, true)
        .into_iter()
        .filter(|(acknowledged, image)| {
            commits_in(image.clone()).is_none_or(|commits| commits < *acknowledged)
        })
        .count();
    assert!(lost > 20, "the test above could not fail: {lost} of 100 images lost something");
}
